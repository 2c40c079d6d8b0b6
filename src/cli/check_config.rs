//! `check-config`: everything that can be said of the configuration without starting anything.

use super::args::{Places, RunArgs};
use super::dirs;
use super::exit::Exit;
use super::run::overrides;
use super::{apart, complain, online, outside, print};
use crate::config;
use crate::daemon;

/// Checks, prints, and says how to end.
pub(super) fn check_config(places: &Places, args: &RunArgs, show: bool, ask: bool) -> Exit {
    let loaded = match config::load(places.config.as_deref(), &overrides(args)) {
        Ok(loaded) => loaded,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Config;
        }
    };
    let settings = &loaded.settings;
    if let Some(why) = apart::not_apart(&settings.roots) {
        complain(&why);
        return Exit::Config;
    }
    let dirs = dirs::for_daemon(places, |name| std::env::var_os(name));
    if let Some(why) = dirs.ok().and_then(|dirs| outside::not_outside(&settings.roots, &dirs)) {
        complain(&why);
        return Exit::Config;
    }
    if let Err(error) = config::keys(&settings.services, |name| std::env::var_os(name)) {
        complain(&error.to_string());
        return Exit::Config;
    }
    if show {
        print(&config::print(settings));
    }
    let mut missing: Vec<String> = settings
        .roots
        .iter()
        .filter(|root| !dirs::is_there(&root.path))
        .map(|root| {
            format!(
                "roots.{}.path: there is no directory {}; make it, mount it, or correct the path",
                root.name,
                root.path.display()
            )
        })
        .collect();
    for warning in &settings.warnings {
        complain(&format!("warning: {warning}"));
    }
    match daemon::not_mounted(settings) {
        Ok(sentences) => missing.extend(sentences),
        Err(error) => complain(&format!("warning: the mount table can't be read: {error}")),
    }
    for missing in &missing {
        complain(missing);
    }
    if !missing.is_empty() {
        return Exit::NoRoot;
    }
    let online = match ask.then(|| online::ask(settings)).transpose() {
        Ok(online) => online,
        Err(error) => {
            complain(&error.to_string());
            return Exit::CouldNotTell;
        }
    };
    let exit = online.as_ref().map_or(Exit::Ok, online::exit);
    if places.json {
        let source = loaded.source.as_ref().map(|path| path.display().to_string());
        let mut view = serde_json::json!({
            "ok": exit == Exit::Ok,
            "source": source,
            "roots": settings.roots.len(),
            "services": settings.services.len(),
            "warnings": settings.warnings,
        });
        if let Some(online) = &online {
            view["online"] = serde_json::json!(online);
        }
        print(&format!("{view:#}\n"));
    } else if let Some(online) = &online {
        print(&online::text(online));
    } else if !show {
        let source = loaded.source.as_ref().map_or_else(
            || "no file, only the command line".to_owned(),
            |path| path.display().to_string(),
        );
        let services = match settings.services.len() {
            0 => String::new(),
            1 => ", 1 service".to_owned(),
            count => format!(", {count} services"),
        };
        print(&format!("ok: {source}, {} roots{services}\n", settings.roots.len()));
    }
    exit
}

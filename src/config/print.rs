//! The effective settings as a configuration file.
//!
//! Every struct is taken apart by name, so that a new setting which is not printed does not
//! compile. What is printed reads back to the same settings, but for secrets, which are not shown.

use std::fmt::Display;

use std::path::PathBuf;

use super::secret::SecretSource;
use super::settings::{
    BrakeSettings, ConfirmSettings, LogSettings, PoolSettings, RemoteSettings, RootSettings,
    ServiceSettings, Settings, SweepSettings, WatchSettings,
};
use super::value::written;
use crate::domain::ServicePath;

/// The settings as TOML. A list that a root shares with `[watch]` is written there only.
///
/// A root of the command line whose path is not UTF-8 can't be written in TOML; its path comes out
/// with replacement characters.
#[must_use]
pub fn print(settings: &Settings) -> String {
    let Settings {
        roots,
        pools,
        services,
        paths,
        sweep,
        history,
        watch,
        confirm,
        brake,
        remote,
        log,
        warnings: _,
    } = settings;
    let mut out = Out(String::new());
    out.key("history", quoted(&written(*history)));
    for root in roots {
        out.root(root, watch);
    }
    for PoolSettings { name, mount, branches } in pools {
        out.table(&format!("pools.{name}"));
        out.key("mount", quoted(&mount.to_string_lossy()));
        let branches: Vec<String> =
            branches.iter().map(|branch| branch.to_string_lossy().into_owned()).collect();
        out.key("branches", list(&branches));
    }
    for service in services {
        out.service(service);
    }
    if !paths.is_empty() {
        out.table("paths");
        for (theirs, here) in paths {
            out.key(&in_quotes(&theirs.0), quoted(&here.to_string_lossy()));
        }
    }
    let SweepSettings { interval } = sweep;
    out.table("sweep");
    out.key("interval", quoted(&written(*interval)));
    let WatchSettings { rescan, quiet, extensions, ignore } = watch;
    out.table("watch");
    out.key("rescan", quoted(&written(*rescan)));
    out.key("quiet", quoted(&written(*quiet)));
    out.key("extensions", list(extensions));
    out.key("ignore", list(ignore));

    let ConfirmSettings { settle, replace_max, hold_retry, refresh, unlisted } = confirm;
    out.table("confirm");
    out.key("settle", quoted(&written(*settle)));
    out.key("replace_max", quoted(&written(*replace_max)));
    out.key("hold_retry", quoted(&written(*hold_retry)));
    out.key("refresh", list(&refresh.iter().map(ToString::to_string).collect::<Vec<_>>()));
    out.key("unlisted", quoted(unlisted.as_str()));

    let BrakeSettings { window, max, floor, share } = brake;
    out.table("brake");
    out.key("window", quoted(&written(*window)));
    out.key("max", max);
    out.key("floor", floor);
    out.key("share", quoted(&share.to_string()));

    let RemoteSettings { confirm, rescan } = remote;
    out.table("remote");
    out.key("confirm", quoted(&written(*confirm)));
    out.key("rescan", quoted(&written(*rescan)));

    let LogSettings { level, format } = log;
    out.table("log");
    out.key("level", quoted(level.as_str()));
    out.key("format", quoted(format.as_str()));
    out.0
}

struct Out(String);

impl Out {
    fn table(&mut self, name: &str) {
        self.0.push_str(&format!("\n[{name}]\n"));
    }

    fn key(&mut self, key: &str, value: impl Display) {
        self.0.push_str(&format!("{key} = {value}\n"));
    }

    fn root(&mut self, root: &RootSettings, watch: &WatchSettings) {
        let RootSettings { name, path, extensions, ignore, marker } = root;
        self.table(&format!("roots.{name}"));
        self.key("path", quoted(&path.to_string_lossy()));
        if *extensions != watch.extensions {
            self.key("extensions", list(extensions));
        }
        if *ignore != watch.ignore {
            self.key("ignore", list(ignore));
        }
        if let Some(marker) = marker {
            self.key("marker", quoted(marker));
        }
    }

    fn service(&mut self, service: &ServiceSettings) {
        let ServiceSettings { instance, url, key, ca, timeout, paths } = service;
        self.table(&instance.to_string());
        self.key("url", quoted(url));
        self.key("api_key", secret(key));
        if let Some(ca) = ca {
            self.key("ca", quoted(&ca.to_string_lossy()));
        }
        self.key("timeout", quoted(&written(*timeout)));
        if !paths.is_empty() {
            self.key("paths", pairs(paths));
        }
    }
}

fn secret(source: &SecretSource) -> String {
    let (form, place) = match source {
        SecretSource::Text(secret) => return quoted(&secret.to_string()),
        SecretSource::Env(name) => ("env", name.clone()),
        SecretSource::File(path) => ("file", path.to_string_lossy().into_owned()),
        SecretSource::Credential(name) => ("credential", name.clone()),
    };
    format!("{{ {form} = {} }}", quoted(&place))
}

fn pairs(pairs: &[(ServicePath, PathBuf)]) -> String {
    let pairs: Vec<String> = pairs
        .iter()
        .map(|(theirs, here)| {
            format!("{} = {}", in_quotes(&theirs.0), quoted(&here.to_string_lossy()))
        })
        .collect();
    format!("{{ {} }}", pairs.join(", "))
}

/// A key in quotes: one of several lines, which a value may have, is none. Paths have no control
/// characters.
fn in_quotes(key: &str) -> String {
    format!("\"{}\"", key.replace('\\', "\\\\").replace('"', "\\\""))
}

fn quoted(text: &str) -> String {
    toml::Value::String(text.to_owned()).to_string()
}

fn list<'a>(texts: impl IntoIterator<Item = &'a String>) -> String {
    let texts: Vec<String> = texts.into_iter().map(|text| quoted(text)).collect();
    format!("[{}]", texts.join(", "))
}

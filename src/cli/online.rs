//! `check-config --online`: what the services answered, as a table and what to do.

use std::fmt::Write;
use std::io::{self, IsTerminal};
use std::time::Duration;

use super::check;
use super::exit::Exit;
use super::show::{line, safe};
use crate::config::Settings;
use crate::daemon::{self, Online, Outcome, ServiceView};

/// Asks, with a bar on a terminal while it lasts.
pub(super) fn ask(settings: &Settings) -> io::Result<Online> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let is_terminal = io::stderr().is_terminal();
    let online = runtime.block_on(daemon::online(settings, |progress| {
        if is_terminal {
            check::write(&format!("\r\u{1b}[K{}", check::bar(progress)));
        }
    }));
    if is_terminal {
        check::write("\r\u{1b}[K");
    }
    // A disk that hangs must not keep the process.
    runtime.shutdown_timeout(Duration::from_millis(100));
    Ok(online)
}

/// How to end.
pub(super) fn exit(online: &Online) -> Exit {
    match online.outcome() {
        Outcome::Well => Exit::Ok,
        Outcome::ToFix => Exit::Failed,
        Outcome::CouldNotTell => Exit::CouldNotTell,
    }
}

/// For people.
pub(super) fn text(online: &Online) -> String {
    let mut text = String::new();
    if online.services.is_empty() {
        line(&mut text, format_args!("no service is configured, so none was asked"));
    } else {
        text.push_str(&table(online));
    }
    for service in &online.services {
        told(&mut text, service);
    }
    line(&mut text, format_args!(""));
    for root in &online.roots {
        let by = match root.services.as_slice() {
            [] => "no service was found to list anything in it".to_owned(),
            by => by.join(", "),
        };
        line(&mut text, format_args!("root {} ({}): {by}", root.name, safe(&root.path)));
    }
    let end = match online.outcome() {
        Outcome::Well => "ok: all is well",
        Outcome::ToFix => "something has to be put right",
        Outcome::CouldNotTell => "not everything could be told",
    };
    line(&mut text, format_args!("{end}"));
    text
}

/// One row for each service.
fn table(online: &Online) -> String {
    let head = ["service", "program", "key", "titles", "found on disk", "result"];
    let mut rows = vec![head.map(str::to_owned)];
    rows.extend(online.services.iter().map(row));
    let widths: Vec<usize> = (0..head.len())
        .map(|at| rows.iter().map(|row| row[at].chars().count()).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in &rows {
        let mut shown = String::new();
        for (cell, width) in row.iter().zip(&widths) {
            // Writing to a string can't fail.
            let _infallible = write!(shown, "{cell:width$}  ");
        }
        line(&mut text, format_args!("{}", shown.trim_end()));
    }
    text
}

fn row(service: &ServiceView) -> [String; 6] {
    let program = match (&service.application, &service.version, service.reached) {
        (Some(application), Some(version), _) => safe(&format!("{application} {version}")),
        (_, _, true) => "unknown".to_owned(),
        (_, _, false) => "no answer".to_owned(),
    };
    let key = match service.key_accepted {
        Some(true) => "accepted",
        Some(false) => "refused",
        None => "-",
    };
    let (paths, found) = service
        .folders
        .iter()
        .fold((0, 0), |(paths, found), folder| (paths + folder.paths, found + folder.found));
    let titles = service.titles.map_or_else(|| "-".to_owned(), |titles| titles.to_string());
    let found = match service.titles {
        Some(_) => format!("{found} of {paths} paths"),
        None => "-".to_owned(),
    };
    let result = match service.outcome {
        Outcome::Well => "ok",
        Outcome::ToFix => "to fix",
        Outcome::CouldNotTell => "could not tell",
    };
    [service.name.clone(), program, key.to_owned(), titles, found, result.to_owned()]
}

/// The folders of a service, and what is to be done about it.
fn told(text: &mut String, service: &ServiceView) {
    line(text, format_args!(""));
    line(text, format_args!("{} at {}", service.name, safe(&service.url)));
    for folder in &service.folders {
        let mark = if folder.fits { " " } else { "!" };
        let here = folder.here.as_deref().map_or_else(|| "nowhere here".to_owned(), safe);
        let root = match (&folder.root, &folder.here) {
            (Some(root), _) => format!(", root {root}"),
            (None, Some(_)) => ", in no root".to_owned(),
            (None, None) => String::new(),
        };
        line(
            text,
            format_args!(
                "{mark} {} is {here}{root}: {} of {} paths found",
                safe(&folder.path),
                folder.found,
                folder.paths
            ),
        );
    }
    for finding in &service.findings {
        let key = finding.key.as_deref().map(|key| format!("{}: ", safe(key))).unwrap_or_default();
        line(text, format_args!("! {key}{}", safe(&finding.says)));
        if let (Some(write), Some(table)) = (&finding.write, &finding.table) {
            line(text, format_args!("    write in {table}:  {}", safe(write)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::{Finding, FolderView, RootView};

    fn service() -> ServiceView {
        ServiceView {
            name: "radarr.hd".into(),
            url: "http://nas:7878".into(),
            outcome: Outcome::Well,
            reached: true,
            key_accepted: Some(true),
            application: Some("Radarr".into()),
            version: Some("5.28".into()),
            titles: Some(30),
            folders: vec![FolderView {
                path: r"D:\Films".into(),
                here: Some("/srv/films".into()),
                root: Some("films".into()),
                key: None,
                paths: 30,
                mapped: 30,
                found: 30,
                fits: true,
            }],
            roots: vec!["films".into()],
            findings: Vec::new(),
        }
    }

    fn online(services: Vec<ServiceView>) -> Online {
        let root = RootView { name: "films".into(), path: "/srv/films".into(), services: vec![] };
        Online { services, roots: vec![root] }
    }

    #[test]
    fn what_is_to_be_put_right_outweighs_what_could_not_be_told() {
        let of = |outcome| ServiceView { outcome, ..service() };
        let (well, untold, wrong) = (Outcome::Well, Outcome::CouldNotTell, Outcome::ToFix);
        for (outcomes, expected) in [
            (vec![], Exit::Ok),
            (vec![well], Exit::Ok),
            (vec![well, untold], Exit::CouldNotTell),
            (vec![wrong, untold, well], Exit::Failed),
        ] {
            assert_eq!(exit(&online(outcomes.into_iter().map(of).collect())), expected);
        }
    }

    #[test]
    fn a_service_is_a_row_its_folders_and_what_to_write() {
        let mut bad = service();
        bad.outcome = Outcome::ToFix;
        bad.findings.push(Finding {
            key: Some("radarr.hd.paths.\"D:\\Films\"".into()),
            outcome: Outcome::ToFix,
            says: "none is there".into(),
            write: Some("'D:\\Films' = \"/srv/films\"".into()),
            table: Some("radarr.hd.paths".into()),
        });
        let text = text(&online(vec![bad]));
        for expected in [
            "service    program      key       titles  found on disk   result\n",
            "radarr.hd  Radarr 5.28  accepted  30      30 of 30 paths  to fix\n",
            "  D:\\Films is /srv/films, root films: 30 of 30 paths found\n",
            "! radarr.hd.paths.\"D:\\Films\": none is there\n",
            "    write in radarr.hd.paths:  'D:\\Films' = \"/srv/films\"\n",
            "root films (/srv/films): no service was found to list anything in it\n",
        ] {
            assert!(text.contains(expected), "{expected}\n{text}");
        }
    }

    #[test]
    fn what_a_service_says_can_not_steer_the_terminal() {
        let mut evil = service();
        evil.version = Some("1\u{1b}[2J\nroot x".into());
        evil.folders[0].path = "a\r\nok: all is well".into();
        let text = text(&online(vec![evil]));
        assert!(!text.contains(['\u{1b}', '\r']), "{text}");
        assert_eq!(text.matches("\nok: all is well").count(), 1, "{text}");
    }
}

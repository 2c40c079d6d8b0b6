//! The rules of the house, checked on the sources as text. What each rule is for stands in
//! `ARCHITECTURE.md`; its tables are compared with the ones here by `docs`.
//!
//! A rule is a function from one file to its complaints, and each has a table of small sources that
//! must and must not be refused.

use crate::source::{CodePath, SourceFile, files, tokens};

/// Which rooms a room may use, beside itself. A room that isn't listed may not exist.
pub(crate) const IMPORTS: &[(&str, &[&str])] = &[
    ("domain", &[]),
    ("clock", &["domain"]),
    ("telemetry", &["domain"]),
    ("core", &["domain"]),
    ("catalog", &["domain", "inventory"]),
    ("inventory", &["domain"]),
    ("outbox", &["domain"]),
    ("config", &["domain"]),
    ("disk", &["domain", "inventory", "clock"]),
    ("signalr", &[]),
    ("services", &["domain"]),
    ("prober", &["domain", "disk", "inventory", "catalog", "services", "clock"]),
    ("sensors", &["domain", "disk", "inventory", "services", "signalr", "clock"]),
    ("store", &["domain", "core", "inventory", "catalog", "outbox"]),
    ("tracker", &["domain"]),
    ("delivery", &["domain", "outbox", "store", "tracker", "clock"]),
    ("control", &["domain"]),
    ("web", &["domain", "control"]),
    ("notify_out", &["domain"]),
    ("daemon", &[ALL_BUT_CLI]),
    ("cli", &["domain", "config", "control", "daemon", "telemetry"]),
];

/// Stands for every room but `cli`.
const ALL_BUT_CLI: &str = "all but cli";

/// What the two crate roots may use.
const MAIN: &[&str] = &["cli", "telemetry"];

/// Crates that are known to some rooms only.
pub(crate) const HOMES: &[(&str, &[&str])] = &[
    ("sled", &["store"]),
    ("notify", &["sensors/watcher"]),
    ("rustix", &["disk", "daemon", "store", "control", "cli", "sensors/watcher"]),
    ("reqwest", &["services", "tracker", "control", "notify_out"]),
    ("rustls", &["services", "control"]),
    ("axum", &["control", "web", "sensors/webhook", "services/tests"]),
    ("toml", &["config"]),
    ("clap", &["cli", "main"]),
    ("anyhow", &["cli", "daemon", "main"]),
    ("signal_hook", &["daemon"]),
    ("sd_notify", &["daemon"]),
    ("tracing_subscriber", &["telemetry"]),
    ("tracing_journald", &["telemetry"]),
];

/// Crates that some rooms must never know.
pub(crate) const STRANGERS: &[(&str, &[&str])] = &[
    ("tokio", &["domain", "core", "catalog", "inventory", "outbox", "disk", "store"]),
    ("tracing", &["domain", "core", "catalog", "inventory", "outbox", "config"]),
];

/// The rooms without I/O, clock, threads and environment.
pub(crate) const PURE: &[&str] = &["domain", "core", "catalog", "inventory", "outbox"];

/// What a pure room may not name; the last part of each may also stand alone behind a `use`.
const IMPURE: &[&[&str]] = &[
    &["std", "fs"],
    &["std", "net"],
    &["std", "thread"],
    &["std", "env"],
    &["std", "process"],
    &["std", "os", "unix", "fs"],
    &["std", "os", "unix", "net"],
    &["std", "time", "Instant"],
    &["std", "time", "SystemTime"],
];

/// Methods of paths that ask the disk.
const DISK_METHODS: &[&str] =
    &["exists", "try_exists", "symlink_metadata", "canonicalize", "read_dir", "read_link"];

/// Names that say nothing about what is inside.
const DRAWERS: &[&str] =
    &["util", "utils", "helper", "helpers", "common", "manager", "types", "misc"];

const MAX_LINES: usize = 400;
const MAX_TEST_LINES: usize = 700;

/// The one test file that may sleep, between two looks at what it waits for.
const WAITS: &str = "tests/suite/e2e/wait.rs";

/// A rule: what is wrong in a file, one line per finding, without the file's name.
type Rule = fn(&SourceFile) -> Vec<String>;

const RULES: &[Rule] = &[imports, crate_homes, purity, words, names, length, layout];

#[test]
fn the_house_is_tidy() {
    let complaints: Vec<String> = files()
        .iter()
        .flat_map(|file| RULES.iter().flat_map(|rule| complaints(*rule, file)))
        .collect();
    assert!(complaints.is_empty(), "\n{}\n", complaints.join("\n"));
}

fn complaints(rule: Rule, file: &SourceFile) -> Vec<String> {
    rule(file).into_iter().map(|complaint| format!("{}:{complaint}", file.path)).collect()
}

/// The room a file belongs to: `main` for `main.rs`, `None` for `lib.rs` and outside `src`.
fn room(file: &SourceFile) -> Option<String> {
    file.module()?.into_iter().next()
}

/// Whether a file holds nothing but tests.
fn is_test(file: &SourceFile) -> bool {
    file.path.split('/').any(|part| part == "tests" || part == "tests.rs")
}

fn imports(file: &SourceFile) -> Vec<String> {
    let Some(room) = room(file) else { return Vec::new() };
    let table = IMPORTS.iter().find(|(name, _)| *name == room).map(|(_, allowed)| *allowed);
    let Some(allowed) = (if room == "main" { Some(MAIN) } else { table }) else {
        return vec![format!("1: the room `{room}` is not in the import table")];
    };
    let may_use = |other: &str| {
        other == room
            || allowed.contains(&other)
            || (allowed.contains(&ALL_BUT_CLI) && other != "cli")
    };
    let is_ours = |path: &CodePath| path.parts[0] == "crate" || path.parts[0] == "obituarr";
    let mut found = Vec::new();
    for path in file.paths().iter().filter(|path| is_ours(path)) {
        match path.parts.get(1).map(String::as_str) {
            // `pub(crate)` names no room; `use crate as x` hides which one is used.
            None if !path.is_import => {}
            None | Some("*") => found.push(format!("{}: the whole crate is imported", path.line)),
            Some(other) if may_use(other) => {}
            Some(other) => found.push(format!("{}: `{room}` may not use `{other}`", path.line)),
        }
    }
    found
}

fn crate_homes(file: &SourceFile) -> Vec<String> {
    let Some(module) = file.module().filter(|module| !module.is_empty()) else { return Vec::new() };
    let place = format!("{}/", module.join("/"));
    let within = |rooms: &[&str]| rooms.iter().any(|room| place.starts_with(&format!("{room}/")));
    let mut found = Vec::new();
    for path in file.paths().iter().filter(|path| path.parts.len() > 1 || path.is_import) {
        let name = path.parts[0].as_str();
        let home = HOMES.iter().find(|(krate, _)| *krate == name);
        let stranger = STRANGERS.iter().find(|(krate, _)| *krate == name);
        if let Some((_, rooms)) = home.filter(|(_, rooms)| !within(rooms)) {
            found.push(format!("{}: `{name}` is known to {} only", path.line, rooms.join(", ")));
        } else if stranger.is_some_and(|(_, rooms)| within(rooms)) {
            found.push(format!("{}: `{name}` is not known here", path.line));
        }
    }
    found
}

fn purity(file: &SourceFile) -> Vec<String> {
    if !room(file).is_some_and(|room| PURE.contains(&room.as_str())) {
        return Vec::new();
    }
    // How many random cases a test tries is read from the environment.
    let is_test = is_test(file);
    let mut found = Vec::new();
    for path in file.paths() {
        let names = |wanted: &[&str]| {
            // A module that is imported whole (`use std::time;`) hides what is taken from it.
            let is_parent = path.is_import
                && path
                    .parts
                    .iter()
                    .filter(|part| *part != "*")
                    .eq(wanted[..wanted.len() - 1].iter());
            path.starts_with(wanted) || is_parent
        };
        let impure = IMPURE.iter().find(|wanted| names(wanted) && !(is_test && wanted[1] == "env"));
        if let Some(wanted) = impure {
            found.push(format!("{}: a pure room can't name {}", path.line, wanted.join("::")));
        }
    }
    let tokens = tokens(&file.text);
    for three in tokens.windows(3) {
        if three[0].text == "."
            && DISK_METHODS.contains(&three[1].text.as_str())
            && three[2].text == "("
        {
            found.push(format!("{}: `.{}()` asks the disk", three[1].line, three[1].text));
        }
    }
    found
}

fn words(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let mut found = Vec::new();
    for path in file.paths() {
        let sleeps = path.parts.ends_with(&["thread".to_owned(), "sleep".to_owned()]);
        if sleeps && file.path != WAITS {
            found.push(format!("{}: sleeping; wait for a thing, not for a time", path.line));
        }
    }
    let tokens = tokens(&file.text);
    for (n, token) in tokens.iter().enumerate() {
        let next = |by: usize| tokens.get(n + by).map_or("", |token| token.text.as_str());
        match token.text.as_str() {
            "todo" | "unimplemented" if next(1) == "!" => {
                found.push(format!("{}: `{}!`", token.line, token.text));
            }
            "#" if next(1) == "[" && next(2) == "ignore" => {
                found.push(format!("{}: a test that is ignored tests nothing", token.line));
            }
            "extern" if next(1) == "crate" => {
                found.push(format!("{}: `extern crate` gives a crate another name", token.line));
            }
            _ => {}
        }
    }
    for (n, line) in file.text.lines().enumerate() {
        for mark in [concat!("TO", "DO"), concat!("FIX", "ME"), concat!("XX", "X")] {
            if line.split(|c: char| !c.is_alphanumeric()).any(|word| word == mark) {
                found.push(format!("{}: `{mark}`: do it, or file an issue", n + 1));
            }
        }
    }
    found
}

fn names(file: &SourceFile) -> Vec<String> {
    let path = file.path.trim_end_matches(".rs");
    let drawer = path.split('/').find(|part| DRAWERS.contains(part));
    drawer
        .map(|part| format!("1: `{part}` says nothing about what is inside"))
        .into_iter()
        .collect()
}

fn length(file: &SourceFile) -> Vec<String> {
    if !file.is_rust() {
        return Vec::new();
    }
    let max = if is_test(file) { MAX_TEST_LINES } else { MAX_LINES };
    let lines = file.text.lines().count();
    if lines > max { vec![format!("{lines}: longer than {max} lines")] } else { Vec::new() }
}

fn layout(file: &SourceFile) -> Vec<String> {
    let mut found = Vec::new();
    if file.is_rust() && !file.text.starts_with("//!") {
        found.push("1: opens without `//!`: what is it for, what must it never do".to_owned());
    }
    if !file.text.ends_with('\n') || file.text.ends_with("\n\n") {
        found.push(format!("{}: must end with one newline", file.text.lines().count()));
    }
    for (n, line) in file.text.lines().enumerate() {
        if line.ends_with([' ', '\t', '\r']) {
            found.push(format!("{}: white space at the end", n + 1));
        }
    }
    found
}

/// Runs a rule over a table of (path, text, whether it must be refused).
fn check(rule: Rule, table: &[(&str, &str, bool)]) {
    for (path, text, refused) in table {
        let found = complaints(rule, &SourceFile::new(path, text));
        assert_eq!(!found.is_empty(), *refused, "{path}: {text:?} gave {found:?}");
    }
}

#[test]
fn imports_follow_the_table() {
    check(
        imports,
        &[
            ("src/core/mod.rs", "use crate::domain::Life;", false),
            ("src/core/mod.rs", "use crate::store::Store;", true),
            ("src/core/mod.rs", "use crate::{domain::Life, core::brake};", false),
            ("src/core/mod.rs", "use crate::{domain::Life, inventory};", true),
            ("src/core/brake.rs", "use super::super::store::Store;", true),
            ("src/core/brake.rs", "use super::Candidate;", false),
            ("src/core/mod.rs", "mod tests { use super::super::store::Store; }", true),
            ("src/core/mod.rs", "mod tests { use super::*; }", false),
            ("src/core/mod.rs", "fn f() -> crate::daemon::Event {}", true),
            ("src/core/mod.rs", "use crate as ours;", true),
            ("src/core/mod.rs", "use crate::*;", true),
            ("src/core/mod.rs", "use super::*;", true),
            ("src/core/mod.rs", "pub(crate) fn f() {}", false),
            ("src/core/mod.rs", "pub(in crate::core) fn f() {}", false),
            ("src/core/mod.rs", "// crate::store is told later", false),
            ("src/core/mod.rs", "const X: &str = \"crate::store\";", false),
            ("src/clock.rs", "use crate::domain::Timestamp;", false),
            ("src/clock.rs", "use crate::core::Core;", true),
            ("src/daemon/run.rs", "use crate::{store, web, core};", false),
            ("src/daemon/run.rs", "use crate::cli::Args;", true),
            ("src/cli/mod.rs", "use crate::store::Store;", true),
            ("src/attic/mod.rs", "//! A room nobody planned.", true),
            ("src/lib.rs", "pub mod store;", false),
            ("src/main.rs", "fn main() { obituarr::cli::main() }", false),
            ("src/main.rs", "use obituarr::store::Store;", true),
        ],
    );
}

#[test]
fn crates_stay_in_their_homes() {
    check(
        crate_homes,
        &[
            ("src/store/trees.rs", "use sled::Db;", false),
            ("src/daemon/mod.rs", "use sled::Db;", true),
            ("src/daemon/mod.rs", "fn f(db: &sled::Db) {}", true),
            ("src/daemon/mod.rs", "use sled;", true),
            ("src/daemon/mod.rs", "use sled as tree;", true),
            ("src/daemon/mod.rs", "use {std::fs, sled::Db};", true),
            ("src/daemon/mod.rs", "fn f(db: &::sled::Db) {}", true),
            ("src/daemon/mod.rs", "let sled = 1;", false),
            ("src/sensors/watcher/mod.rs", "use notify::Watcher;", false),
            ("src/sensors/sweep/mod.rs", "use notify::Watcher;", true),
            ("src/sensors/watchers.rs", "use notify::Watcher;", true),
            ("src/daemon/mod.rs", "self.notify();", false),
            ("src/core/mod.rs", "#[tokio::test] fn f() {}", true),
            ("src/control/mod.rs", "use tokio::net::UnixListener;", false),
            ("src/inventory/mod.rs", "tracing::info!();", true),
            ("src/main.rs", "use clap::Parser;", false),
            ("src/config/mod.rs", "#[derive(clap::Args)] struct A;", true),
            ("tests/suite/e2e/mod.rs", "use reqwest::Client;", false),
        ],
    );
}

#[test]
fn pure_rooms_stay_pure() {
    check(
        purity,
        &[
            ("src/core/mod.rs", "use std::time::Duration;", false),
            ("src/core/mod.rs", "use std::time::Instant;", true),
            ("src/core/mod.rs", "use std::{fmt, time::{Duration, SystemTime}};", true),
            ("src/core/mod.rs", "use std::time;", true),
            ("src/core/mod.rs", "use std::time::*;", true),
            ("src/core/mod.rs", "use std::time::{self, Duration};", true),
            ("src/core/mod.rs", "fn f() { std::fs::read(p); }", true),
            ("src/core/mod.rs", "use std::fmt;", false),
            ("src/domain/path.rs", "use std::os::unix::ffi::OsStrExt;", false),
            ("src/domain/path.rs", "use std::os::unix::fs::MetadataExt;", true),
            ("src/domain/path.rs", "path.exists()", true),
            ("src/domain/path.rs", "path.is_root()", false),
            ("src/catalog/mod.rs", "std::env::var(\"X\")", true),
            ("src/core/tests.rs", "std::env::var(\"CASES\")", false),
            ("src/core/tests/random.rs", "std::env::var(\"CASES\")", false),
            ("src/core/tests.rs", "use std::fs;", true),
            ("src/disk/mod.rs", "use std::fs;", false),
        ],
    );
}

#[test]
fn words_that_put_work_off_are_refused() {
    let note = concat!("// TO", "DO: later");
    check(
        words,
        &[
            ("src/core/mod.rs", note, true),
            ("src/core/mod.rs", "// todos are fine here", false),
            ("src/core/mod.rs", "fn f() { todo!() }", true),
            ("src/core/mod.rs", "fn f() { self.todo() }", false),
            ("src/core/mod.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}", true),
            ("src/core/mod.rs", "#[test]\nfn f() {}", false),
            ("src/daemon/mod.rs", "std::thread::sleep(d);", true),
            ("src/daemon/mod.rs", "use std::thread; fn f() { thread::sleep(d) }", true),
            ("src/daemon/mod.rs", "use std::thread::{sleep, spawn};", true),
            ("src/daemon/mod.rs", "tokio::time::sleep(d).await", false),
            ("tests/suite/e2e/run.rs", "std::thread::sleep(d);", true),
            (WAITS, "std::thread::sleep(d);", false),
            ("src/daemon/mod.rs", "extern crate self as ours;", true),
            ("docs/notes.md", "thread::sleep", false),
        ],
    );
}

#[test]
fn files_are_short_named_and_well_formed() {
    let long = "//!\n".repeat(MAX_LINES + 1);
    let longer = "//!\n".repeat(MAX_TEST_LINES + 1);
    check(
        length,
        &[
            ("src/core/mod.rs", &long, true),
            ("src/core/mod.rs", &long[4..], false),
            ("src/core/tests.rs", &long, false),
            ("src/core/tests/brake.rs", &long, false),
            ("src/core/tests/brake.rs", &longer, true),
            ("tests/suite/x.rs", &longer, true),
            ("docs/long.md", &longer, false),
        ],
    );
    check(
        names,
        &[
            ("src/core/utils.rs", "", true),
            ("src/helpers/mod.rs", "", true),
            ("tests/suite/common/mod.rs", "", true),
            ("src/core/brake.rs", "", false),
        ],
    );
    check(
        layout,
        &[
            ("src/core/mod.rs", "//! What it is for.\n", false),
            ("src/core/mod.rs", "use std::fmt;\n", true),
            ("src/core/mod.rs", "//! No newline", true),
            ("src/core/mod.rs", "//! Two newlines\n\n", true),
            ("src/core/mod.rs", "//! Trailing \n", true),
            ("README.md", "# A title\n", false),
            ("README.md", "# A title\t\n", true),
        ],
    );
}

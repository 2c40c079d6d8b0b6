//! The journal: a real journald of its own gets the lines with their fields.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Output};

use serde_json::Value;

use super::daemon::{Home, binary};
use super::make;

/// Runs in namespaces of its own: a journald, the daemon, one deletion, one reload that fails, the
/// end; then prints the journal. `$1` is the binary, `$2` the home.
const SCRIPT: &str = r#"
set -eu
await() { n=0; until "$@"; do n=$((n + 1)); [ $n -lt 600 ] || exit 97; sleep 0.1; done; }
mount -t tmpfs tmpfs /run
mkdir -p /run/systemd/journal /run/log/journal
/lib/systemd/systemd-journald >"$2/journald" 2>&1 &
await test -S /run/systemd/journal/socket
ask() { "$1" "$2" --json --state-dir "$3/state"; }
NOTIFY_SOCKET="$2/nobody" "$1" run --log journal --log-level debug --settle 1s --state-dir "$2/state" --config "$2/obituarr.toml" &
daemon=$!
ready() { ask "$1" status "$2" 2>/dev/null | grep -q '"ready": true'; }
await ready "$1" "$2"
rm -r "$2/media/Heat (1995)"
accepted() { ask "$1" deletions "$2" | grep -q '"state": "accepted"'; }
await accepted "$1" "$2"
echo 'nonsense = 1' >"$2/obituarr.toml"
kill -HUP $daemon
failed() { journalctl -D /run/log/journal -o cat OBITUARR_KIND=reload_failed 2>/dev/null | grep -q wrong; }
await failed
kill -TERM $daemon
wait $daemon
journalctl -D /run/log/journal --sync >/dev/null 2>&1 || true
ended() { journalctl -D /run/log/journal -o cat OBITUARR_KIND=stopping 2>/dev/null | grep -q stopping; }
await ended
journalctl -D /run/log/journal -o json --no-pager SYSLOG_IDENTIFIER=obituarr
"#;

/// `None` where a journald of our own can't be had.
fn run(home: &Home) -> Option<Output> {
    let there = |path: &str| std::path::Path::new(path).exists();
    let is_root = rustix::process::geteuid().is_root();
    if !is_root || !there("/lib/systemd/systemd-journald") || !there("/usr/bin/unshare") {
        return None;
    }
    let private = ["--mount", "--propagation", "private", "--pid", "--fork", "--kill-child"];
    let can = Command::new("unshare").args(private).arg("true").status();
    if !can.is_ok_and(|status| status.success()) {
        return None;
    }
    let mut command = Command::new("unshare");
    command.args(private).args(["sh", "-c", SCRIPT, "sh", binary()]).arg(home.path());
    Some(command.env_remove("JOURNAL_STREAM").output().unwrap())
}

#[test]
fn decisions_arrive_in_the_journal_with_their_fields() {
    let mut home = Home::bare();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    make(&home.media(), "Ran (1985)/Ran.mkv");
    home.configure(&format!("[roots.movies]\npath = {:?}\n", home.media()));
    let Some(output) = run(&home) else {
        println!("SKIPPED: the journal; a journald of its own needs root, unshare and journald");
        return;
    };
    let text = String::from_utf8_lossy(&output.stdout);
    let said = String::from_utf8_lossy(&output.stderr);
    let journald = fs::read_to_string(home.path().join("journald")).unwrap_or_default();
    assert!(output.status.success(), "{:?}\n{said}\n{journald}\n{text}", output.status);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let ids: BTreeMap<&str, &str> =
        obituarr::daemon::MESSAGES.iter().map(|message| (message.kind, message.id)).collect();
    let of_kind = |kind: &str| {
        let found = lines.iter().find(|line| line["OBITUARR_KIND"] == kind);
        let line = found.unwrap_or_else(|| panic!("no line of kind {kind}:\n{text}"));
        assert_eq!(line["MESSAGE_ID"], ids[kind], "{line}");
        line
    };

    let confirmed = of_kind("confirmed");
    for (field, value) in [
        ("PRIORITY", "6"),
        ("SYSLOG_IDENTIFIER", "obituarr"),
        ("OBITUARR_ITEM", "film:heat:1995"),
        ("OBITUARR_TITLE", "Heat"),
        ("OBITUARR_SOURCE", "external"),
        ("OBITUARR_CAUSE", "removed"),
        ("OBITUARR_DELETION", "film:heat:1995#1"),
    ] {
        assert_eq!(confirmed[field], value, "{field} of {confirmed}");
    }
    assert!(confirmed["MESSAGE"].as_str().unwrap().contains("Heat (1995)"), "{confirmed}");
    assert!(confirmed["OBITUARR_CANDIDATE"].is_string(), "{confirmed}");
    // What is not apt is not there, and nothing comes under a foreign name.
    assert!(confirmed.get("OBITUARR_ROOT").is_none(), "{confirmed}");
    assert_eq!(of_kind("forwarded")["OBITUARR_TRACKER"], "ledger");
    assert_eq!(of_kind("lost")["OBITUARR_ROOT"], "movies");
    let reload = of_kind("reload_failed");
    assert_eq!(reload["PRIORITY"], "3");
    assert!(reload["OBITUARR_REASON"].as_str().unwrap().contains("nonsense"), "{reload}");
    let adopted = of_kind("adopted");
    assert_eq!(adopted["OBITUARR_ROOT"], "movies");
    assert!(adopted["OBITUARR_REASON"].is_string() && adopted.get("OBITUARR_ITEM").is_none());
    assert_eq!(of_kind("online")["OBITUARR_HEALTH"], "online");
    for kind in ["ready", "stopping"] {
        assert_eq!(of_kind(kind)["PRIORITY"], "6");
    }
    for line in &lines {
        let fields: Vec<&String> = line.as_object().unwrap().keys().collect();
        let is_known = |name: &str| {
            name.starts_with('_')
                || name.starts_with("OBITUARR_")
                || name.starts_with("F_")
                || name.starts_with("SYSLOG_")
                || ["MESSAGE", "MESSAGE_ID", "PRIORITY", "TARGET", "CODE_FILE", "CODE_LINE"]
                    .contains(&name)
        };
        assert!(fields.iter().all(|name| is_known(name)), "{line}");
        // One line of the story, one kind.
        assert_eq!(line.get("OBITUARR_KIND").is_some(), line["TARGET"] == "obituarr::story");
        assert_eq!(line.get("OBITUARR_KIND").is_some(), line.get("MESSAGE_ID").is_some());
    }
    // A field outside the story can't pass for one of it: here of a service manager not there.
    let beside = lines.iter().find(|line| line.get("F_ERROR").is_some());
    assert_eq!(beside.unwrap()["PRIORITY"], "7", "{text}");
    // What each root is comes first.
    let kinds: Vec<&str> = lines.iter().filter_map(|line| line["OBITUARR_KIND"].as_str()).collect();
    let place = |kind: &str| kinds.iter().position(|found| *found == kind);
    assert!(place("adopted") < place("online") && place("online") < place("ready"), "{kinds:?}");
    assert_eq!(kinds.last(), Some(&"stopping"), "{kinds:?}");
    let confirmations = lines.iter().filter(|line| line["OBITUARR_KIND"] == "confirmed").count();
    assert_eq!(confirmations, 1, "one line a decision:\n{text}");
}

/// The log of a daemon that saw one deletion.
fn log(format: &'static str) -> String {
    let mut home = Home::new();
    home.log_format = format;
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.stop(), 0);
    home.log()
}

#[test]
fn a_terminal_gets_the_sentence_alone() {
    let log = log("text");
    assert!(log.contains("Heat (1995) is gone"), "{log}");
    for field in ["obituarr_", "message_id", "confirmed"] {
        assert!(!log.contains(field), "{field} in {log}");
    }
}

#[test]
fn json_gets_the_fields() {
    let log = log("json");
    let mut lines = log.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let confirmed = lines.find(|line| line["obituarr_kind"] == "confirmed").unwrap();
    assert_eq!(confirmed["obituarr_title"], "Heat", "{confirmed}");
    assert_eq!(confirmed["level"], "INFO", "{confirmed}");
    assert_eq!(confirmed["message_id"].as_str().map(str::len), Some(32), "{confirmed}");
    assert!(confirmed.get("obituarr_root").is_none(), "{confirmed}");
}

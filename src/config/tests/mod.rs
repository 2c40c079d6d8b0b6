//! The room as a whole: a text, variables and a command line in, settings or errors out. Here the
//! file; beside it what is laid over it, and what is printed and shipped.

mod layers;
mod printed;
mod services;

use std::path::{Path, PathBuf};
use std::time::Duration;

use super::*;

const ROOT: &str = "roots.a.path = \"/a\"\n";

fn read_all(
    text: &str,
    variables: &[(&str, &str)],
    overrides: &Overrides,
) -> Result<Settings, ConfigError> {
    let variables = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
    parse(text, "f", variables, overrides, Path::new("/home/me"))
}

fn read(text: &str) -> Settings {
    read_all(text, &[], &Overrides::default()).unwrap()
}

fn with_roots(directories: &[&str]) -> Overrides {
    Overrides { roots: directories.iter().map(PathBuf::from).collect(), ..Overrides::default() }
}

/// `text`, below a root that is right, gives exactly this one problem.
#[track_caller]
fn check_error(text: &str, expected: &str) {
    let error = read_all(&format!("{ROOT}{text}"), &[], &Overrides::default()).unwrap_err();
    assert_eq!(error.to_string(), expected, "{text}");
}

#[test]
fn an_unknown_key_is_named_with_its_place_and_what_was_meant() {
    check_error(
        "\n[brake]\n  maxx = 3\n",
        "f:4:3: brake.maxx: unknown key; did you mean `brake.max`? (known keys: floor, max, share, \
         window)",
    );
    check_error(
        "[plex.uhd]\nurl = \"x\"\n",
        "f:2:2: plex: unknown key (known keys: brake, confirm, history, jellyfin, log, paths, pools, \
         radarr, remote, roots, shoko, sonarr, sweep, watch)",
    );
    check_error(
        "[roots.b]\npath = \"/b\"\nextension = []\n",
        "f:4:1: roots.b.extension: unknown key; did you mean `roots.b.extensions`? (known keys: \
         extensions, ignore, marker, path)",
    );
    check_error(
        "[log]\n\"le vel\" = 1\n",
        "f:3:1: log.\"le vel\": unknown key; did you mean `log.level`? (known keys: format, level)",
    );
}

#[test]
fn a_file_from_another_system_reads_the_same() {
    let text = format!("{ROOT}[brake]\nmax = 7\n");
    let foreign = format!("\u{feff}{}", text.replace('\n', "\r\n"));
    assert_eq!(read(&foreign), read(&text));
    let error = read_all(&foreign.replace('7', "0"), &[], &Overrides::default()).unwrap_err();
    assert!(error.to_string().starts_with("f:3:7: brake.max"), "{error}");
}

#[test]
fn a_wrong_type_is_named_with_what_is_expected() {
    let check = |text: &str, expected: &str| check_error(text, &format!("f:2:{expected}"));
    check(
        "watch.quiet = true",
        "15: watch.quiet: expects a duration like \"60s\", not true or false",
    );
    check("brake.max = \"9\"", "13: brake.max: expects a whole number like 25, not a text");
    check("brake.share = [1]", "15: brake.share: expects a share like \"5%\", not a list");
    check("log.level = 3", "13: log.level: expects a text in quotes, not a number");
    check("watch = 5", "9: watch: this is a table, not a number; write [watch]");
    check(
        "watch.ignore = \"x\"",
        "16: watch.ignore: expects a list of texts like [\"a\", \"b\"], not a text",
    );
    check(
        "watch.ignore = [\"x\", 1]",
        "22: watch.ignore: expects a list of texts like [\"a\", \"b\"], not a number in the list",
    );
    check("history = 2024-01-01", "11: history: expects a duration like \"60s\", not a date");
    check("roots.b = \"/b\"", "11: roots.b: this is a table, not a text; write [roots.b]");
}

#[test]
fn a_bad_duration_or_number_is_named_with_its_range() {
    let check = |text: &str, expected: &str| check_error(text, &format!("f:2:{expected}"));
    check(
        "confirm.settle = 60",
        "18: confirm.settle: 60 has no unit; write \"60s\" if seconds are meant",
    );
    check(
        "confirm.settle = \"60\"",
        "18: confirm.settle: 60 has no unit; write \"60s\" if seconds are meant",
    );
    check(
        "confirm.settle = \"soon\\n\"",
        "18: confirm.settle: `soon\\n` is not a duration; write a number with a unit, like \"60s\" \
         or \"6h\"",
    );
    check(
        "confirm.settle = \"500ms\"",
        "18: confirm.settle: 500ms is out of range; write a duration from \"1s\" to \"24h\"",
    );
    check(
        "watch.rescan = \"8d\"",
        "16: watch.rescan: 8d is out of range; write a duration from \"15m\" to \"7d\"",
    );
    check(
        "history = \"11y\"",
        "11: history: 11y is out of range; write a duration from \"24h\" to \"10y\"",
    );
    let range = "is out of range; write a whole number from 1 to 4294967295";
    for number in ["0", "-1", "1.5", "5000000000", "99999999999999999999"] {
        check(&format!("brake.max = {number}"), &format!("13: brake.max: {number} {range}"));
    }
    check("brake.share = 5", "15: brake.share: 5 has no unit; write a share like \"5%\"");
    check(
        "brake.share = \"101%\"",
        "15: brake.share: `101%` is not a share; write a percentage from \"0%\" to \"100%\"",
    );
    check(
        "log.level = \"loud\"",
        "13: log.level: `loud` is not known; write one of: error, warn, info, debug, trace",
    );
}

#[test]
fn every_problem_is_found_in_one_run_and_in_the_order_of_the_file() {
    let text =
        "history = 1\n[roots.a]\npath = \"a\"\n[brake]\nmax = 0\nmix = 0\n[log]\nlevel = 1\n";
    let variables = [("OBITUARR__WATCH__QUIET", "1h")];
    let overrides = Overrides { settle: Some(Duration::ZERO), ..Overrides::default() };
    let error = read_all(text, &variables, &overrides).unwrap_err();
    let keys: Vec<_> = error.problems.iter().filter_map(|p| p.key.as_deref()).collect();
    let expected = [
        "history",
        "roots.a.path",
        "brake.max",
        "brake.mix",
        "log.level",
        "watch.quiet",
        "confirm.settle",
    ];
    assert_eq!(keys, expected, "{error}");
    assert_eq!(error.to_string().lines().count(), 7, "{error}");
}

#[test]
fn a_root_must_be_one_full_plain_path() {
    let check = |path: &str, expected: &str| {
        let error = read_all(&format!("roots.a.path = '{path}'"), &[], &Overrides::default());
        assert_eq!(error.unwrap_err().to_string(), format!("f:1:16: roots.a.path: {expected}"));
    };
    let full = "is not a full path; write it from the `/` on, like /mnt/movies";
    check("movies", &format!("`movies` {full}"));
    check("~/movies", &format!("`~/movies` {full}"));
    check("", &format!("`` {full}"));
    check("/a/../b", "`/a/../b` goes up with `..`; write the directory that is meant");
    check_error(
        "[roots.b]\n",
        "f:2:8: roots.b.path: has no path; add path = \"/mnt/b\" below [roots.b]",
    );
    for (written, path) in [("/a/", "/a"), ("//a//./b/", "/a/b"), ("/", "/")] {
        let settings = read(&format!("roots.a.path = '{written}'"));
        assert_eq!(settings.roots[0].path, Path::new(path));
    }
}

#[test]
fn a_root_needs_a_plain_name() {
    for name in ["Movies", "\"a b\"", "\"a:b\"", "\"\""] {
        let error = read_all(&format!("[roots.{name}]\npath = '/a'"), &[], &Overrides::default());
        let error = error.unwrap_err().to_string();
        assert!(error.starts_with("f:1:8: roots."), "{error}");
        assert!(error.ends_with("not a name for a root; use 1 to 64 of a-z, 0-9, `-` and `_`"));
    }
}

#[test]
fn two_roots_with_one_name_are_refused() {
    let text = "[roots.a]\npath = '/a'\n[roots.a]\npath = '/b'\n";
    let error = read_all(text, &[], &Overrides::default()).unwrap_err();
    let expected = "f:3:8: roots.a: two roots are named `a`; give each root a name of its own";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn roots_that_share_a_directory_are_refused_by_both_names() {
    check_error(
        "roots.b.path = '/a/b'",
        "f:2:16: roots.b.path: `roots.b` lies inside `roots.a` (/a); a root already covers all that \
         is below it, so leave one of the two out",
    );
    check_error(
        "roots.b.path = '/a/'",
        "f:2:16: roots.b.path: `roots.b` is the same directory as `roots.a` (/a); a root already \
         covers all that is below it, so leave one of the two out",
    );
    assert_eq!(read(&format!("{ROOT}roots.b.path = '/ab'")).roots.len(), 2);
}

#[test]
fn a_configuration_without_a_root_says_how_to_add_one() {
    for text in ["", "[roots]", "[watch]"] {
        let error = read_all(text, &[], &Overrides::default()).unwrap_err().to_string();
        assert!(error.ends_with(
            "roots: no root is configured, so there is nothing to watch; add [roots.movies] with \
             path = \"/mnt/movies\" to the file, or start with --root DIR"
        ));
    }
}

#[test]
fn lists_of_extensions_and_rules_are_checked_and_brought_into_one_form() {
    let settings = read(&format!("{ROOT}watch.extensions = ['.MKV', 'mp4', 'mkv']"));
    assert!(settings.watch.extensions.iter().eq(["mkv", "mp4"]));
    assert_eq!(settings.roots[0].extensions, settings.watch.extensions);

    let own = "roots.a.extensions = ['iso']\nroots.a.ignore = []\nroots.a.marker = '.here'";
    let root = read(&format!("{ROOT}{own}")).roots.remove(0);
    assert!(root.extensions.iter().eq(["iso"]));
    assert_eq!((root.ignore, root.marker.as_deref()), (vec![], Some(".here")));

    let check = |text: &str, expected: &str| {
        let error = read_all(&format!("{ROOT}{text}"), &[], &Overrides::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    };
    check("watch.extensions = []", "is empty, so nothing would be media");
    for odd in ["", ".", "tar.gz", "*", "a b", "a/b"] {
        check(&format!("watch.extensions = ['{odd}']"), "is not an extension");
    }
    check("watch.ignore = ['a/b']", "`a/b` has a `/`; ignore rules are names, not paths");
    check("watch.ignore = ['**']", "would ignore everything");
    check("watch.ignore = ['']", "`` is not a name");
    check("roots.a.marker = 'a/b'", "`a/b` is not the name of a file directly below the root");
}

#[test]
fn a_pool_is_a_mount_point_and_the_mount_points_of_its_branches() {
    let pool = "[pools.main]\nmount = '/mnt/pool/'\nbranches = ['/mnt/d1', '/mnt/d2']\n";
    let pools = read(&format!("{ROOT}{pool}")).pools;
    assert_eq!((&*pools[0].name, &*pools[0].mount), ("main", Path::new("/mnt/pool")));
    assert_eq!(pools[0].branches, [Path::new("/mnt/d1"), Path::new("/mnt/d2")]);
    let check = |text: &str, expected: &str| check_error(text, &format!("f:{expected}"));
    check(
        "pools.main.branches = []",
        "2:7: pools.main.mount: has no mount; add mount = \"/mnt/main\" below [pools.main]",
    );
    check(
        "pools.m = { mount = '/p', branches = ['d1'] }",
        "2:39: pools.m.branches: `d1` is not a full path; write it from the `/` on, like /mnt/movies",
    );
    check(
        "pools.m = { mount = '/p', branches = ['/d1', '/d1/'] }",
        "2:46: pools.m.branches: `/d1/` is named twice; once is enough",
    );
    check(
        "pools.m = { mount = '/p', branches = ['/p/d1'] }",
        "2:39: pools.m.branches: `/p/d1` lies in the pool itself; name where the disk is mounted",
    );
    check(
        "pools.m = { mount = '/p' }\npools.n = { mount = '/p' }",
        "3:21: pools.n.mount: is the mount point of `pools.m` too; keep one of the two",
    );
    check(
        "pools.m = { mount = '/p', branch = [] }",
        "2:27: pools.m.branch: unknown key; did you mean `pools.m.branches`? (known keys: branches, \
         mount)",
    );
    check(
        "pools.M.mount = '/p'",
        "2:7: pools.M: not a name for a pool; use 1 to 64 of a-z, 0-9, `-` \
         and `_`",
    );
}

#[test]
fn a_short_settle_is_warned_of_and_not_refused() {
    let check = |settle: &str, warnings: usize| {
        let settings = read(&format!("{ROOT}confirm.settle = '{settle}'"));
        assert_eq!(settings.warnings.len(), warnings, "{settle}");
    };
    check("1s", 1);
    check("29s", 1);
    check("30s", 0);
    let overrides = Overrides { settle: Some(Duration::from_secs(1)), ..Overrides::default() };
    let settings = read_all(ROOT, &[], &overrides).unwrap();
    assert!(settings.warnings[0].starts_with("confirm.settle is 1s, under 30s:"));
    let hasty = read(&format!("{ROOT}[remote]\nconfirm = \"9m\"\n"));
    assert!(hasty.warnings[0].starts_with("remote.confirm is 9m, under 10m:"));
}

#[test]
fn the_defaults_are_those_that_the_design_promises() {
    let settings = read(ROOT);
    assert_eq!(settings.confirm.settle, Duration::from_secs(60));
    assert_eq!(settings.watch.rescan, Duration::from_hours(6));
    assert_eq!(settings.remote.confirm, Duration::from_hours(1));
    assert_eq!((settings.brake.max, settings.brake.floor), (25, 3));
    assert_eq!(settings.history, Duration::from_hours(90 * 24));
    assert!(settings.warnings.is_empty());
    for rule in &settings.watch.ignore {
        assert!(!rule.contains('/') && rule != "*", "{rule}");
    }
}

//! What the environment and the command line lay over the file.

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;

use super::*;

fn with_variables(text: &str, variables: &[(&str, &str)]) -> Settings {
    read_all(text, variables, &Overrides::default()).unwrap()
}

/// The variable `name` gives exactly this one problem.
#[track_caller]
fn check_variable(text: &str, name: &str, value: &str, expected: &str) {
    let error = read_all(text, &[(name, value)], &Overrides::default()).unwrap_err();
    assert_eq!(error.to_string(), expected, "{name}={value}");
}

#[test]
fn the_environment_reaches_every_key_and_wins_over_the_file() {
    let text = format!("{ROOT}[watch]\nquiet = '1s'\n[roots.tv-4k]\npath = '/tv'");
    let variables = [
        ("OBITUARR__WATCH__QUIET", "2s"),
        ("OBITUARR__WATCH__EXTENSIONS", "[\"mkv\"]"),
        ("OBITUARR__BRAKE__MAX", "30"),
        ("OBITUARR__BRAKE__SHARE", "7%"),
        ("OBITUARR__HISTORY", "\"30d\""),
        ("OBITUARR__ROOTS__TV_4K__PATH", "/tv2"),
        ("OBITUARR__ROOTS__NEW__PATH", "/new"),
        ("OBITUARR__ROOTS__NEW__MARKER", "2024"),
        ("OBITUARR__ROOTS__A", "{ path = \"/other\" }"),
        ("OBITUARR_OTHER", "not ours"),
        ("PATH", "/bin"),
    ];
    let settings = with_variables(&text, &variables);
    assert_eq!(settings.watch.quiet, Duration::from_secs(2));
    assert!(settings.watch.extensions.iter().eq(["mkv"]));
    assert_eq!((settings.brake.max, settings.brake.share), (30, Share::percent(7)));
    assert_eq!(settings.history, Duration::from_hours(30 * 24));
    let roots: Vec<_> =
        settings.roots.iter().map(|r| (r.name.as_str(), r.path.as_path())).collect();
    let expected = [("a", "/other"), ("new", "/new"), ("tv-4k", "/tv2")];
    assert_eq!(roots, expected.map(|(name, path)| (name, Path::new(path))));
    // A number is a text where a text is expected.
    assert_eq!(settings.roots[1].marker.as_deref(), Some("2024"));
}

#[test]
fn a_wrong_variable_is_named() {
    check_variable(
        ROOT,
        "OBITUARR__BRAKE__MAXX",
        "1",
        "OBITUARR__BRAKE__MAXX: brake.maxx: unknown key; did you mean `brake.max`? (known keys: \
         floor, max, share, window)",
    );
    check_variable(
        ROOT,
        "OBITUARR__CONFIRM__SETTLE",
        "60",
        "OBITUARR__CONFIRM__SETTLE: confirm.settle: 60 has no unit; write \"60s\" if seconds are \
         meant",
    );
    check_variable(
        "[roots.a-b]\npath = '/1'\n[roots.a_b]\npath = '/2'\n[roots.x-y_z]\npath = '/3'\n\
         [roots.x_y-z]\npath = '/4'",
        "OBITUARR__ROOTS__X_Y_Z__MARKER",
        "m",
        "OBITUARR__ROOTS__X_Y_Z__MARKER: `x_y_z` may stand for `x-y_z` or for `x_y-z`; set the key \
         in the file",
    );
    check_variable(
        ROOT,
        "OBITUARR__ROOTS__A__PATH__X",
        "m",
        "OBITUARR__ROOTS__A__PATH__X: `path` is not a table but a text at f:1:16; remove one of them",
    );
    for name in ["OBITUARR__", "OBITUARR__WATCH__", "OBITUARR____QUIET"] {
        let expected = format!("{name}: names no key; write one like OBITUARR__WATCH__QUIET");
        check_variable(ROOT, name, "1s", &expected);
    }
    let twice = [("OBITUARR__WATCH__QUIET", "1s"), ("OBITUARR__watch__quiet", "2s")];
    let error = read_all(ROOT, &twice, &Overrides::default()).unwrap_err().to_string();
    assert!(error.contains("sets the same key as OBITUARR__WATCH__QUIET"), "{error}");
    let odd = [(OsString::from("OBITUARR__HISTORY"), OsString::from_vec(vec![0xff]))];
    let error = parse(ROOT, "f", odd, &Overrides::default(), Path::new("/")).unwrap_err();
    assert!(error.to_string().starts_with("OBITUARR__HISTORY: the variable is not UTF-8"));
}

#[test]
fn the_value_of_an_unknown_variable_is_not_shown() {
    let variables = [("OBITUARR__PLEX__UHD__API_KEY", "hunter2")];
    let error = read_all(ROOT, &variables, &Overrides::default()).unwrap_err();
    assert!(error.to_string().starts_with("OBITUARR__PLEX__UHD__API_KEY: plex: unknown key"));
    assert!(!format!("{error} {error:?}").contains("hunter2"), "{error:?}");
}

#[test]
fn roots_of_the_command_line_take_the_place_of_those_in_the_file() {
    let check = |directories: &[&str], expected: &[(&str, &str)]| {
        let settings = read_all(ROOT, &[], &with_roots(directories)).unwrap();
        let found: Vec<_> = settings
            .roots
            .iter()
            .map(|root| (root.name.as_str(), root.path.to_str().unwrap()))
            .collect();
        assert_eq!(found, expected);
    };
    check(&["/mnt/Movies (4K)"], &[("movies-4k", "/mnt/Movies (4K)")]);
    check(&["/x/tv", "/y/TV", "/z/tv"], &[("tv", "/x/tv"), ("tv-2", "/y/TV"), ("tv-3", "/z/tv")]);
    check(&["films/"], &[("films", "/home/me/films")]);
    check(&["."], &[("me", "/home/me")]);
    check(&["../you/../films"], &[("films", "/home/films")]);
    check(&["/"], &[("root", "/")]);
    check(&["/日本"], &[("root", "/日本")]);
    let long = format!("/{}", "a".repeat(200));
    check(&[&long], &[(&"a".repeat(56), &long)]);
}

#[test]
fn roots_of_the_command_line_must_not_share_a_directory_either() {
    let error = read_all("", &[], &with_roots(&["/a", "/a/b"])).unwrap_err();
    let expected = "--root /a/b: `--root /a/b` lies inside `--root /a` (/a); a root already covers \
                    all that is below it, so leave one of the two out";
    assert_eq!(error.to_string(), expected);
}

#[test]
fn a_mistake_in_a_root_of_the_file_is_one_even_where_the_command_line_replaces_it() {
    let error = read_all("roots.a.path = 'x'", &[], &with_roots(&["/b"])).unwrap_err();
    assert!(error.to_string().starts_with("f:1:16: roots.a.path"), "{error}");
}

#[test]
fn the_rest_of_the_command_line_wins_over_file_and_environment() {
    let overrides = Overrides {
        settle: Some(Duration::from_secs(45)),
        log_format: Some(LogFormat::Json),
        log_level: Some(LogLevel::Debug),
        roots: Vec::new(),
    };
    let text = format!("{ROOT}log.level = 'error'\nconfirm.settle = '2m'");
    let settings = read_all(&text, &[("OBITUARR__CONFIRM__SETTLE", "3m")], &overrides).unwrap();
    assert_eq!(settings.confirm.settle, Duration::from_secs(45));
    assert_eq!(settings.log, LogSettings { level: LogLevel::Debug, format: LogFormat::Json });

    let overrides = Overrides { settle: Some(Duration::from_millis(10)), ..Overrides::default() };
    let error = read_all(ROOT, &[], &overrides).unwrap_err().to_string();
    let expected = "--settle 10ms: confirm.settle: 10ms is out of range; write a duration from \
                    \"1s\" to \"24h\"";
    assert_eq!(error, expected);
}

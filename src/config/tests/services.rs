//! Instances of services, and where their paths lie here.

use super::*;
use crate::domain::{Instance, Service, ServicePath};

const UHD: &str = "[radarr.uhd]\nurl = 'http://nas:7878/uhd/'\napi_key = 'hunter2'\n";

fn radarr(keys: &str) -> Settings {
    read(&format!("{ROOT}{UHD}{keys}"))
}

#[test]
fn an_instance_needs_an_address_and_a_key_and_has_defaults_for_the_rest() {
    let settings = radarr("");
    let [service] = &*settings.services else { panic!("one service") };
    assert_eq!(service.instance, Instance { service: Service::Radarr, name: "uhd".into() });
    assert_eq!(service.url, "http://nas:7878/uhd");
    assert_eq!((service.timeout, service.ca.as_ref()), (Duration::from_secs(30), None));
    assert!(service.paths.is_empty() && settings.warnings.is_empty());
    assert_eq!(settings.sweep.interval, Duration::from_hours(6));
    assert_eq!(settings.confirm.refresh, [Service::Radarr, Service::Sonarr]);
    assert_eq!(settings.confirm.unlisted, Unlisted::List);
    check_error(
        "[shoko.a]\n",
        "f:2:8: shoko.a.api_key: is missing; add api_key = { file = \"/etc/obituarr/key\" } below \
         [shoko.a]\nf:2:8: shoko.a.url: is missing; add url = \"http://localhost:8080\" below \
         [shoko.a]",
    );
    check_error(
        &format!("{UHD}key = 1"),
        "f:5:1: radarr.uhd.key: unknown key (known keys: api_key, ca, paths, timeout, url)",
    );
    check_error(
        "sonarr.A = { url = 'http://a', api_key = 'a' }",
        "f:2:8: sonarr.A: not a name for an instance; use 1 to 64 of a-z, 0-9, `-` and `_`",
    );
    check_error(
        &format!("{UHD}[radarr.hd]\nurl = 'http://NAS:7878/uhd'\napi_key = 'a'"),
        "f:2:9: radarr.uhd.url: is the address of `radarr.hd` too; keep one of the two",
    );
    check_error(
        &format!("{UHD}timeout = '10m'"),
        "f:5:11: radarr.uhd.timeout: 10m is out of range; write a duration from \"1s\" to \"5m\"",
    );
    check_error(
        &format!("{UHD}ca = 'ca.pem'"),
        "f:5:6: radarr.uhd.ca: `ca.pem` is not a full path; write it from the `/` on, like \
         /mnt/movies",
    );
}

#[test]
fn an_address_is_http_up_to_the_path_and_never_quoted() {
    let read = |url: &str| {
        let text = format!("{ROOT}[radarr.uhd]\nurl = '{url}'\napi_key = 'a'");
        read_all(&text, &[], &Overrides::default())
    };
    for (written, url) in [
        ("https://nas", "https://nas"),
        ("HTTP://nas:80/a/b//", "http://nas/a/b"),
        ("http://[::1]:7878", "http://[::1]:7878"),
    ] {
        assert_eq!(read(written).unwrap().services[0].url, url);
    }
    for (written, why) in [
        ("nas:7878", "is not an address; write it from http://"),
        ("ftp://nas", "is not an address; write it from http://"),
        ("http://", "is not an address that can be read"),
        ("http://nas:hunter2", "is not an address that can be read"),
        ("http://me:hunter2@nas", "has a user or a password in it"),
        ("http://hunter2@nas", "has a user or a password in it"),
        ("http://nas/?apikey=hunter2", "has a `?` or a `#` in it"),
        ("http://nas/#hunter2", "has a `?` or a `#` in it"),
        ("http://nas/ hunter2", "has a space"),
        ("http:\\\\nas", "is not an address; write it from http://"),
        ("http://nas\\hunter2", "has a space, a control character or a `\\`"),
    ] {
        let error = read(written).unwrap_err().to_string();
        assert!(error.starts_with(&format!("f:3:7: radarr.uhd.url: {why}")), "{written}: {error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
}

#[test]
fn a_key_has_the_forms_of_a_secret_from_file_and_environment() {
    let key = |variables: &[(&str, &str)], written: &str| {
        let text = format!("{ROOT}[radarr.uhd]\nurl = 'http://nas'\n{written}");
        let settings = read_all(&text, variables, &Overrides::default());
        settings.map(|mut settings| settings.services.remove(0).key)
    };
    let text = |text: &str| SecretSource::Text(crate::domain::Secret::new(text.to_owned()));
    let variable = "OBITUARR__RADARR__UHD__API_KEY";
    assert_eq!(key(&[], "api_key = 'abc'").unwrap(), text("abc"));
    assert_eq!(key(&[], "api_key = { env = 'X' }").unwrap(), SecretSource::Env("X".into()));
    assert_eq!(key(&[(variable, "0123")], "api_key = 'abc'").unwrap(), text("0123"));
    assert_eq!(key(&[(variable, "1e5")], "").unwrap(), text("1e5"));
    let file = || SecretSource::File("/key".into());
    assert_eq!(key(&[(variable, "{ file = '/key' }")], "").unwrap(), file());
    assert_eq!(key(&[(&format!("{variable}__FILE"), "/key")], "").unwrap(), file());
    for wrong in ["5", "[]", "{}", "{ pass = 'hunter2' }", "{ env = 'A', file = '/hunter2' }"] {
        let error = key(&[], &format!("api_key = {wrong}")).unwrap_err().to_string();
        assert!(error.starts_with("f:4:11: radarr.uhd.api_key: not a secret; write"), "{error}");
        assert!(!error.contains("hunter2"), "{error}");
    }
    let error = key(&[], "api_key = ' '").unwrap_err().to_string();
    assert!(error.ends_with("radarr.uhd.api_key: is empty; write the key of this instance"));
}

#[test]
fn a_whole_instance_can_come_from_the_environment() {
    let variables = [
        ("OBITUARR__JELLYFIN__HOME__URL", "http://jf"),
        ("OBITUARR__JELLYFIN__HOME__API_KEY", "hunter2"),
        ("OBITUARR__JELLYFIN__HOME__PATHS", "{ \"/media\" = \"/a/media\" }"),
        ("OBITUARR__PATHS", "{ \"/x\" = \"/a\" }"),
        ("OBITUARR__SWEEP__INTERVAL", "15m"),
        ("OBITUARR__CONFIRM__REFRESH", "[]"),
        ("OBITUARR__CONFIRM__UNLISTED", "list"),
    ];
    let settings = read_all(ROOT, &variables, &Overrides::default()).unwrap();
    let service = &settings.services[0];
    assert_eq!(service.instance.to_string(), "jellyfin.home");
    assert_eq!(service.paths, [(ServicePath("/media".into()), "/a/media".into())]);
    assert_eq!(settings.paths, [(ServicePath("/x".into()), "/a".into())]);
    assert_eq!(settings.sweep.interval, Duration::from_mins(15));
    assert!(settings.confirm.refresh.is_empty());
    assert!(!format!("{settings:?}").contains("hunter2"), "{settings:?}");
}

#[test]
fn a_pair_is_a_full_path_of_the_service_and_one_of_this_machine() {
    let settings = radarr("paths = { 'D:\\Films' = '/a/d/', \"/movies\" = '/a' }\n[paths]\n");
    let pairs = [("/movies", "/a"), ("D:\\Films", "/a/d")];
    let pairs = pairs.map(|(left, right)| (ServicePath(left.into()), PathBuf::from(right)));
    assert_eq!(settings.services[0].paths, pairs);
    let check = |paths: &str, expected: &str| {
        check_error(&format!("[paths]\n{paths}"), &format!("f:{expected}"));
    };
    let full = "is not a full path of the service; write one like \"/movies\" or 'D:\\Films', \
                without `..`";
    check("movies = '/a'", &format!("3:1: paths.movies: {full}"));
    check("'/a/../b' = '/a'", &format!("3:1: paths.\"/a/../b\": {full}"));
    check(
        "'/a' = 'b'",
        "3:8: paths.\"/a\": `b` is not a full path; write it from the `/` on, like /mnt/movies",
    );
    check(
        "'/a' = 5",
        "3:8: paths.\"/a\": expects a directory of this machine in quotes, not a number",
    );
    check(
        "'/m' = '/a'\n'/m/' = '/a'",
        "4:1: paths.\"/m/\": is the same folder as `/m`; keep one of the two",
    );
    check_error(
        &format!("{UHD}paths = {{ '/a' = 'b' }}"),
        "f:5:18: radarr.uhd.paths.\"/a\": `b` is not a full path; write it from the `/` on, like \
         /mnt/movies",
    );
}

#[test]
fn what_can_not_be_meant_is_warned_of() {
    let warnings = |text: &str| read(&format!("{ROOT}{text}")).warnings;
    let beside = warnings(&format!("{UHD}paths = {{ '/movies' = '/b' }}"));
    assert!(beside[0].starts_with("radarr.uhd.paths.\"/movies\": /b lies below no root"));
    assert_eq!(beside.len(), 1);
    assert_eq!(warnings("[paths]\n'/x' = '/b'").len(), 1);
    assert_eq!(warnings("[paths]\n'/x' = '/'\n'/y' = '/a/b'"), Vec::<String>::new());
    let forward = "[confirm]\nunlisted = 'forward'\n";
    assert!(warnings(forward)[0].contains("two kinds of service, and none is configured"));
    assert!(warnings(&format!("{forward}{UHD}"))[0].contains("and only one is configured"));
    let sonarr = "[sonarr.a]\nurl = 'http://a'\napi_key = 'a'";
    assert!(warnings(&format!("{forward}{UHD}{sonarr}")).is_empty());
}

#[test]
fn only_what_can_look_at_one_title_is_asked_to_refresh() {
    let both = read(&format!("{ROOT}confirm.refresh = ['sonarr', 'radarr', 'sonarr']"));
    assert_eq!(both.confirm.refresh, [Service::Radarr, Service::Sonarr]);
    check_error(
        "confirm.refresh = ['shoko']",
        "f:2:20: confirm.refresh: `shoko` can't be asked to look again at a single title; write \
         some of \"radarr\" and \"sonarr\", or [] to ask none",
    );
    check_error(
        "sweep.interval = '1m'",
        "f:2:18: sweep.interval: 60s is out of range; write a duration from \"15m\" to \"7d\"",
    );
    check_error(
        "confirm.unlisted = 'delete'",
        "f:2:20: confirm.unlisted: `delete` is not known; write one of: list, forward",
    );
}

#[test]
fn a_key_that_can_not_be_had_is_named_by_its_instance() {
    let text = format!(
        "{ROOT}{UHD}[sonarr.a]\nurl = 'http://a'\napi_key = {{ env = 'KEY' }}\n[shoko.b]\n\
         url = 'http://b'\napi_key = {{ file = '/nowhere/key' }}"
    );
    let services = read(&text).services;
    let error = keys(&services, |_| None).unwrap_err().to_string();
    let expected = "sonarr.a.api_key: the environment variable KEY holds no secret; set it\n\
                    shoko.b.api_key: can't read the secret from /nowhere/key: No such file";
    assert!(error.starts_with(expected), "{error}");
    let keys = keys(&services[..2], |_| Some("s3cret".into())).unwrap();
    let found: Vec<_> = keys.iter().map(|(i, key)| (i.to_string(), key.expose())).collect();
    assert_eq!(found, [("radarr.uhd".into(), "hunter2"), ("sonarr.a".into(), "s3cret")]);
}

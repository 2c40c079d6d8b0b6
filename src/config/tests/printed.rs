//! The file that ships, and the one that is printed.

use proptest::prelude::*;

use super::*;
use crate::domain::{Instance, RootName, Secret, Service, ServicePath};

const EXAMPLE: &str = include_str!("../../../config/obituarr.toml");

/// The example with the `#` in front of its keys and tables taken away.
fn uncommented() -> String {
    let mut is_list = false;
    let mut text = String::new();
    for line in EXAMPLE.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        let is_key =
            bare.starts_with(|c: char| c.is_ascii_lowercase() || matches!(c, '[' | '"') || is_list);
        is_list = is_key && (is_list || bare.ends_with('[')) && bare != "]";
        text.push_str(if is_key || bare == "]" { bare } else { line });
        text.push('\n');
    }
    text
}

#[test]
fn the_example_as_it_ships_lacks_nothing_but_a_root() {
    let error = read_all(EXAMPLE, &[], &Overrides::default()).unwrap_err();
    assert_eq!(error.problems.len(), 1, "{error}");
    assert_eq!(error.problems[0].key.as_deref(), Some("roots"));
    let plain = read_all("", &[], &with_roots(&["/a"])).unwrap();
    assert_eq!(read_all(EXAMPLE, &[], &with_roots(&["/a"])).unwrap(), plain);
}

#[test]
fn each_value_in_the_example_is_the_default() {
    let plain = read_all("", &[], &with_roots(&["/a"])).unwrap();
    let mut example = read_all(&uncommented(), &[], &with_roots(&["/a"])).unwrap();
    assert_eq!(example.pools.len(), 1, "an example as the roots are");
    example.pools.clear();
    assert_eq!(example.services.len(), 4, "one of each");
    example.services.clear();
    assert_eq!(example.paths.len(), 1);
    example.paths.clear();
    // The example's paths lie in the example's roots.
    example.warnings.clear();
    assert_eq!(example, plain);
    let whole = read(&uncommented());
    assert_eq!((whole.roots.len(), whole.warnings), (2, vec![]));
}

#[test]
fn the_example_mentions_every_key() {
    let own = RootSettings {
        name: RootName::parse("movies").unwrap(),
        path: "/a".into(),
        extensions: ["own".to_owned()].into(),
        ignore: vec!["own".to_owned()],
        marker: Some("own".to_owned()),
    };
    let pool = PoolSettings { name: "main".into(), mount: "/p".into(), branches: vec![] };
    let pair = || vec![(ServicePath("/b".to_owned()), "/a/b".into())];
    let service = |service| ServiceSettings {
        instance: Instance { service, name: "main".into() },
        url: "http://localhost".into(),
        key: SecretSource::Text(Secret::new("hunter2".into())),
        ca: Some("/ca.pem".into()),
        timeout: Duration::from_secs(1),
        paths: pair(),
    };
    let services = [Service::Radarr, Service::Sonarr, Service::Jellyfin, Service::Shoko];
    let settings = Settings {
        roots: vec![own],
        pools: vec![pool],
        services: services.map(service).to_vec(),
        paths: pair(),
        ..read(ROOT)
    };
    let mut missing = Vec::new();
    let example: toml::Table = uncommented().parse().unwrap();
    let printed: toml::Table = print(&settings).parse().unwrap();
    // What one root of the example leaves out, the other one shows.
    let roots = |table: &toml::Table| -> Vec<String> {
        let roots = table["roots"].as_table().unwrap();
        roots.values().flat_map(|root| root.as_table().unwrap().keys().cloned()).collect()
    };
    missing.extend(roots(&printed).into_iter().filter(|key| !roots(&example).contains(key)));
    for (key, value) in &printed {
        let Some(table) = value.as_table().filter(|_| key != "roots") else {
            missing.extend((!example.contains_key(key)).then(|| key.clone()));
            continue;
        };
        let shown = example[key].as_table().unwrap();
        if key == "paths" {
            continue;
        }
        if ["radarr", "sonarr", "jellyfin", "shoko"].contains(&key.as_str()) {
            // All services have the same keys, which the first one shows.
            let first = example["radarr"].as_table().unwrap().values().next().unwrap();
            let keys = table["main"].as_table().unwrap().keys();
            missing.extend(keys.filter(|k| !first.as_table().unwrap().contains_key(*k)).cloned());
            continue;
        }
        missing.extend(table.keys().filter(|k| !shown.contains_key(*k)).cloned());
    }
    let pool = |table: &toml::Table| table["pools"]["main"].as_table().unwrap().clone();
    missing.extend(pool(&printed).keys().filter(|k| !pool(&example).contains_key(*k)).cloned());
    assert!(missing.is_empty(), "not in config/obituarr.toml: {missing:?}");
}

fn some_root() -> impl Strategy<Value = String> {
    let name = "[a-z0-9_-]{1,8}";
    let list = prop::collection::vec("[a-z0-9-]{1,5}", 1..4);
    let rules = prop::collection::vec("[^/\\x00*.]{1,6}\\*?", 0..3);
    (name, "/[^\\x00-\\x1f\\x7f-\\x9f/.]{1,8}", prop::option::of(list), prop::option::of(rules))
        .prop_map(|(name, path, extensions, ignore)| {
            let quote = |text: &String| toml::Value::String(text.clone()).to_string();
            let mut text = format!("[roots.{name}]\npath = {}\n", quote(&path));
            for (key, list) in [("extensions", extensions), ("ignore", ignore)] {
                let Some(list) = list else { continue };
                let list: Vec<_> = list.iter().map(quote).collect();
                text.push_str(&format!("{key} = [{}]\n", list.join(", ")));
            }
            text
        })
}

proptest! {
    #[test]
    fn what_is_printed_reads_back_to_the_same_settings(
        root in some_root(),
        settle in 1_000_u64..86_400_000,
        rescan in 900_u64..604_800,
        window in 60_u64..=86_400,
        max in 1_u32..,
        floor in any::<u32>(),
        hundredths in 0_u32..=10_000,
        level in prop::sample::select(vec!["error", "warn", "info", "debug", "trace"]),
        extensions in prop::collection::vec("[a-z0-9-]{1,5}", 1..4),
    ) {
        let text = format!(
            "confirm.settle = '{settle}ms'\nwatch.rescan = '{rescan}s'\nwatch.extensions = {extensions:?}\n\
             brake = {{ window = '{window}s', max = {max}, floor = {floor}, share = '{}.{:02}%' }}\n\
             log.level = '{level}'\n{root}",
            hundredths / 100,
            hundredths % 100,
        );
        let settings = read(&text);
        let printed = print(&settings);
        prop_assert_eq!(read(&printed), settings, "{}", printed);
    }

    #[test]
    fn a_service_that_is_printed_reads_back_and_its_key_is_not_shown(
        path in "(/|D:/|//nas/x)[^\\x00-\\x1f\\x7f-\\x9f/.]{1,8}",
        port in 1_u16..,
        timeout in 1_u64..=300,
        refresh in prop::sample::subsequence(vec!["radarr", "sonarr"], 0..=2),
    ) {
        let path = format!("\"{}\"", path.replace('\\', "\\\\").replace('"', "\\\""));
        let text = format!(
            "{ROOT}[sonarr.b]\nurl = 'http://nas:{port}/x/'\napi_key = 'hunter2'\n\
             timeout = '{timeout}s'\nca = '/ca'\npaths = {{ {path} = '/a/b' }}\n\
             [shoko.c]\nurl = 'https://nas'\napi_key = {{ file = '/key' }}\n\
             [paths]\n{path} = '/a/c'\n[confirm]\nrefresh = {refresh:?}\nunlisted = 'forward'",
        );
        let mut settings = read(&text);
        let printed = print(&settings);
        prop_assert!(!printed.contains("hunter2"));
        settings.services[0].key = SecretSource::Text(Secret::new("[redacted]".to_owned()));
        prop_assert_eq!(read(&printed), settings, "{}", printed);
    }

    #[test]
    fn no_text_and_no_variable_makes_it_panic(
        text in "(\\[|\\]|=|\"|'|\\.|#|\n| |roots|watch|a|é|1|\\{|\\}|,){0,40}",
        name in "(__|_|A|ROOTS|WATCH|QUIET|-){0,6}",
        value in "\\PC{0,20}",
    ) {
        let name = format!("OBITUARR__{name}");
        match read_all(&text, &[(&name, &value)], &with_roots(&["/a"])) {
            Ok(settings) => prop_assert_eq!(settings.roots.len(), 1),
            Err(error) => prop_assert_eq!(error.to_string().lines().count(), error.problems.len()),
        }
    }
}

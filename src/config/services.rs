//! Reads the instances of the services, and where their paths lie here.
//!
//! Must never ask a service anything, nor quote an address that was not understood: people write
//! keys and passwords into addresses.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use url::Url;

use super::file::{Entry, Value};
use super::problem::Problems;
use super::roots::full;
use super::secret::{SecretError, SecretSource};
use super::section::{Section, dotted};
use super::settings::{ConfirmSettings, RootSettings, ServiceSettings, Unlisted};
use super::value::Range;
use crate::domain::{Instance, RootName, Secret, Service, ServicePath, shown};

/// Less fails on a disk that has to spin up; more blocks a probe.
const TIMEOUT: Range = Range::new(Duration::from_secs(1), Duration::from_mins(5));

/// The services and the tables of their instances.
const TABLES: [(Service, &str); 4] = [
    (Service::Radarr, "radarr"),
    (Service::Sonarr, "sonarr"),
    (Service::Jellyfin, "jellyfin"),
    (Service::Shoko, "shoko"),
];

/// Reads the instances of all services.
pub(super) fn read(top: &mut Section<'_>) -> Vec<ServiceSettings> {
    let mut services = Vec::new();
    for (service, table) in TABLES {
        let (entries, problems) = top.section(table).named();
        let mut addresses: BTreeMap<String, String> = BTreeMap::new();
        for (name, entry) in entries {
            let key = dotted(table, &name);
            let place = entry.key_place.clone();
            let Some(one) = one(service, &name, &key, entry, problems) else { continue };
            if let Some(other) = addresses.insert(one.url.clone(), key.clone()) {
                let message = format!("is the address of `{other}` too; keep one of the two");
                problems.add(&place, dotted(&key, "url"), message);
            }
            services.push(one);
        }
    }
    services
}

fn one(
    service: Service,
    name: &str,
    key: &str,
    entry: Entry,
    problems: &mut Problems,
) -> Option<ServiceSettings> {
    let place = entry.key_place.clone();
    if RootName::parse(name).is_err() || name.contains(':') {
        let message = "not a name for an instance; use 1 to 64 of a-z, 0-9, `-` and `_`".to_owned();
        problems.add(&place, key.to_owned(), message);
    }
    let mut section = Section::of(Some(entry), key.to_owned(), place.clone(), problems);
    for (known, example) in
        [("url", "\"http://localhost:8080\""), ("api_key", "{ file = \"/etc/obituarr/key\" }")]
    {
        if !section.has(known) {
            let message = format!("is missing; add {known} = {example} below [{key}]");
            section.problem(&place, known, message);
        }
    }
    let url = url(&mut section);
    let secret = section.secret("api_key");
    if secret.as_ref().is_some_and(is_empty) {
        section.problem(&place, "api_key", "is empty; write the key of this instance".to_owned());
    }
    let ca = section.text("ca").and_then(|(place, text)| full(&mut section, &place, "ca", &text));
    let timeout = section.duration("timeout", TIMEOUT, ServiceSettings::TIMEOUT);
    let paths = paths(section.section("paths"));
    section.finish();
    let instance = Instance { service, name: name.to_owned() };
    Some(ServiceSettings { instance, url: url?, key: secret?, ca, timeout, paths })
}

fn is_empty(source: &SecretSource) -> bool {
    matches!(source, SecretSource::Text(secret) if secret.expose().trim().is_empty())
}

fn url(section: &mut Section<'_>) -> Option<String> {
    let (place, text) = section.text("url")?;
    let lower = text.to_ascii_lowercase();
    let wrong = if !lower.starts_with("http://") && !lower.starts_with("https://") {
        "is not an address; write it from http:// or https:// on, like \"http://nas:7878\""
    } else if text.contains(|c: char| c.is_whitespace() || c.is_control() || c == '\\') {
        "has a space, a control character or a `\\`; leave it out"
    } else {
        match Url::parse(&text) {
            Err(_) => "is not an address that can be read; write one like \"http://nas:7878\"",
            Ok(url) if !url.username().is_empty() || url.password().is_some() => {
                "has a user or a password in it; leave it out: the instance is asked with api_key"
            }
            Ok(url) if url.query().is_some() || url.fragment().is_some() => {
                "has a `?` or a `#` in it; write only the address up to the path, and the key as \
                 api_key"
            }
            Ok(url) => return Some(url.as_str().trim_end_matches('/').to_owned()),
        }
    };
    section.problem(&place, "url", wrong.to_owned());
    None
}

/// Reads a table of pairs: a service's folder, and the directory that it is here.
pub(super) fn paths(section: Section<'_>) -> Vec<(ServicePath, PathBuf)> {
    let name = section.name().to_owned();
    let (entries, problems) = section.named();
    let mut pairs = Vec::with_capacity(entries.len());
    let mut seen = BTreeMap::new();
    for (theirs, entry) in entries {
        let (place, key) = (entry.key_place.clone(), dotted(&name, &theirs));
        let path = ServicePath(theirs.clone());
        let Some(parts) = path.parts().filter(|_| !theirs.contains(char::is_control)) else {
            let message = "is not a full path of the service; write one like \"/movies\" or \
                           'D:\\Films', without `..`";
            problems.add(&place, key, message.to_owned());
            continue;
        };
        if let Some(other) = seen.insert(parts, theirs.clone()) {
            let other = shown(other.as_bytes());
            let message = format!("is the same folder as `{other}`; keep one of the two");
            problems.add(&place, key, message);
            continue;
        }
        let (place, Value::Text(text)) = (&entry.place, &entry.value) else {
            let kind = entry.value.kind();
            let message = format!("expects a directory of this machine in quotes, not {kind}");
            problems.add(&entry.place, key, message);
            continue;
        };
        let mut alone = Section::of(None, name.clone(), place.clone(), problems);
        if let Some(here) = full(&mut alone, place, &theirs, text) {
            pairs.push((path, here));
        }
    }
    pairs
}

/// What is allowed but can't be meant.
pub(super) fn warnings(
    services: &[ServiceSettings],
    global: &[(ServicePath, PathBuf)],
    roots: &[RootSettings],
    confirm: &ConfirmSettings,
) -> Vec<String> {
    let mut warnings = Vec::new();
    let of_services = services.iter().flat_map(|service| {
        let table = format!("{}.paths", service.instance);
        service.paths.iter().map(move |pair| (table.clone(), pair))
    });
    for (table, (theirs, here)) in
        of_services.chain(global.iter().map(|pair| ("paths".to_owned(), pair)))
    {
        if !touches_a_root(here, roots) {
            warnings.push(format!(
                "{}: {} lies below no root and holds none, so nothing there can be looked at; \
                 correct it, or add a root that covers it",
                dotted(&table, &theirs.0),
                here.display(),
            ));
        }
    }
    let mut kinds: Vec<Service> = services.iter().map(|s| s.instance.service).collect();
    kinds.dedup();
    if confirm.unlisted == Unlisted::Forward && kinds.len() < 2 {
        warnings.push(format!(
            "confirm.unlisted is \"forward\", which takes two kinds of service, and {} configured: \
             nothing is forwarded by it",
            if kinds.is_empty() { "none is" } else { "only one is" },
        ));
    }
    warnings
}

fn touches_a_root(path: &Path, roots: &[RootSettings]) -> bool {
    roots.iter().any(|root| path.starts_with(&root.path) || root.path.starts_with(path))
}

/// The keys of instances that can't be had, each named by its place in the configuration.
#[derive(Debug, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct KeyError {
    /// The instances and why; never empty.
    pub problems: Vec<(Instance, SecretError)>,
}

fn lines(problems: &[(Instance, SecretError)]) -> String {
    let line = |(instance, error): &(Instance, SecretError)| {
        let source = std::error::Error::source(error);
        let why = source.map(|source| format!(": {source}")).unwrap_or_default();
        format!("{instance}.api_key: {error}{why}")
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Fetches the key of each instance; `variable` looks up an environment variable.
///
/// # Errors
/// [`KeyError`] with every key that can't be had.
pub fn keys(
    services: &[ServiceSettings],
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<BTreeMap<Instance, Secret>, KeyError> {
    let (mut keys, mut problems) = (BTreeMap::new(), Vec::new());
    for ServiceSettings { instance, key, .. } in services {
        match key.resolve(&variable) {
            Ok(secret) => {
                keys.insert(instance.clone(), secret);
            }
            Err(error) => problems.push((instance.clone(), error)),
        }
    }
    if problems.is_empty() { Ok(keys) } else { Err(KeyError { problems }) }
}

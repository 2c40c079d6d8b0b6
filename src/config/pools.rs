//! Reads the pools: which mount points are pools, and where their disks are mounted.
//!
//! Must never look at the disk: whether a branch is mounted is for the watcher to say.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::file::Entry;
use super::problem::{Place, Problems};
use super::roots::full;
use super::section::{Section, dotted};
use super::settings::PoolSettings;
use crate::domain::{RootName, shown};

/// Reads the pools of the file.
pub(super) fn read(section: Section<'_>) -> Vec<PoolSettings> {
    let (entries, problems) = section.named();
    let mut pools: Vec<PoolSettings> = Vec::new();
    let mut mounts: BTreeMap<PathBuf, String> = BTreeMap::new();
    for (name, entry) in entries {
        let key = dotted("pools", &name);
        let Some((place, pool)) = one(&name, &key, entry, problems) else { continue };
        if let Some(other) = mounts.insert(pool.mount.clone(), name) {
            let message = format!("is the mount point of `pools.{other}` too; keep one of the two");
            problems.add(&place, dotted(&key, "mount"), message);
        }
        pools.push(pool);
    }
    pools.sort_by(|a, b| a.name.cmp(&b.name));
    pools
}

fn one(
    name: &str,
    key: &str,
    entry: Entry,
    problems: &mut Problems,
) -> Option<(Place, PoolSettings)> {
    let place = entry.key_place.clone();
    if RootName::parse(name).is_err() || name.contains(':') {
        let message = "not a name for a pool; use 1 to 64 of a-z, 0-9, `-` and `_`".to_owned();
        problems.add(&place, key.to_owned(), message);
    }
    let mut section = Section::of(Some(entry), key.to_owned(), place.clone(), problems);
    if !section.has("mount") {
        let message = format!("has no mount; add mount = \"/mnt/{name}\" below [{key}]");
        section.problem(&place, "mount", message);
    }
    let mount = section.text("mount").and_then(|(place, text)| {
        full(&mut section, &place, "mount", &text).map(|mount| (place, mount))
    });
    let mut branches: Vec<PathBuf> = Vec::new();
    for (place, text) in section.texts("branches").unwrap_or_default() {
        let Some(branch) = full(&mut section, &place, "branches", &text) else { continue };
        let text = shown(text.as_bytes());
        if branches.contains(&branch) {
            section.problem(&place, "branches", format!("`{text}` is named twice; once is enough"));
        } else if mount.as_ref().is_some_and(|(_, mount)| branch.starts_with(mount)) {
            let message =
                format!("`{text}` lies in the pool itself; name where the disk is mounted");
            section.problem(&place, "branches", message);
        }
        branches.push(branch);
    }
    section.finish();
    let (place, mount) = mount?;
    Some((place, PoolSettings { name: name.to_owned(), mount, branches }))
}

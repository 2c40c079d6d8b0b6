//! The configured roots, looked at now. Blocks as long as the disks do.

use std::collections::{BTreeMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::SystemClock;
use crate::config::Settings;
use crate::daemon::{pools, specs};
use crate::disk::{Host, RootDir, open_root};
use crate::domain::{FilePath, RelPath, RootName};
use crate::inventory::Rules;

/// How many directories of a root are listed at most to find a better pair by.
const DIRECTORIES: usize = 300_000;
/// How many media files of a root are kept at most for that.
const FILES: usize = 50_000;

/// What lies at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Seen {
    /// A media file, or a folder.
    There,
    /// Something that no rule takes for media.
    LeftOut,
    /// Nothing, as far as can be seen.
    Not,
}

/// The roots, each held open.
pub(super) struct Disk {
    roots: BTreeMap<RootName, Ground>,
    clock: SystemClock,
}

struct Ground {
    path: PathBuf,
    rules: Rules,
    dir: Result<RootDir, String>,
}

impl Disk {
    /// Opens the roots; one on an automount that is idle stays shut.
    pub(super) fn open(settings: &Settings) -> std::io::Result<Self> {
        let host = Arc::new(Host::new()?);
        host.configure_pools(pools::specs(settings));
        let open = |spec: crate::daemon::RootSpec| {
            let dir = open_root(&host, &spec.path, spec.marker.as_deref());
            let dir = dir.map_err(|error| error.to_string());
            (spec.name, Ground { path: spec.path, rules: spec.rules, dir })
        };
        let roots = specs::specs(settings).into_iter().map(open).collect();
        Ok(Self { roots, clock: SystemClock::new() })
    }

    /// Each root, for mapping.
    pub(super) fn places(&self) -> Vec<(RootName, PathBuf)> {
        self.roots.iter().map(|(name, ground)| (name.clone(), ground.path.clone())).collect()
    }

    /// The roots that can't be looked at, and why.
    pub(super) fn shut(&self) -> impl Iterator<Item = (&RootName, &String)> {
        self.roots.iter().filter_map(|(name, ground)| Some((name, ground.dir.as_ref().err()?)))
    }

    /// Looks at one path.
    pub(super) fn look(&self, file: &FilePath) -> Seen {
        let Some((ground, Ok(dir))) =
            self.roots.get(&file.root).map(|ground| (ground, ground.dir.as_ref()))
        else {
            return Seen::Not;
        };
        let Some(above) = file.rel.parent() else { return Seen::There };
        if dir.why_idle(&above).is_some() {
            return Seen::Not;
        }
        let Some(stat) = dir.stat(&file.rel) else { return Seen::Not };
        let rules = &ground.rules;
        let name = file.rel.name().unwrap_or_default();
        let is_media = match stat.is_regular || stat.is_link {
            true => rules.is_media(name),
            false => !rules.is_ignored_dir(name),
        };
        let hidden = above.components().any(|name| rules.is_ignored_dir(name));
        if is_media && !hidden { Seen::There } else { Seen::LeftOut }
    }

    /// The media files that have one of these names, or lie below a folder that has.
    pub(super) fn find(&self, wanted: &HashSet<Vec<u8>>) -> Vec<FilePath> {
        let mut found = Vec::new();
        for (name, ground) in &self.roots {
            let Ok(root) = &ground.dir else { continue };
            let (mut dirs, mut left) = (vec![RelPath::root()], DIRECTORIES);
            let most = found.len() + FILES;
            while let Some(dir) = dirs.pop().filter(|_| left > 0 && found.len() < most) {
                left -= 1;
                if root.why_idle(&dir).is_some() {
                    continue;
                }
                // What can't be read is no place to propose.
                let Ok(listing) = root.list(&dir, &ground.rules, &self.clock) else { continue };
                dirs.extend(listing.subdirs.iter().map(|name| dir.join(name)));
                let is_below = dir.components().any(|name| wanted.contains(name));
                let mut files: Vec<_> =
                    listing.files.iter().filter(|file| wanted.contains(&*file.name)).collect();
                if files.is_empty() && is_below {
                    files.extend(listing.files.first());
                }
                let path = |file: &&crate::inventory::Media| dir.join(&file.name);
                found.extend(files.iter().map(|file| FilePath::new(name.clone(), path(file))));
            }
        }
        found
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    use super::*;
    use crate::config::{Overrides, parse};

    #[test]
    fn only_what_the_rules_take_for_media_is_there() {
        let tree = tempfile::tempdir().unwrap();
        let make = |path: &str| {
            fs::create_dir_all(tree.path().join(path).parent().unwrap()).unwrap();
            fs::write(tree.path().join(path), "").unwrap();
        };
        ["a/film.mkv", "a/film.srt", ".Trash/b/film.mkv", "c/x.mkv", "c/y.mkv"]
            .into_iter()
            .for_each(make);
        let text =
            format!("[roots.m]\npath = {:?}\n[roots.away]\npath = \"/no/where\"\n", tree.path());
        let settings =
            parse(&text, "x", Vec::new(), &Overrides::default(), Path::new("/")).unwrap();
        let disk = Disk::open(&settings).unwrap();
        let at = |root: &str, rel: &str| {
            FilePath::new(RootName::parse(root).unwrap(), RelPath::parse(rel.as_bytes()).unwrap())
        };
        for (path, expected) in [
            ("", Seen::There),
            ("a", Seen::There),
            ("a/film.mkv", Seen::There),
            ("a/film.srt", Seen::LeftOut),
            (".Trash/b", Seen::LeftOut),
            (".Trash/b/film.mkv", Seen::LeftOut),
            ("a/other.mkv", Seen::Not),
            ("b/film.mkv", Seen::Not),
        ] {
            assert_eq!(disk.look(&at("m", path)), expected, "{path}");
        }
        assert_eq!(disk.look(&at("away", "a")), Seen::Not);
        assert_eq!(disk.shut().map(|(name, _)| name.to_string()).collect::<Vec<_>>(), ["away"]);

        let find = |wanted: &[&str]| {
            let wanted = wanted.iter().map(|name| name.as_bytes().to_vec()).collect();
            let mut found = disk.find(&wanted);
            found.sort();
            found
        };
        assert_eq!(find(&["film.mkv"]), [at("m", "a/film.mkv")], "what is left out is no proposal");
        assert_eq!(find(&["c"]).len(), 1, "one of a folder tells enough");
        assert_eq!(find(&["none"]), []);
    }
}

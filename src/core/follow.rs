//! Files of an item under a name that is no media file's, by which nobody would take them for it. And
//! whose a lost file is when its folder can no longer tell.

use std::collections::HashMap;

use super::{Core, ItemState};
use crate::domain::{FilePath, Item, ItemKey, Place, RootName};

/// A media file that was given a name without a media extension: it is still followed.
#[derive(Debug, Clone, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Followed {
    /// Where it is now.
    pub path: FilePath,
    /// Where its item lies, or lay.
    pub place: Place,
}

impl Core {
    /// A file of an item was given another name, by which nobody would know it.
    pub(super) fn follow(&mut self, item: &Item, place: Place, from: &FilePath, to: FilePath) {
        let key = item.key();
        let state = self.items.entry(key.clone()).or_insert_with(|| ItemState::first(item.clone()));
        if state.closed.is_some() {
            return;
        }
        state.follows.retain(|known| known.path != *from && known.path != to);
        state.follows.push(Followed { path: to.clone(), place });
        self.followed.remove(from);
        self.followed.insert(to, key.clone());
        self.dirty_items.insert(key);
    }

    /// A name is gone, or its root is forgotten: it is followed no longer.
    pub(super) fn unfollow(&mut self, gone: impl Fn(&FilePath) -> bool) {
        let paths: Vec<FilePath> =
            self.followed.keys().filter(|path| gone(path)).cloned().collect();
        for path in paths {
            let Some(key) = self.followed.remove(&path) else { continue };
            if let Some(state) = self.items.get_mut(&key) {
                state.follows.retain(|known| known.path != path);
                self.dirty_items.insert(key);
            }
        }
    }

    /// Whose file it is that is followed under this name.
    #[must_use]
    pub fn followed(&self, path: &FilePath) -> Option<(&Item, &Place)> {
        let state = self.items.get(self.followed.get(path)?)?;
        let known = state.follows.iter().find(|known| known.path == *path)?;
        Some((&state.item, &known.place))
    }

    /// The items that are missing files at their own places: another loss there is theirs too,
    /// whatever is left there now looks like.
    #[must_use]
    pub fn claims(&self) -> HashMap<Place, Item> {
        let mut claims = HashMap::new();
        for candidate in self.candidates.values() {
            for place in candidate.places.iter().filter(|place| !place.loose) {
                claims.insert(place.clone(), candidate.item.clone());
            }
        }
        claims
    }

    pub(super) fn index_follows(items: &HashMap<ItemKey, ItemState>) -> HashMap<FilePath, ItemKey> {
        let each = |(key, state): (&ItemKey, &ItemState)| {
            let paths = state.follows.iter().map(|known| known.path.clone());
            paths.map(|path| (path, key.clone())).collect::<Vec<_>>()
        };
        items.iter().flat_map(each).collect()
    }

    pub(super) fn unfollow_root(&mut self, name: &RootName) {
        self.unfollow(|path| path.root == *name);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::{Effect, Policy, Saved};
    use crate::domain::{
        Awake, FileId, FsId, Identity, Kind, LostFile, Now, Observation, ProviderIds, RelPath,
        Sensor, Timestamp,
    };

    fn root() -> RootName {
        RootName::parse("media").unwrap()
    }

    fn at(path: &str) -> FilePath {
        FilePath::new(root(), RelPath::parse(path.as_bytes()).unwrap())
    }

    fn heat() -> Item {
        Item { kind: Kind::Film, title: "Heat".into(), year: None, ids: ProviderIds::default() }
    }

    fn place() -> Place {
        Place { root: root(), folder: at("Heat").rel, loose: false }
    }

    fn now(seconds: u64) -> Now {
        let wall = i64::try_from(seconds).unwrap() * 1_000;
        Now { wall: Timestamp::from_millis(wall), awake: Awake::from_millis(seconds * 1_000) }
    }

    fn core(saved: Saved) -> Core {
        let mut core = Core::new(Policy::default(), saved, None, now(0));
        core.configure_root(now(0), &root(), "basis", false);
        let identity = Identity {
            boot: "b".into(),
            mount: 1,
            device: 1,
            fs_type: "ext4".into(),
            source: "/dev/sda1".into(),
            uuid: Some("u".into()),
            pool: None,
            inode: Some(2),
            born: None,
        };
        core.adopt(now(0), &root(), &identity);
        core
    }

    fn rename(core: &mut Core, from: &str, to: &str) {
        let (from, to) = (at(from), at(to));
        let renamed = Observation::Renamed { item: heat(), place: place(), from, to };
        core.handle_observation(now(1), renamed);
    }

    fn lose(core: &mut Core, path: &str) {
        let id = FileId { fs: FsId(1), inode: 1 };
        let file = LostFile {
            path: at(path),
            id,
            looked: Timestamp::default(),
            extra: false,
            retired: false,
            sought: false,
        };
        let (places, sensor) = (vec![place()], Sensor::Watcher);
        let lost = Observation::Lost { item: heat(), places, files: vec![file], sensor };
        core.handle_observation(now(2), lost);
    }

    #[test]
    fn a_file_is_known_under_its_last_name_also_after_a_restart() {
        let mut core = core(Saved::default());
        rename(&mut core, "Heat/a.mkv", "Heat/a.bak");
        rename(&mut core, "Heat/a.bak", "old/a.bak");
        let changes = core.take_changes();
        let items = changes.items.into_iter().filter_map(|(_, state)| state).collect();
        let core = Core::new(Policy::default(), Saved { items, ..Saved::default() }, None, now(0));
        assert_eq!(core.followed(&at("Heat/a.bak")), None);
        assert_eq!(core.followed(&at("old/a.bak")), Some((&heat(), &place())));
    }

    #[test]
    fn a_probe_is_told_of_the_followed_files_that_are_not_lost() {
        let mut core = core(Saved::default());
        rename(&mut core, "Heat/a.mkv", "Heat/a.bak");
        rename(&mut core, "Heat/b.mkv", "Heat/b.bak");
        lose(&mut core, "Heat/a.bak");
        core.handle_timeout(now(100));
        let Some(Effect::Probe(probe)) = core.poll_effect() else { panic!("no probe") };
        assert_eq!(probe.follows, [at("Heat/b.bak")]);
        assert_eq!(core.claims()[&place()], heat());
    }

    #[test]
    fn what_lies_in_a_root_that_is_forgotten_is_followed_no_longer() {
        let mut core = core(Saved::default());
        rename(&mut core, "Heat/a.mkv", "Heat/a.bak");
        core.remove_root(now(3), &root());
        assert_eq!(core.followed(&at("Heat/a.bak")), None);
    }
}

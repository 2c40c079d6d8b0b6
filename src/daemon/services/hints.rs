//! What changed in a listing, as hints for the core: which title on the disk it is, and where.

use std::ops::ControlFlow;

use super::appraise::is_known;
use crate::catalog::{Changes, Mapped, Placed};
use crate::daemon::engine::{Engine, Record};
use crate::daemon::folders::{Around, Stored};
use crate::domain::{FilePath, Hold, Instance, Item, Listed, Now, Observation, Place, Stage};
use crate::store::{Storage, StoreError};

impl<S: Storage, R: Record> Engine<S, R> {
    /// Tells the core of titles that an instance dropped, or of which it has no file any more.
    pub(super) fn hint(
        &mut self,
        now: Now,
        instance: &Instance,
        changes: &Changes,
    ) -> Result<(), StoreError> {
        let had_files = |title: &&Listed| title.file_count > 0;
        let dropped = changes.dropped.iter().filter(had_files);
        let dropped = dropped.map(|title| (title, "it does not list it any more"));
        let emptied = changes.emptied.iter().map(|title| (title, "it lists it without a file"));
        for (title, how) in dropped.chain(emptied) {
            let Some((item, places)) = self.on_disk(instance, title)? else { continue };
            let (by, how) = (instance.witness(), how.to_owned());
            self.core.handle_observation(now, Observation::Dropped { item, places, by, how });
        }
        for title in &changes.alive {
            // One that lies on the disk is alive when a file of it is seen there.
            if let Some((item, places)) = self.on_disk(instance, title)?
                && places.is_empty()
            {
                self.core.handle_observation(now, Observation::Seen { item, files: Vec::new() });
            }
        }
        Ok(())
    }

    /// Tells the core which of the titles that nobody listed are listed again.
    pub(super) fn hint_listed(&mut self, now: Now, instance: &Instance) {
        let unlisted: Vec<(Item, Vec<Place>)> = self
            .core
            .candidates()
            .values()
            .filter(|candidate| {
                matches!(
                    &candidate.stage,
                    Stage::Held { holding, .. } if matches!(holding.why, Hold::Unlisted { .. })
                )
            })
            .map(|candidate| (candidate.item.clone(), candidate.places.clone()))
            .collect();
        for (item, places) in unlisted {
            let titles = &self.services.titles;
            let there = places.iter().flat_map(|place| titles.at_place(place));
            let mut listed = there.chain(titles.alike(&item));
            if listed.any(|(of, title)| of == instance && title.file_count > 0) {
                self.core.handle_observation(now, Observation::Listed { item });
            }
        }
    }

    /// Which item a listed title is, and where files of it lie. `None` for one that should lie in a root
    /// and of which no file was ever seen there: what was never seen alive can't die.
    fn on_disk(
        &self,
        instance: &Instance,
        title: &Listed,
    ) -> Result<Option<(Item, Vec<Place>)>, StoreError> {
        let Some(run) = self.services.runs.get(instance) else { return Ok(None) };
        let mapped = |path| match run.mapping.map(path) {
            Mapped::Here(path) => Some(path),
            Mapped::Outside(_) | Mapped::Unmapped => None,
        };
        let files = title.files.iter().filter_map(|file| mapped(&file.path));
        let here: Vec<FilePath> = files.chain(title.folder.as_ref().and_then(mapped)).collect();
        for path in &here {
            if let Some(placed) = self.placed(path)? {
                return Ok(Some((placed.title.item, vec![placed.title.place])));
            }
        }
        let known = self.store.titles(&title.item.match_keys())?;
        if let Some(first) = known.first() {
            let item = first.item.clone();
            let places = known.iter().filter(|known| known.item == item);
            let places = places.map(|known| known.place.clone()).collect();
            return Ok(Some((item, places)));
        }
        Ok(here.is_empty().then(|| (title.item.clone(), Vec::new())))
    }

    /// The title of a media file at a path, or of the first one below it.
    fn placed(&self, path: &FilePath) -> Result<Option<Placed>, StoreError> {
        let Some(run) = self.roots.get(&path.root) else { return Ok(None) };
        if !is_known(&*self.store, path) {
            return Ok(None);
        }
        let stored = Stored { root: &path.root, inventory: &*self.store };
        let around = Around::new(&stored, &*self.store, run.spec.within.as_ref());
        let placer = around.placer(&path.root, &run.title);
        let mut first = None;
        self.store.within(&path.root, &path.rel, &mut |dir, record| {
            first = record.files.first().map(|file| dir.join(&file.name));
            if first.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        Ok(Some(placer.place(&first.unwrap_or_else(|| path.rel.clone()))))
    }
}

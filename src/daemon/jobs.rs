//! From a probe that the core wants to a job for the prober: what else is known of the item.

use std::ops::ControlFlow;
use std::time::Duration;

use super::engine::{Engine, Record};
use crate::catalog::{is_loose_file_of, standing_below};
use crate::core::Probe;
use crate::domain::FilePath;
use crate::prober::{Arrived, HiddenFolder, Job};
use crate::store::{Storage, StoreError};

/// How long before a loss was noticed its other half may have been noticed: walks of large roots
/// take a while, and go through the two halves in any order.
const MOVE_WINDOW: Duration = Duration::from_hours(1);

/// How many files that are not lost are looked at: a series has fewer.
const MOST_KNOWN: usize = 20_000;

/// The folders that no watcher can list, over all roots.
#[derive(Debug, Default)]
pub(super) struct Unseen {
    /// The first of them, and why.
    pub(super) dirs: Vec<(FilePath, String)>,
    /// How many more there are.
    pub(super) more: usize,
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// What the prober is to look for.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn job(&mut self, probe: &Probe) -> Result<Job, StoreError> {
        let mut job = job(&*self.store, probe, &self.all_unseen())?;
        job.arrived.extend(self.newcomers.find(&self.core, &*self.store, probe)?);
        Ok(job)
    }
}

/// Adds where else titles of the same name lie, and which names appeared with a lost inode.
///
/// # Errors
/// When the store can't be read.
fn job<S: Storage>(store: &S, probe: &Probe, unseen: &Unseen) -> Result<Job, StoreError> {
    let item = &probe.item;
    let titles = store.titles(&item.match_keys())?;
    let elsewhere = titles
        .into_iter()
        .filter(|title| !title.item.ids.contradict(&item.ids))
        .map(|title| title.place)
        .collect();
    let mut arrived = Vec::new();
    for lost in &probe.lost {
        let since = probe.detected.minus(MOVE_WINDOW);
        arrived.extend(
            store
                .arrivals(lost.id)?
                .into_iter()
                .filter(|arrival| arrival.path != lost.path)
                .filter(|arrival| {
                    arrival.at >= since || arrival.moved_from.as_ref() == Some(&lost.path)
                })
                .map(|arrival| Arrived {
                    said_so: arrival.moved_from.as_ref() == Some(&lost.path),
                    path: arrival.path,
                    lost: lost.path.clone(),
                    id: arrival.id,
                    looked: lost.looked,
                }),
        );
    }
    let mut known = Vec::new();
    for place in &probe.places {
        store.within(&place.root, &place.folder, &mut |dir, record| {
            for file in &record.files {
                let path = FilePath::new(place.root.clone(), dir.join(&file.name));
                let belongs = if place.loose {
                    is_loose_file_of(item, &file.name)
                } else {
                    path.rel.below(&place.folder).is_none_or(|below| !standing_below(&below).1)
                };
                let is_lost = probe.lost.iter().any(|lost| lost.path == path);
                if belongs && !is_lost && known.len() < MOST_KNOWN {
                    known.push((path, record.fs));
                }
            }
            if place.loose { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    for path in &probe.follows {
        let dir = path.rel.parent().unwrap_or_default();
        let fs = store.directory(&path.root, &dir)?.map(|record| record.fs);
        known.extend(fs.map(|fs| (path.clone(), fs)));
    }
    let mut hidden = Vec::new();
    for (dir, why) in &unseen.dirs {
        let known = store.directory(&dir.root, &dir.rel)?.is_some();
        hidden.push(HiddenFolder { dir: dir.clone(), why: why.clone(), known });
    }
    Ok(Job {
        item: item.clone(),
        detected: probe.detected,
        lost: probe.lost.clone(),
        places: probe.places.clone(),
        elsewhere,
        arrived,
        known,
        hidden,
        more_hidden: unseen.more,
    })
}

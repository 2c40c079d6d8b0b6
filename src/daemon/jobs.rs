//! From a probe that the core wants to a job for the prober: what else is known of the item.

use std::ops::ControlFlow;
use std::time::Duration;

use super::engine::{Engine, Record};
use crate::catalog::{TitleAt, is_loose_file_of, may_be_new_encode, standing_below};
use crate::core::Probe;
use crate::domain::{AbsPath, Entry, FileId, FilePath, Now};
use crate::prober::{Arrived, HiddenFolder, Job, Story};
use crate::store::{Arrival, Storage, StoreError};

/// How long before a loss was noticed its other half may have been noticed: walks of large roots
/// take a while, and go through the two halves in any order.
const MOVE_WINDOW: Duration = Duration::from_hours(1);

/// How far apart the two halves of a move are noticed that the kernel told of.
const AT_ONCE: Duration = Duration::from_secs(5);

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
    pub fn job(&mut self, now: Now, probe: &Probe) -> Result<Job, StoreError> {
        let mut job = job(&*self.store, probe, &self.all_unseen())?;
        job.not_hunted = self.not_hunted(now, probe);
        job.arrived.extend(self.newcomers.find(&self.core, &*self.store, probe)?);
        for arrived in &mut job.arrived {
            if arrived.last && !arrived.said_so && arrived.born.is_none() {
                arrived.story = self.story(&arrived.path)?;
            }
        }
        Ok(job)
    }

    /// What was made of the loss of a name, if it was lost.
    fn story(&self, path: &FilePath) -> Result<Story, StoreError> {
        if self.core.candidates().values().any(|candidate| candidate.has_lost(path)) {
            return Ok(Story::UnderReview);
        }
        let Some(run) = self.roots.get(&path.root) else { return Ok(Story::Untold) };
        // Once it is told, only the evidence says which files it was about.
        let shown = AbsPath::new(&path.rel.under(&run.spec.path));
        let is_told = |entry: &Entry| {
            let deletion = &entry.deletion;
            let state = self.core.item(&deletion.item.key());
            state.is_some_and(|state| state.closed.is_some() && state.life == deletion.life)
                && deletion.evidence.iter().any(|line| line.path.as_ref() == Some(&shown))
        };
        let told = self.store.entries()?.iter().any(is_told);
        Ok(if told { Story::Told } else { Story::Untold })
    }
}

/// Adds where else titles of the same name lie, and which names appeared with a lost inode.
///
/// # Errors
/// When the store can't be read.
pub(super) fn job<S: Storage>(
    store: &S,
    probe: &Probe,
    unseen: &Unseen,
) -> Result<Job, StoreError> {
    let item = &probe.item;
    let (keys, mut elsewhere) = (item.match_keys(), Vec::new());
    for title in store.titles(&item.all_keys())? {
        let is_exact = title.item.match_keys().iter().any(|key| keys.contains(key))
            && !title.item.ids.contradict(&item.ids);
        // Under a better name it counts only if it appeared lately.
        if is_exact || (item.may_be(&title.item) && has_newcomer(store, &title)?) {
            elsewhere.push(title.place);
        }
    }
    let mut arrived = Vec::new();
    for lost in &probe.lost {
        // By a clock that nobody sets: a jump would hide the other half of a move.
        let since = probe.from.minus(MOVE_WINDOW);
        let arrivals = store.arrivals(lost.id)?;
        // What came back since to any of its names did not stay there.
        let is_own = |path: &FilePath| probe.lost.iter().any(|own| own.path == *path);
        let back = arrivals.iter().filter(|a| is_own(&a.path)).map(|a| a.at).max();
        let last = |arrival: &Arrival| back.is_none_or(|back| back <= arrival.at);
        // The kernel's word is about one move: what went there before did not go there now.
        let said_so = |arrival: &Arrival| {
            arrival.moved_from.as_ref() == Some(&lost.path)
                && arrival.at >= probe.from.minus(AT_ONCE)
                && last(arrival)
        };
        arrived.extend(
            arrivals
                .iter()
                .filter(|arrival| arrival.path != lost.path)
                .filter(|arrival| {
                    arrival.at >= since || arrival.moved_from.as_ref() == Some(&lost.path)
                })
                .map(|arrival| Arrived {
                    said_so: said_so(arrival),
                    path: arrival.path.clone(),
                    lost: lost.path.clone(),
                    id: arrival.id,
                    looked: lost.looked,
                    born: arrival.born,
                    last: last(arrival),
                    story: Story::Untold,
                }),
        );
    }
    let mut known = Vec::new();
    let mut alike = Vec::new();
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
                } else if place.loose && !is_lost && may_be_new_encode(item, &file.name) {
                    alike.push((path, FileId { fs: record.fs, inode: file.inode }));
                }
            }
            if place.loose { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    for (path, id) in alike {
        if appeared(store, &path, id)? && known.len() < MOST_KNOWN {
            known.push((path, id.fs));
        }
    }
    for path in &probe.follows {
        let dir = path.rel.parent().unwrap_or_default();
        // One that the inventory has lost meanwhile is not followed any more.
        let record = store
            .directory(&path.root, &dir)?
            .filter(|record| record.files.iter().any(|file| Some(&*file.name) == path.rel.name()));
        known.extend(record.map(|record| (path.clone(), record.fs)));
    }
    let mut hidden = Vec::new();
    for (dir, why) in &unseen.dirs {
        hidden.push(HiddenFolder { dir: dir.clone(), why: why.clone() });
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
        claims: Vec::new(),
        not_hunted: Vec::new(),
    })
}

/// Whether a file of a title appeared in the last days. It may have been copied long before the old
/// one was removed.
fn has_newcomer<S: Storage>(store: &S, title: &TitleAt) -> Result<bool, StoreError> {
    let place = &title.place;
    let mut files = Vec::new();
    store.within(&place.root, &place.folder, &mut |dir, record| {
        for file in &record.files {
            if !place.loose || is_loose_file_of(&title.item, &file.name) {
                let path = FilePath::new(place.root.clone(), dir.join(&file.name));
                files.push((path, FileId { fs: record.fs, inode: file.inode }));
            }
        }
        if place.loose || files.len() > MOST_KNOWN {
            ControlFlow::Break(())
        } else {
            ControlFlow::Continue(())
        }
    })?;
    for (path, id) in files {
        if appeared(store, &path, id)? {
            return Ok(true);
        }
    }
    Ok(false)
}

fn appeared<S: Storage>(store: &S, path: &FilePath, id: FileId) -> Result<bool, StoreError> {
    Ok(store.arrivals(id)?.iter().any(|arrival| arrival.path == *path))
}

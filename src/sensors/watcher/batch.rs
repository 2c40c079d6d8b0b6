//! One batch: look at the root, watch, list, compare, look again, send.
//!
//! Must never send a listing that was made while the root was, or may have been, another one.

use std::collections::HashMap;

use super::actor::{Actor, Flow};
use super::flight::Reach;
use super::{Move, Report, Walk};
use crate::disk::{LookError, RootDir};
use crate::domain::{RelPath, RootLook, RootName};
use crate::inventory::{Inventory, Lay, Listing, Name, births_needed, compare, newcomers};

/// The most directories and names of one batch: what is known of it is held in memory, and a
/// question must not wait longer for its turn.
pub(super) const DIRECTORIES: usize = 1_000;
const NAMES: usize = 50_000;
/// The most birth times that are asked for one directory whose record isn't known.
const BIRTHS: usize = 1_000;
/// So often may a parent list a directory that can't be found in it, before it counts as unseen.
const OFTEN_MISSING: u8 = 3;

/// What a batch came by.
#[derive(Debug, Default)]
pub(super) struct Visited {
    /// What did not fit, last first.
    pub(super) rest: Vec<RelPath>,
    /// Subdirectories to visit, last first.
    pub(super) next: Vec<RelPath>,
    pub(super) directories: u64,
    pub(super) files: u64,
}

impl Actor {
    /// Lists directories and sends what is not as the inventory says; meanwhile those in `ahead`
    /// are watched. `None` when the root is not what it was.
    pub(super) fn visit(
        &mut self,
        mut dirs: Vec<RelPath>,
        ahead: &[RelPath],
        walk: Option<Walk>,
    ) -> Flow<Option<Visited>> {
        let resets = self.resets;
        let Some(root) = self.look()? else { return Ok(None) };
        if self.resets != resets {
            return Ok(None);
        }
        dirs.retain(|dir| !self.elsewhere.has(dir));
        self.pool.watch(&dirs);
        let job = self.pool.prepare(ahead);
        let (mut visited, mut news) = (Visited::default(), News::default());
        let done = std::thread::scope(|scope| {
            if job.parts.is_empty() {
                return self.list(&root, &dirs, walk, &mut visited, &mut news);
            }
            let helper = scope.spawn(|| job.run());
            let done = self.list(&root, &dirs, walk, &mut visited, &mut news);
            match helper.join() {
                Ok(job) => self.pool.finish(job),
                Err(fault) => std::panic::resume_unwind(fault),
            }
            done
        });
        visited.next.reverse();
        visited.rest = dirs.split_off(done);
        visited.rest.reverse();
        let again = root.look_again();
        let same = matches!(&again, RootLook::Seen { identity } if identity == root.identity());
        drop(root);
        if !same {
            self.saw(again)?;
            return Ok(None);
        }
        if news.has_lost {
            // The halves of a rename must be told no later than what they explain.
            self.pool.drain();
            self.absorb_waiting()?;
        }
        self.send_news(news, walk)?;
        Ok(Some(visited))
    }

    /// Lists directories until the batch is full; how many were listed.
    fn list(
        &mut self,
        root: &RootDir,
        dirs: &[RelPath],
        walk: Option<Walk>,
        visited: &mut Visited,
        news: &mut News,
    ) -> usize {
        let mut names = 0;
        for (index, dir) in dirs.iter().enumerate() {
            if names > NAMES {
                return index;
            }
            match root.list_own(dir, &self.root.rules, &*self.out.clock) {
                Ok(listing) => {
                    names += listing.files.len() + listing.subdirs.len() + listing.others.len();
                    visited.directories += 1;
                    visited.files += listing.files.len() as u64;
                    self.came_by(&listing, walk.is_some(), &mut visited.next);
                    self.note_lay(root, &listing, news);
                    self.weigh(root, listing, news);
                }
                Err(error) => self.could_not_list(dir, error),
            }
        }
        dirs.len()
    }

    /// Takes note of a directory that was listed, and of its subdirectories to visit.
    fn came_by(&mut self, listing: &Listing, all: bool, next: &mut Vec<RelPath>) {
        self.unseen.remove(&listing.dir);
        if !self.missing.is_empty() {
            self.missing.remove(&listing.dir);
        }
        if let Some(known) = self.pool.known.get_mut(&listing.dir) {
            known.walk = self.walks;
        }
        let subdirs = listing.subdirs.iter().map(|name| listing.dir.join(name));
        let own = subdirs.filter(|dir| !self.elsewhere.has(dir));
        next.extend(own.filter(|dir| all || self.pool.known.get(dir).is_none()));
    }

    fn could_not_list(&mut self, dir: &RelPath, error: LookError) {
        let now = self.now();
        let why = match error {
            LookError::Missing { .. } => {
                let often = self.missing.get(dir).copied().unwrap_or(0).saturating_add(1);
                self.pool.void(dir);
                self.unseen.remove_within(dir);
                if often < OFTEN_MISSING
                    && let Some(parent) = dir.parent()
                {
                    self.missing.insert(dir, often);
                    self.dirty.mark(&parent, now);
                    return;
                }
                "it is listed, but can't be found".to_owned()
            }
            // The next look at the root finds the mount.
            LookError::Mounted { .. } => return self.pool.void(dir),
            LookError::Denied { why, .. } | LookError::Failed { why, .. } => why,
        };
        self.pool.know(dir, self.walks);
        self.unseen.add(dir, &why, now);
    }

    /// On a pool: where the files lie, if that is news. Files are moved from branch to branch without
    /// a change that could be seen in the pool.
    fn note_lay(&self, root: &RootDir, listing: &Listing, news: &mut News) {
        let Some(lay) = root.lay(&listing.dir, &listing.files) else { return };
        let known = self.out.inventory.lay(&self.root.name, &listing.dir).ok().flatten();
        if known.map_or(!listing.files.is_empty(), |known| known != lay) {
            news.lays.push((listing.dir.clone(), lay));
        }
    }

    fn weigh(&mut self, root: &RootDir, mut listing: Listing, news: &mut News) {
        let in_flight = self.flight.covers(&listing.dir);
        let inventory = &*self.out.inventory;
        let name = &self.root.name;
        let weight = weigh(inventory, name, root, &mut listing, in_flight, !self.learns);
        if let Some(Weight { has_lost, reach, lost_dirs }) = weight {
            news.has_lost |= has_lost;
            news.reaches.push((listing.dir.clone(), reach));
            let gone = lost_dirs.iter().map(|name| (listing.dir.join(name), Reach::Tree));
            news.reaches.extend(gone);
            news.listings.push(listing);
        }
    }

    fn send_news(&mut self, mut news: News, walk: Option<Walk>) -> Flow {
        if news.listings.is_empty() && news.lays.is_empty() && self.moves.is_empty() {
            return Ok(());
        }
        let Some(identity) = self.identity.clone() else { return Ok(()) };
        let moves = std::mem::take(&mut self.moves);
        self.leaves_out = false;
        name_origins(&mut news.listings, &moves);
        self.seq += 1;
        self.flight.sent(self.seq, news.reaches.iter().map(|(dir, reach)| (dir, *reach)));
        let News { listings, lays, .. } = news;
        self.send(Report::Listed { seq: self.seq, identity, listings, lays, moves, walk })
    }
}

/// What a batch has to tell.
#[derive(Debug, Default)]
struct News {
    listings: Vec<Listing>,
    lays: Vec<(RelPath, Lay)>,
    reaches: Vec<(RelPath, Reach)>,
    has_lost: bool,
}

/// Why a listing must be sent.
struct Weight {
    has_lost: bool,
    reach: Reach,
    lost_dirs: Vec<Name>,
}

/// Compares a listing with the inventory: `None` when nothing needs to be said. This is only a
/// filter; the receiver compares again. `dates`: when what is new here came into being is asked now,
/// since it may be gone again when somebody wants to know.
fn weigh(
    inventory: &dyn Inventory,
    name: &RootName,
    root: &RootDir,
    listing: &mut Listing,
    in_flight: bool,
    dates: bool,
) -> Option<Weight> {
    let unknown = Weight { has_lost: true, reach: Reach::Tree, lost_dirs: vec![] };
    if in_flight {
        let all: Vec<usize> = (0..listing.others.len()).take(BIRTHS).collect();
        let files = (0..listing.files.len()).take(if dates { BIRTHS } else { 0 });
        drop(root.births(listing, &all, &files.collect::<Vec<_>>()));
        return Some(unknown);
    }
    let Ok(known) = inventory.directory(name, &listing.dir) else { return Some(unknown) };
    let Some(known) = known else {
        listing.others.clear();
        listing.tells_others = false;
        if dates {
            drop(root.births(listing, &[], &newcomers(None, listing)));
        }
        return Some(Weight { has_lost: false, reach: Reach::Record, lost_dirs: vec![] });
    };
    let equal =
        known.fs == listing.fs && known.files == listing.files && known.subdirs == listing.subdirs;
    if equal {
        return None;
    }
    let births = births_needed(&known, listing);
    let new = if dates { newcomers(Some(&known), listing) } else { vec![] };
    // Without birth times a rename may look like a loss, which the receiver can bear.
    drop(root.births(listing, &births, &new));
    let weight = match compare(Some(&known), listing) {
        Ok(comparison) if comparison.is_unchanged() => return None,
        Ok(comparison) => Weight {
            has_lost: !comparison.lost.is_empty() || !comparison.lost_dirs.is_empty(),
            reach: Reach::Record,
            lost_dirs: comparison.lost_dirs,
        },
        Err(_) => Weight { has_lost: false, reach: Reach::Record, lost_dirs: vec![] },
    };
    let matters = |inode| known.files.iter().any(|file| file.inode == inode);
    listing.others.retain(|other| matters(other.inode));
    listing.tells_others = known.files.iter().any(|file| file.alias);
    Some(weight)
}

/// Tells the other files of a listing the name that they were moved from, where both names are in
/// the same directory.
fn name_origins(listings: &mut [Listing], moves: &[Move]) {
    if moves.is_empty() {
        return;
    }
    let from: HashMap<usize, &RelPath> =
        moves.iter().filter(|half| !half.to).map(|half| (half.cookie, &half.path)).collect();
    let pairs = moves.iter().filter(|half| half.to);
    let origins: HashMap<&RelPath, &RelPath> =
        pairs.filter_map(|half| Some((&half.path, *from.get(&half.cookie)?))).collect();
    for listing in listings {
        for other in &mut listing.others {
            let origin = origins.get(&listing.dir.join(&other.name));
            let same_dir = origin.filter(|path| path.parent().as_ref() == Some(&listing.dir));
            other.moved_from = same_dir.and_then(|path| path.name()).map(Box::from);
        }
    }
}

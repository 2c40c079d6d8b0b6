//! A listing held against the disk: how many of its paths are known here, and which titles it has where
//! no file of them is. Done beside the loop: it reads a record for each title.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::super::folders::Stored;
use crate::catalog::{Coverage, Folders, Mapped, Mapping, Proposal, proposal};
use crate::config::pair;
use crate::domain::{FilePath, Item, Listed, RootName, ServiceFolder, ServicePath};
use crate::store::{Storage, StoreError};

/// How many titles of each list are kept.
const MOST: usize = 10_000;
/// How many media files a proposal is looked for among.
const SAMPLE: usize = 20_000;

/// What a listing looks like from here.
#[derive(Debug, Clone, Default)]
pub(in crate::daemon) struct Appraisal {
    /// How many of its paths are known here.
    pub(super) coverage: Coverage,
    /// What would bring more of them here, where too few are.
    pub(super) proposal: Option<Proposal>,
    /// Titles that it has at places in a root where nothing of them is, nor anywhere else.
    pub(super) missing: Vec<Orphan>,
    /// Titles that it has at places that nobody can see from here, and that lie in no root.
    pub(super) unmatched: Vec<Orphan>,
}

/// A title that a service lists with a file, of which there is none.
#[derive(Debug, Clone)]
pub(super) struct Orphan {
    pub(super) item: Item,
    pub(super) place: ServicePath,
    /// The root in which the place lies, if it lies in one.
    pub(super) root: Option<RootName>,
}

/// Holds a listing against the inventory. `lost` are the files that are under review: they were there.
///
/// # Errors
/// When the store can't be read.
pub(in crate::daemon) fn appraise<S: Storage>(
    store: &S,
    mapping: &Mapping,
    titles: &[Listed],
    folders: &[ServiceFolder],
    lost: &BTreeSet<FilePath>,
    roots: &[RootName],
) -> Result<Appraisal, StoreError> {
    let known = |path: &FilePath| {
        // What lies below a path does not stand right behind it; `lost` is small.
        let was = |file: &FilePath| file.root == path.root && file.rel.is_within(&path.rel);
        is_known(store, path) || lost.contains(path) || lost.iter().any(was)
    };
    let coverage = Coverage::of(mapping, titles, folders, known);
    let mut appraisal = Appraisal { coverage, ..Appraisal::default() };
    let mut astray = Vec::new();
    for title in titles.iter().filter(|title| title.file_count > 0) {
        let places: Vec<&ServicePath> = match &title.folder {
            Some(folder) if title.files.is_empty() => vec![folder],
            _ => title.files.iter().map(|file| &file.path).collect(),
        };
        let Some(place) = places.first().copied() else { continue };
        let mapped: Vec<Mapped> = places.iter().map(|place| mapping.map(place)).collect();
        let is_here = |mapped: &Mapped| matches!(mapped, Mapped::Here(path) if known(path));
        if mapped.iter().any(is_here) {
            continue;
        }
        astray.push(place);
        if !store.titles(&title.item.match_keys())?.is_empty() {
            // It lies somewhere, only not where the service thinks.
            continue;
        }
        let root = mapped.iter().find_map(|mapped| match mapped {
            Mapped::Here(path) => Some(path.root.clone()),
            _ => None,
        });
        let list = if root.is_some() { &mut appraisal.missing } else { &mut appraisal.unmatched };
        if list.len() < MOST {
            list.push(Orphan { item: title.item.clone(), place: place.clone(), root });
        }
    }
    if astray.len() * 20 > titles.len() {
        appraisal.proposal = proposal(mapping, astray, sample(store, roots)?);
    }
    Ok(appraisal)
}

/// Whether the inventory has a media file, or a folder with media, at a path.
pub(super) fn is_known<S: Storage>(store: &S, path: &FilePath) -> bool {
    let file = path.rel.parent().zip(path.rel.name()).and_then(|(dir, name)| {
        let record = store.directory(&path.root, &dir).ok()??;
        record.files.iter().any(|file| *file.name == *name).then_some(())
    });
    file.is_some() || Stored { root: &path.root, inventory: store }.has_media_below(&path.rel)
}

/// Media files to find a better pair by.
fn sample<S: Storage>(store: &S, roots: &[RootName]) -> Result<Vec<FilePath>, StoreError> {
    let mut files = Vec::new();
    // Each root has its share: what is looked for may lie in the last.
    let share = SAMPLE / roots.len().max(1);
    for root in roots {
        let most = files.len() + share;
        store.within(root, &crate::domain::RelPath::root(), &mut |dir, record| {
            // One of each folder tells enough.
            let path = |name: &[u8]| FilePath::new(root.clone(), dir.join(name));
            files.extend(record.files.first().map(|file| path(&file.name)));
            if files.len() < most { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        })?;
    }
    Ok(files)
}

/// A proposal for people: the line that they would write.
pub(super) fn as_line(proposal: &Proposal) -> String {
    pair(&proposal.theirs, &proposal.here)
}

//! Whether a mapping is right: how many of the paths that a service lists are known here, and which
//! pair would fit better.
//!
//! Must never let a mapping that looks wrong refute what a service says.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use serde::{Deserialize, Serialize};

use super::mapping::{Mapped, Mapping};
use crate::domain::{FilePath, Listed, ServiceFolder, ServiceParts, ServicePath};

/// So many of a hundred mapped paths have to be known here before one that is not refutes anything.
const ENOUGH: u64 = 95;

/// More of a service's paths than these tell nothing new about a mapping.
const SAMPLE: usize = 2_000;

/// So many places that end alike tell nothing: every film may have a `movie.mkv`.
const ALIKE: usize = 32;

/// Paths, counted.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counts {
    /// Those that lie in a root by the mapping.
    pub mapped: u64,
    /// Those of them that are known there.
    pub known: u64,
    /// Those that lie outside all roots.
    pub outside: u64,
    /// Those that nothing says of where they lie.
    pub unmapped: u64,
}

impl Counts {
    /// Whether enough of them are known here for one that is absent to refute a claim.
    #[must_use]
    pub fn refutes(self) -> bool {
        self.mapped > 0 && self.known.saturating_mul(100) >= self.mapped.saturating_mul(ENOUGH)
    }

    /// How many there are.
    #[must_use]
    pub fn all(self) -> u64 {
        self.mapped.saturating_add(self.outside).saturating_add(self.unmapped)
    }

    /// Whether nothing speaks against where they are taken to lie: each lies in a root, and enough of
    /// them are known there.
    #[must_use]
    pub fn fits(self) -> bool {
        self.all() == 0 || (self.refutes() && self.mapped == self.all())
    }

    fn add(&mut self, mapped: &Mapped, known: bool) {
        match mapped {
            Mapped::Here(_) => {
                self.mapped += 1;
                self.known += u64::from(known);
            }
            Mapped::Outside(_) => self.outside += 1,
            Mapped::Unmapped => self.unmapped += 1,
        }
    }
}

/// How much of what an instance lists is known here.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Coverage {
    /// By folder that the service is configured to keep titles in.
    pub folders: Vec<(ServicePath, Counts)>,
    /// By left side of the pair that was taken; `None` for what was taken as it is or not at all.
    pub pairs: Vec<(Option<ServicePath>, Counts)>,
}

impl Coverage {
    /// Counts the paths of titles with files. `known` says whether the inventory has a media file
    /// or a folder with media there, **or had it** and its loss is not yet closed: what was lost
    /// speaks for the mapping, not against it.
    #[must_use]
    pub fn of(
        mapping: &Mapping,
        titles: &[Listed],
        folders: &[ServiceFolder],
        known: impl Fn(&FilePath) -> bool,
    ) -> Self {
        let configured = titles.iter().filter_map(|title| title.root_folder.as_ref());
        let all: BTreeMap<ServiceParts, ServicePath> = folders
            .iter()
            .map(|folder| &folder.path)
            .chain(configured)
            .filter_map(|path| Some((path.parts()?, path.clone())))
            .collect();
        let mut by_folder: BTreeMap<&ServicePath, Counts> =
            all.values().map(|path| (path, Counts::default())).collect();
        let mut by_pair: BTreeMap<Option<&ServicePath>, Counts> =
            mapping.pairs().iter().map(|pair| (Some(&pair.theirs), Counts::default())).collect();
        for path in titles.iter().flat_map(Self::claimed) {
            let mapped = mapping.map(path);
            let known = matches!(&mapped, Mapped::Here(file) if known(file));
            let pair = mapping.pair_for(path).map(|pair| &pair.theirs);
            by_pair.entry(pair).or_default().add(&mapped, known);
            if let Some(counts) = around(&all, path).and_then(|path| by_folder.get_mut(path)) {
                counts.add(&mapped, known);
            }
        }
        Self {
            folders: by_folder.into_iter().map(|(path, counts)| (path.clone(), counts)).collect(),
            pairs: by_pair.into_iter().map(|(path, counts)| (path.cloned(), counts)).collect(),
        }
    }

    /// The paths at which a service says that something of a title is: its files, or else the folder.
    pub fn claimed(title: &Listed) -> impl Iterator<Item = &ServicePath> {
        let files = title.files.iter().filter(|file| file.accessible != Some(false));
        let folder =
            (title.files.is_empty() && title.file_count > 0).then_some(title.folder.as_ref());
        files.map(|file| &file.path).chain(folder.flatten())
    }

    /// A folder of the service, or else a pair, of which too little is known here: what the service
    /// has there may be any title. No folder: the paths that no pair was taken for.
    #[must_use]
    pub fn unfit(&self) -> Option<(Option<&ServicePath>, Counts)> {
        let folders = self.folders.iter().map(|(path, counts)| (Some(path), *counts));
        let pairs = self.pairs.iter().map(|(path, counts)| (path.as_ref(), *counts));
        folders.chain(pairs).find(|(_, counts)| !counts.fits())
    }

    /// Whether the absence of a path that was known here refutes a claim of it: by its folder of the
    /// service, or else by its pair.
    #[must_use]
    pub fn refutes(&self, mapping: &Mapping, path: &ServicePath) -> bool {
        let all: BTreeMap<ServiceParts, &ServicePath> =
            self.folders.iter().filter_map(|(path, _)| Some((path.parts()?, path))).collect();
        let counts = match around(&all, path) {
            Some(folder) => self.folders.iter().find(|(path, _)| path == *folder).map(|f| f.1),
            None => {
                let pair = mapping.pair_for(path).map(|pair| &pair.theirs);
                self.pairs.iter().find(|(theirs, _)| theirs.as_ref() == pair).map(|p| p.1)
            }
        };
        counts.is_some_and(Counts::refutes)
    }
}

/// The innermost of `folders` that a path lies in.
fn around<'a, T>(folders: &'a BTreeMap<ServiceParts, T>, path: &ServicePath) -> Option<&'a T> {
    let parts = path.parts()?;
    (0..=parts.names().len()).find_map(|up| folders.get(&parts.without(up)?))
}

/// A pair that would bring more of a service's paths to what is known here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Proposal {
    /// The folder of the service.
    pub theirs: ServicePath,
    /// The directory here.
    pub here: PathBuf,
    /// How many of the paths that were looked at it would map.
    pub maps: usize,
    /// How many were looked at.
    pub of: usize,
}

/// Finds the pair that would map the most of `paths` to one of the files, or a folder above one, that
/// `known` has. Two paths are taken for the same place where they end alike.
pub fn proposal<'a>(
    mapping: &Mapping,
    paths: impl IntoIterator<Item = &'a ServicePath>,
    known: impl IntoIterator<Item = FilePath>,
) -> Option<Proposal> {
    let mut sample: Vec<ServiceParts> = paths.into_iter().filter_map(ServicePath::parts).collect();
    sample.sort();
    sample.dedup();
    let step = sample.len().div_ceil(SAMPLE).max(1);
    let sample: Vec<ServiceParts> = sample.into_iter().step_by(step).collect();
    let places = ending_alike(mapping, &sample, known);

    // What stands before the part that is alike is what a pair would replace.
    let mut votes: BTreeMap<(ServiceParts, PathBuf), Vec<&ServiceParts>> = BTreeMap::new();
    for path in &sample {
        let Some(last) = path.names().last() else { continue };
        let Some(places) = places.get(last.as_bytes()) else { continue };
        let tails = places.iter().map(|place| (tail(path, place), place));
        let longest = tails.clone().map(|(tail, _)| tail).max().unwrap_or(0);
        let best: BTreeSet<_> = tails
            .filter(|(tail, _)| *tail == longest)
            .filter_map(|(tail, place)| Some((path.without(tail)?, without(place, tail))))
            .collect();
        for pair in best {
            votes.entry(pair).or_default().push(path);
        }
    }
    let ((theirs, here), voters) =
        votes.into_iter().max_by(|a, b| a.1.len().cmp(&b.1.len()).then_with(|| b.0.cmp(&a.0)))?;
    // Nearer to the titles both sides go on alike: the pair that a person would write.
    let common = common(&theirs, &voters);
    let mut here = here;
    here.extend(&common);
    let theirs = theirs.join(common.iter().map(String::as_str));
    Some(Proposal { theirs, here, maps: voters.len(), of: sample.len() })
}

/// The places here that have the last name of one of `sample`.
fn ending_alike(
    mapping: &Mapping,
    sample: &[ServiceParts],
    known: impl IntoIterator<Item = FilePath>,
) -> HashMap<Vec<u8>, BTreeSet<PathBuf>> {
    let wanted: HashSet<&[u8]> =
        sample.iter().filter_map(|path| Some(path.names().last()?.as_bytes())).collect();
    let mut places: HashMap<Vec<u8>, BTreeSet<PathBuf>> = HashMap::new();
    for file in known {
        let Some(path) = mapping.absolute(&file) else { continue };
        // The file, and each folder between it and the root.
        for place in path.ancestors().take(file.rel.components().count()) {
            let name = place.file_name().unwrap_or_default().as_bytes();
            if wanted.contains(name) {
                let alike = places.entry(name.to_vec()).or_default();
                if alike.len() <= ALIKE {
                    alike.insert(place.to_path_buf());
                }
            }
        }
    }
    places.retain(|_, alike| alike.len() <= ALIKE);
    places
}

/// How many names both end with.
fn tail(path: &ServiceParts, place: &Path) -> usize {
    let ours = place.components().rev().filter(|part| matches!(part, Component::Normal(_)));
    let both = path.names().iter().rev().zip(ours);
    both.take_while(|(theirs, ours)| theirs.as_bytes() == ours.as_os_str().as_bytes()).count()
}

fn without(place: &Path, count: usize) -> PathBuf {
    place.ancestors().nth(count).unwrap_or(Path::new("/")).to_path_buf()
}

/// The names below `folder` that the folders of all `paths` have in common.
fn common(folder: &ServiceParts, paths: &[&ServiceParts]) -> Vec<String> {
    let below = |path: &ServiceParts| -> Vec<String> {
        let names = path.below(folder).unwrap_or_default();
        names[..names.len().saturating_sub(1)].to_vec()
    };
    let mut all = paths.iter().map(|path| below(path));
    let first = all.next().unwrap_or_default();
    all.fold(first, |common, names| {
        common.into_iter().zip(names).take_while(|(a, b)| a == b).map(|(a, _)| a).collect()
    })
}

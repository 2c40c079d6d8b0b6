//! Which pair is wrong, and which would be right.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::PathBuf;

use super::disk::{Disk, Seen};
use super::{Finding, FolderView, Outcome, ServiceView};
use crate::catalog::{Counts, Coverage, Mapped, Mapping, Pair, Proposal, proposal};
use crate::config::{ServiceSettings, Settings, pair, pair_key};
use crate::domain::{
    FilePath, Listed, Listing, RootName, ServiceFolder, ServiceParts, ServicePath, shown,
};

/// Holds what an instance lists against the disk, and says in which roots anything of it was found.
pub(super) fn weigh(
    settings: &Settings,
    service: &ServiceSettings,
    listing: &Listing,
    disk: &Disk,
    view: &mut ServiceView,
) -> BTreeSet<RootName> {
    let mapping = Mapping::new(&service.paths, &settings.paths, &disk.places());
    let roots = RefCell::new(BTreeSet::new());
    let known = |file: &FilePath| {
        let is_there = disk.look(file) == Seen::There;
        if is_there && !roots.borrow().contains(&file.root) {
            roots.borrow_mut().insert(file.root.clone());
        }
        is_there
    };
    let coverage = Coverage::of(&mapping, &listing.titles, &listing.folders, known);
    let check = Check { settings, service, mapping, disk };
    for (root, why) in disk.shut() {
        view.untold(format!("root {root} can't be looked at: {why}"));
    }
    for folder in &listing.folders {
        view.findings.extend(blind(folder));
    }
    for (folder, counts) in &coverage.folders {
        let row = check.row(folder, *counts);
        if !row.fits {
            check.wrong(&listing.titles, &coverage, folder, view);
        }
        view.folders.push(row);
    }
    let named: u64 = coverage.pairs.iter().map(|(_, counts)| counts.all()).sum();
    if listing.folders.is_empty() {
        let says = "it names no folder that it keeps titles in: is it set up?".to_owned();
        view.findings.push(Finding {
            key: None,
            outcome: Outcome::ToFix,
            says,
            write: None,
            table: None,
        });
    } else if named == 0 {
        view.untold("it lists no title with a file, so nothing shows whether its paths fit".into());
    }
    view.outcome =
        view.findings.iter().map(|finding| finding.outcome).max().unwrap_or(Outcome::Well);
    roots.into_inner()
}

/// A folder that the instance itself can't see.
fn blind(folder: &ServiceFolder) -> Option<Finding> {
    let path = shown(folder.path.0.as_bytes());
    let says =
        format!("it can't see its own folder {path}, so that nothing it misses there counts");
    let blind = folder.accessible == Some(false);
    let outcome = Outcome::ToFix;
    blind.then_some(Finding { key: None, outcome, says, write: None, table: None })
}

struct Check<'a> {
    settings: &'a Settings,
    service: &'a ServiceSettings,
    mapping: Mapping,
    disk: &'a Disk,
}

impl Check<'_> {
    fn row(&self, folder: &ServicePath, counts: Counts) -> FolderView {
        let (here, root) = match self.mapping.map(folder) {
            Mapped::Here(file) => (self.mapping.absolute(&file), Some(file.root.to_string())),
            Mapped::Outside(path) => (Some(path), None),
            Mapped::Unmapped => (None, None),
        };
        FolderView {
            path: folder.0.clone(),
            here: here.map(|here| here.display().to_string()),
            root,
            key: self.mapping.pair_for(folder).map(|pair| self.key(pair)),
            paths: counts.all(),
            mapped: counts.mapped,
            found: counts.known,
            fits: counts.fits(),
        }
    }

    fn key(&self, pair: &Pair) -> String {
        pair_key(pair.own.then_some(&self.service.instance), &pair.theirs)
    }

    /// Says of each pair that was taken in a folder what is wrong with it.
    fn wrong(
        &self,
        titles: &[Listed],
        coverage: &Coverage,
        folder: &ServicePath,
        view: &mut ServiceView,
    ) {
        let folders: BTreeSet<ServiceParts> =
            coverage.folders.iter().filter_map(|(path, _)| path.parts()).collect();
        let Some(of) = folder.parts() else { return };
        let mut groups: BTreeMap<Option<(ServicePath, bool)>, Group<'_>> = BTreeMap::new();
        for path in titles.iter().flat_map(Coverage::claimed) {
            if innermost(&folders, path).as_ref() != Some(&of) {
                continue;
            }
            let pair = self.mapping.pair_for(path).map(|pair| (pair.theirs.clone(), pair.own));
            let group = groups.entry(pair).or_default();
            group.of += 1;
            match self.mapping.map(path) {
                Mapped::Here(file) => match self.disk.look(&file) {
                    Seen::There => {}
                    Seen::LeftOut => group.left_out.push(path),
                    Seen::Not => group.astray.push(path),
                },
                Mapped::Outside(_) | Mapped::Unmapped => group.astray.push(path),
            }
        }
        for group in groups.values() {
            if let Some(path) = group.left_out.first() {
                view.findings.push(left_out(group, path));
            }
            if let Some(path) = group.astray.first() {
                view.findings.push(self.astray(folder, group, path));
            }
        }
    }

    fn astray(&self, folder: &ServicePath, group: &Group<'_>, first: &ServicePath) -> Finding {
        let taken = self.mapping.pair_for(first);
        let name = &self.service.instance;
        let (path, folder) = (shown(first.0.as_bytes()), shown(folder.0.as_bytes()));
        let place = match self.mapping.map(first) {
            Mapped::Here(file) => {
                let here = self.mapping.absolute(&file).unwrap_or_default();
                format!("{path} would be {}, which is not there", here.display())
            }
            Mapped::Outside(here) => {
                format!("{path} would be {}, which lies in no root", here.display())
            }
            Mapped::Unmapped => format!("nothing says where {path} lies on this machine"),
        };
        let count = group.of - group.astray.len();
        let mut says = format!("in {folder} {count} of {} paths are found: {place}", group.of);
        // A pair that brings nothing to its place is given up, one that brings some is kept.
        let given_up = taken.filter(|pair| pair.own && count == 0).map(|pair| &pair.theirs);
        let (write, table) = match self.better(group, given_up) {
            Some((proposal, fit)) => {
                let is_its = |path: &ServicePath| path.parts() == proposal.theirs.parts();
                let replaces = given_up.is_some()
                    || taken.is_some_and(|pair| pair.own && is_its(&pair.theirs));
                let does = if replaces { "in its place" } else { "with one more pair" };
                says += &format!("; {fit} of the other {} are found {does}", group.astray.len());
                (Some(pair(&proposal.theirs, &proposal.here)), Some(format!("{name}.paths")))
            }
            None if count > 0 => {
                says += "; correct them in the service, unless they were deleted just now";
                (None, None)
            }
            None => {
                says += "; nothing like it lies below any root: add the root that holds it, or \
                         correct the pair";
                (None, None)
            }
        };
        let key = taken.map_or_else(|| format!("{name}.paths"), |pair| self.key(pair));
        Finding { key: Some(key), outcome: Outcome::ToFix, says, write, table }
    }

    /// The pair that brings at least half of what is astray to where it lies, and how many it brings.
    fn better(
        &self,
        group: &Group<'_>,
        given_up: Option<&ServicePath>,
    ) -> Option<(Proposal, usize)> {
        let last = |path: &&ServicePath| Some(path.parts()?.names().last()?.as_bytes().to_vec());
        let wanted: HashSet<Vec<u8>> = group.astray.iter().filter_map(last).collect();
        let astray = group.astray.iter().copied();
        let proposal = proposal(&self.mapping, astray, self.disk.find(&wanted))?;
        let theirs = proposal.theirs.parts();
        let mut own: Vec<(ServicePath, PathBuf)> = self.service.paths.clone();
        own.retain(|(path, _)| path.parts() != theirs && Some(path) != given_up);
        own.push((proposal.theirs.clone(), proposal.here.clone()));
        let mapping = Mapping::new(&own, &self.settings.paths, &self.disk.places());
        let is_found = |path: &&&ServicePath| match mapping.map(path) {
            Mapped::Here(file) => self.disk.look(&file) == Seen::There,
            Mapped::Outside(_) | Mapped::Unmapped => false,
        };
        let fit = group.astray.iter().filter(is_found).count();
        (fit * 2 >= group.astray.len()).then_some((proposal, fit))
    }
}

/// The paths in one folder that one pair was taken for.
#[derive(Default)]
struct Group<'a> {
    of: usize,
    astray: Vec<&'a ServicePath>,
    left_out: Vec<&'a ServicePath>,
}

fn left_out(group: &Group<'_>, path: &ServicePath) -> Finding {
    let says = format!(
        "{} paths like {} are there and count as no media: `watch.extensions`, `watch.ignore` or those \
         of the root leave them out",
        group.left_out.len(),
        shown(path.0.as_bytes()),
    );
    Finding { key: None, outcome: Outcome::ToFix, says, write: None, table: None }
}

/// The innermost of `folders` that a path lies in.
fn innermost(folders: &BTreeSet<ServiceParts>, path: &ServicePath) -> Option<ServiceParts> {
    let parts = path.parts()?;
    let around = folders.iter().filter(|folder| parts.below(folder).is_some());
    around.max_by_key(|folder| folder.names().len()).cloned()
}

//! Asks the witnesses about one item, afresh: the services, then the disk.
//!
//! It brings facts, never a verdict, and reads only: it must never write below a root, and never
//! turn an error into an absence.

mod ask;
mod follow;
mod hidden;
mod hunt;
mod search;
#[cfg(test)]
mod tests;

pub use ask::{Reply, ask};
pub use hidden::HiddenFolder;
pub use hunt::{Sought, hunt};

use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::Arc;

use crate::clock::Clock;
use crate::disk::{Host, NoRoot, RootDir, open_inner_root, open_root};
use crate::domain::{
    AbsPath, DiskLook, FileId, FileLook, FilePath, FileState, Found, FoundFile, FsId, Item,
    LostFile, Place, RootLook, RootName, Timestamp,
};
use crate::inventory::Rules;

/// A root that may be looked into.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Its path.
    pub path: PathBuf,
    /// What counts in it.
    pub rules: Rules,
    /// A file that must be in it.
    pub marker: Option<String>,
    /// Whether it was found as a mount below another root: without the mount it is not there.
    pub is_inner: bool,
    /// Why it must not be looked into, if so: a look could hang.
    pub dark: Option<String>,
    /// Whether a person said that it will not come back, and nothing came in its place.
    pub retired: bool,
}

/// A name that appeared with the inode of a lost file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Arrived {
    /// Where.
    pub path: FilePath,
    /// The lost file whose inode it has.
    pub lost: FilePath,
    /// The inode.
    pub id: FileId,
    /// When the lost file was certainly still there: an inode born later is another file's.
    pub looked: Timestamp,
    /// Whether the kernel said that it was moved from there.
    pub said_so: bool,
    /// When it came into being, if that was seen when it appeared.
    pub born: Option<Timestamp>,
    /// Whether the title did not have the file again since: what happened there later is then what
    /// happened to it.
    pub last: bool,
    /// What is known of the title that has, or had, this name.
    pub story: Story,
}

/// What was made of the loss of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Story {
    /// It was not lost, or it was found to live.
    Untold,
    /// That is not decided yet.
    UnderReview,
    /// Its title was reported.
    Told,
}

/// What is to be looked for.
#[derive(Debug, Clone)]
pub struct Job {
    /// The item.
    pub item: Item,
    /// When its first loss was seen.
    pub detected: Timestamp,
    /// Every file of it seen lost in this life.
    pub lost: Vec<LostFile>,
    /// Where those lay.
    pub places: Vec<Place>,
    /// Where titles of the same name or provider id were seen.
    pub elsewhere: Vec<Place>,
    /// Names that appeared with a lost file's inode.
    pub arrived: Vec<Arrived>,
    /// The files at those places that the inventory has not lost.
    pub known: Vec<(FilePath, FsId)>,
    /// Folders of any root that can't be listed.
    pub hidden: Vec<HiddenFolder>,
    /// How many more there are.
    pub more_hidden: usize,
    /// Where services say that files of it are.
    pub claims: Vec<FilePath>,
    /// Roots that were not looked through for the lost files since they went, though they must be.
    pub not_hunted: Vec<RootName>,
}

/// The roots of one look, each opened when it is first needed and looked at again at the end.
struct Open<'a> {
    host: &'a Arc<Host>,
    grounds: &'a BTreeMap<RootName, Ground>,
    roots: BTreeMap<RootName, Result<RootDir, NoRoot>>,
}

impl<'a> Open<'a> {
    fn root(&mut self, name: &RootName) -> Option<(&'a Ground, Result<&RootDir, &NoRoot>)> {
        let ground = self.grounds.get(name)?;
        let root = self.roots.entry(name.clone()).or_insert_with(|| match &ground.dark {
            Some(why) => Err(NoRoot::Unreadable(why.clone())),
            None if ground.is_inner => open_inner_root(self.host, &ground.path),
            None => open_root(self.host, &ground.path, ground.marker.as_deref()),
        });
        Some((ground, root.as_ref()))
    }
}

/// Looks at the disk for one item. Blocks as long as the disk does. A fault of our own is an answer
/// too, that says nothing: who waits for one must not wait for ever.
#[must_use]
pub fn look_or_unknown(
    job: &Job,
    grounds: &BTreeMap<RootName, Ground>,
    host: &Arc<Host>,
    clock: &dyn Clock,
) -> DiskLook {
    let looked = catch_unwind(AssertUnwindSafe(|| look(job, grounds, host, clock)));
    looked.unwrap_or_else(|_| {
        let unknown = |file: &LostFile| FileLook {
            path: file.path.clone(),
            shown: AbsPath::new(&match grounds.get(&file.path.root) {
                Some(ground) => file.path.rel.under(&ground.path),
                None => PathBuf::from(file.path.to_string()),
            }),
            state: FileState::Unknown { why: "the look met a fault of its own".to_owned() },
        };
        DiskLook { files: job.lost.iter().map(unknown).collect(), ..DiskLook::default() }
    })
}

fn look(
    job: &Job,
    grounds: &BTreeMap<RootName, Ground>,
    host: &Arc<Host>,
    clock: &dyn Clock,
) -> DiskLook {
    let mut open = Open { host, grounds, roots: BTreeMap::new() };
    let mut result = DiskLook::default();
    for file in &job.lost {
        result.files.push(look_at_file(file, &mut open));
    }
    let own: BTreeSet<&Place> = job.places.iter().collect();
    for place in &job.places {
        search::search(job, place, Found::InPlace, &mut open, clock, &mut result);
    }
    for place in job.elsewhere.iter().filter(|place| !own.contains(place)) {
        search::search(job, place, Found::ByName, &mut open, clock, &mut result);
    }
    for arrived in &job.arrived {
        follow::follow(job, arrived, &mut open, clock, &mut result);
    }
    for (path, fs) in &job.known {
        look_at_known(path, *fs, &mut open, &mut result);
    }
    hidden::look(job, &mut open, &mut result);
    for path in &job.claims {
        let look = look_at_claim(path, &mut open, &result);
        result.claims.push(look);
    }
    for name in &job.not_hunted {
        let Some((ground, _)) = open.root(name) else { continue };
        let why = "it was not looked through yet for what may have been moved there".to_owned();
        result.unseen.push((AbsPath::new(&ground.path), why));
    }
    // The second look: what was seen counts only if each root is still what it was before.
    for (name, root) in &open.roots {
        let (before, after) = match root {
            Ok(root) => (RootLook::Seen { identity: root.identity().clone() }, root.look_again()),
            Err(error) => (error.clone().into(), error.clone().into()),
        };
        result.roots.push((name.clone(), before, after));
    }
    result
}

/// A file that nobody said was lost: there, it is the item's; gone, the inventory is behind, and
/// nothing may be concluded.
fn look_at_known(path: &FilePath, fs: FsId, open: &mut Open<'_>, result: &mut DiskLook) {
    if result.found.iter().any(|found| found.path == *path) {
        return;
    }
    let Some((ground, Ok(root))) = open.root(&path.root) else { return };
    let shown = AbsPath::new(&path.rel.under(&ground.path));
    match root.look(&path.rel, fs) {
        FileState::Present => {
            let Some(id) = root.stat(&path.rel).map(|stat| stat.id) else { return };
            let (path, how) = (path.clone(), Found::InPlace);
            result.found.push(FoundFile { path, shown, id, how, extra: false });
        }
        FileState::Absent => {
            result.unseen.push((shown, "it went just now, which is not listed yet".to_owned()));
        }
        FileState::Unknown { why } => result.unseen.push((shown, why)),
    }
}

/// A file that a service claims. That it is absent says something only of one that was seen before.
fn look_at_claim(path: &FilePath, open: &mut Open<'_>, result: &DiskLook) -> FileLook {
    if let Some(look) = result.files.iter().find(|look| look.path == *path) {
        return look.clone();
    }
    let unknown = |why: String| FileState::Unknown { why };
    let (shown, state) = match open.root(&path.root) {
        Some((ground, root)) => {
            let shown = AbsPath::new(&path.rel.under(&ground.path));
            let state = match root {
                Ok(root) if root.stat(&path.rel).is_some() => FileState::Present,
                Ok(_) => unknown("it is not there, and was never seen there".to_owned()),
                Err(error) => unknown(error.to_string()),
            };
            (shown, state)
        }
        None => {
            let why = format!("root {} is not configured any more", path.root);
            (AbsPath::new(&PathBuf::from(path.to_string())), unknown(why))
        }
    };
    FileLook { path: path.clone(), shown, state }
}

fn look_at_file(file: &LostFile, open: &mut Open<'_>) -> FileLook {
    let path = file.path.clone();
    let unknown = |why: String| FileState::Unknown { why };
    if file.retired && open.grounds.get(&file.path.root).is_none_or(|ground| ground.retired) {
        // A person has said so: there is nothing to look at.
        let ground = open.grounds.get(&file.path.root);
        let shown = match ground {
            Some(ground) => file.path.rel.under(&ground.path),
            None => PathBuf::from(file.path.to_string()),
        };
        return FileLook { path, shown: AbsPath::new(&shown), state: FileState::Absent };
    }
    let Some((ground, root)) = open.root(&file.path.root) else {
        let shown = AbsPath::new(&PathBuf::from(file.path.to_string()));
        let why = format!("root {} is not configured any more", file.path.root);
        return FileLook { path, shown, state: unknown(why) };
    };
    let shown = AbsPath::new(&file.path.rel.under(&ground.path));
    let state = match root {
        // Another disk is in the place of the one that was retired.
        Ok(root) => match root.look(&file.path.rel, file.id.fs) {
            FileState::Unknown { .. } if file.retired && root.file_system() != file.id.fs => {
                FileState::Absent
            }
            state => state,
        },
        Err(error) => unknown(error.to_string()),
    };
    FileLook { path, shown, state }
}

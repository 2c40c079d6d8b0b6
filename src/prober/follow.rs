//! Follows a lost file to a name that appeared with its number, also when that name is gone again.
//!
//! Must never take a file for the lost one that came into being later, and must never report what
//! can't be told from it.

use super::{Arrived, Job, Open, Story};
use crate::clock::Clock;
use crate::disk::RootDir;
use crate::domain::{AbsPath, DiskLook, FileState, Found, FoundFile, Timestamp};

/// Looks whether a name that appeared with a lost file's inode is, or was, that file.
pub(super) fn follow(
    job: &Job,
    arrived: &Arrived,
    open: &mut Open<'_>,
    clock: &dyn Clock,
    result: &mut DiskLook,
) {
    if result.found.iter().any(|found| found.path == arrived.path) {
        return;
    }
    let Some((ground, Ok(root))) = open.root(&arrived.path.root) else { return };
    let rel = &arrived.path.rel;
    let shown = AbsPath::new(&rel.under(&ground.path));
    let found = |how| FoundFile {
        path: arrived.path.clone(),
        shown: shown.clone(),
        id: arrived.id,
        how,
        extra: job.lost.iter().any(|lost| lost.path == arrived.lost && lost.extra),
    };
    let state = root.look(rel, arrived.id.fs);
    let stat = root.stat(rel).filter(|stat| state == FileState::Present && stat.id == arrived.id);
    let is_media = ground.rules.is_media(rel.name().unwrap_or_default());
    if let Some(stat) = stat {
        let born = stat.born.and_then(|born| root.believe_birth(born, clock.wall()));
        match born {
            _ if arrived.said_so => result.found.push(found(Found::ByInode)),
            Some(born) if root.precedes(born, arrived.looked) => {
                result.found.push(found(Found::ByInode));
            }
            Some(_) => {}
            // A number alone proves nothing, neither that it is the same file nor that it isn't.
            None if is_media && keeps_numbers(root) => {
                let why = no_proof(arrived, stat.born);
                result.unseen.push((shown, format!("{why}: it may be the same file")));
            }
            None => {}
        }
        return;
    }
    // What became of it under the new name is the new name's story.
    let went_on = is_media && arrived.last && job.lost.iter().all(|lost| lost.path != arrived.path);
    if went_on && was_it(arrived, root) == Some(true) {
        result.found.push(found(Found::Since));
        return;
    }
    // It was seen there, and now nobody can look.
    if let FileState::Unknown { why } = state {
        result.unseen.push((shown, why));
    } else if went_on && keeps_numbers(root) && was_it(arrived, root).is_none() {
        match arrived.story {
            Story::Untold => result.found.push(found(Found::Since)),
            Story::UnderReview => {
                let why = no_proof(arrived, None);
                let why =
                    format!("{why}; it went from there, and what became of it is under review");
                result.unseen.push((shown, why));
            }
            Story::Told => {}
        }
    }
}

/// Whether a file keeps its number here. Many FUSE file systems give numbers out anew with each mount: of
/// those a number that is met again says nothing at all.
fn keeps_numbers(root: &RootDir) -> bool {
    root.identity().inode.is_some() || root.identity().fs_type == "fuse.mergerfs"
}

/// Whether what was seen under the new name was the lost file; `None` when nothing proves it either
/// way.
fn was_it(arrived: &Arrived, root: &RootDir) -> Option<bool> {
    if arrived.said_so {
        return Some(true);
    }
    arrived.born.map(|born| root.precedes(born, arrived.looked))
}

fn no_proof(arrived: &Arrived, born: Option<Timestamp>) -> String {
    let lost = &arrived.lost;
    match born {
        None => {
            format!("it has the number that {lost} had, and its file system keeps no birth times")
        }
        Some(born) => {
            format!("it has the number that {lost} had, and its birth time {born} is yet to come")
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::os::unix::fs::MetadataExt;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::Duration;

    use super::*;
    use crate::clock::SystemClock;
    use crate::disk::{Host, open_root};
    use crate::domain::{FileId, FilePath, Item, Kind, LostFile, ProviderIds, RelPath, RootName};
    use crate::inventory::Rules;
    use crate::prober::Ground;

    /// A clock that stands.
    struct Stands(Timestamp);

    impl Clock for Stands {
        fn wall(&self) -> Timestamp {
            self.0
        }

        fn monotonic(&self) -> Duration {
            Duration::ZERO
        }
    }

    const HOUR: Duration = Duration::from_hours(1);
    const NEW: &str = "Hitze (1996)/heat.mkv";

    fn at(path: &str) -> FilePath {
        let rel = RelPath::parse(path.as_bytes()).unwrap();
        FilePath::new(RootName::parse("media").unwrap(), rel)
    }

    /// A tree in which a film lies under a new name, and what is known of its arrival there: that it
    /// came last, and was looked at under its old name an hour from now.
    fn moved() -> (tempfile::TempDir, Arc<Host>, Arrived) {
        let tree = tempfile::tempdir().unwrap();
        fs::create_dir(tree.path().join("Hitze (1996)")).unwrap();
        fs::write(tree.path().join(NEW), "film").unwrap();
        let host = Arc::new(Host::new().unwrap());
        let fs = open_root(&host, tree.path(), None).unwrap().file_system();
        let id = FileId { fs, inode: fs::metadata(tree.path().join(NEW)).unwrap().ino() };
        let arrived = Arrived {
            path: at(NEW),
            lost: at("Heat (1995)/heat.mkv"),
            id,
            looked: SystemClock::new().wall().plus(HOUR),
            said_so: false,
            born: None,
            last: true,
            story: Story::Untold,
        };
        (tree, host, arrived)
    }

    /// What comes of it: how it was found, or why nobody knows.
    fn outcome(tree: &Path, host: &Arc<Host>, arrived: &Arrived, now: Timestamp) -> String {
        let lost = LostFile {
            path: arrived.lost.clone(),
            id: arrived.id,
            looked: arrived.looked,
            extra: false,
            retired: false,
            sought: false,
        };
        let (kind, title, ids) = (Kind::Film, "Heat".into(), ProviderIds::default());
        let job = Job {
            item: Item { kind, title, year: Some(1995), ids },
            detected: now,
            lost: vec![lost],
            places: vec![],
            elsewhere: vec![],
            arrived: vec![],
            known: vec![],
            hidden: vec![],
            more_hidden: 0,
            claims: vec![],
            not_hunted: vec![],
        };
        let ground = Ground {
            path: tree.to_path_buf(),
            rules: Rules::new(["mkv"], []),
            marker: None,
            is_inner: false,
            dark: None,
            retired: false,
        };
        let grounds = [(arrived.path.root.clone(), ground)].into();
        let mut open = Open { host, grounds: &grounds, roots: BTreeMap::new() };
        let mut look = DiskLook::default();
        follow(&job, arrived, &mut open, &Stands(now), &mut look);
        let found = look.found.iter().map(|found| format!("{:?}", found.how));
        found.chain(look.unseen.into_iter().map(|(_, why)| why)).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_file_that_is_there_is_the_lost_one_if_it_is_old_enough_and_in_doubt_if_nobody_can_tell() {
        let (tree, host, arrived) = moved();
        let now = SystemClock::new().wall();
        let outcome = |arrived: &Arrived, now| outcome(tree.path(), &host, arrived, now);
        assert_eq!(outcome(&arrived, now.plus(HOUR)), "ByInode");
        let before = Arrived { looked: now.minus(HOUR), ..arrived.clone() };
        assert_eq!(outcome(&before, now.plus(HOUR)), "", "born since: another file's number");
        let said = Arrived { said_so: true, ..before.clone() };
        assert_eq!(outcome(&said, now), "ByInode");
        let doubt = outcome(&before, now.minus(HOUR));
        assert!(doubt.contains("Heat (1995)/heat.mkv") && doubt.contains("yet to come"), "{doubt}");
    }

    #[test]
    fn a_file_that_went_on_was_the_lost_one_if_that_was_seen_when_it_came() {
        let (tree, host, arrived) = moved();
        let outcome = |arrived: &Arrived| outcome(tree.path(), &host, arrived, arrived.looked);
        // Replaced in its place, which is gone for good then.
        let other = FileId { inode: arrived.id.inode + 1, ..arrived.id };
        let replaced = Arrived { id: other, born: Some(arrived.looked), ..arrived.clone() };
        assert_eq!(outcome(&replaced), "Since");
        fs::remove_dir_all(tree.path().join("Hitze (1996)")).unwrap();
        let proven = Arrived { born: Some(arrived.looked), ..arrived.clone() };
        assert_eq!(outcome(&proven), "Since");
        let younger = Arrived { born: Some(arrived.looked.plus(HOUR)), ..arrived.clone() };
        assert_eq!(outcome(&younger), "");
        assert_eq!(outcome(&Arrived { last: false, ..proven }), "", "the title had it again since");
        let no_media = Arrived { path: at("old/heat.bak"), said_so: true, ..arrived };
        assert_eq!(outcome(&no_media), "", "nobody would take that for a title");
    }

    #[test]
    fn without_any_proof_what_went_on_shares_the_fate_of_the_title_that_it_went_to() {
        let (tree, host, arrived) = moved();
        fs::remove_file(tree.path().join(NEW)).unwrap();
        let outcome = |story| {
            outcome(tree.path(), &host, &Arrived { story, ..arrived.clone() }, arrived.looked)
        };
        assert_eq!(outcome(Story::Untold), "Since");
        assert_eq!(outcome(Story::Told), "");
        let waits = outcome(Story::UnderReview);
        assert!(
            waits.contains("keeps no birth times") && waits.contains("under review"),
            "{waits}"
        );
    }
}

//! Folders that nobody can look into: what is lost may have been moved there.

use std::time::Duration;

use super::{Job, Open};
use crate::domain::{AbsPath, DiskLook, FilePath, Timestamp};

/// File systems stamp with a clock that ticks a few times in a hundredth of a second.
const COARSE: Duration = Duration::from_millis(10);

/// A folder that could not be listed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HiddenFolder {
    /// Where.
    pub dir: FilePath,
    /// Why it can't be listed.
    pub why: String,
}

/// Names each folder that may hide a lost file. One that has no folders in it and of which nothing has
/// changed since the file was last seen does not.
pub(super) fn look(job: &Job, open: &mut Open<'_>, result: &mut DiskLook) {
    let Some(looked) = job.lost.iter().map(|lost| lost.looked).min() else { return };
    for hidden in &job.hidden {
        let Some((ground, Ok(root))) = open.root(&hidden.dir.root) else { continue };
        let shown = AbsPath::new(&hidden.dir.rel.under(&ground.path));
        let folder = root.folder(&hidden.dir.rel);
        let is_as_before = folder.is_some_and(|folder| {
            // Its time of writing can be set back, as copying programs do.
            folder.is_flat && precedes(folder.touched, looked)
        });
        if !is_as_before {
            let why = format!(
                "{}: what is missing may have been moved there. Let obituarr read it, or name it in \
                 `ignore`",
                hidden.why
            );
            result.unseen.push((shown, why));
        }
    }
    if job.more_hidden > 0
        && let Some(hidden) = job.hidden.first()
    {
        let why = format!("{} more folders can't be read either", job.more_hidden);
        result.unseen.push((AbsPath::new(hidden.dir.to_string().as_ref()), why));
    }
}

fn precedes(changed: Timestamp, looked: Timestamp) -> bool {
    changed.plus(COARSE) < looked
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;
    use std::fs;
    use std::path::Path;
    use std::sync::Arc;
    use std::time::UNIX_EPOCH;

    use super::*;
    use crate::clock::{Clock, SystemClock};
    use crate::disk::{Host, open_root};
    use crate::domain::{FileId, Item, Kind, LostFile, Place, ProviderIds, RelPath, RootName};
    use crate::inventory::Rules;
    use crate::prober::{Ground, look};

    fn at(path: &str) -> FilePath {
        let rel = RelPath::parse(path.as_bytes()).unwrap();
        FilePath::new(RootName::parse("media").unwrap(), rel)
    }

    /// What keeps the loss of a film, last seen `before` ago, from being believed, with one folder
    /// that can't be read.
    fn doubts(base: &Path, folder: &str, before: Duration) -> usize {
        doubts_at(base, folder, |now| now.minus(before))
    }

    fn doubts_at(base: &Path, folder: &str, looked: impl Fn(Timestamp) -> Timestamp) -> usize {
        let host = Arc::new(Host::new().unwrap());
        let fs = open_root(&host, base, None).unwrap().file_system();
        let path = at("Heat (1995)/Heat.mkv");
        let clock = SystemClock::new();
        let job = Job {
            item: Item {
                kind: Kind::Film,
                title: "Heat".into(),
                year: Some(1995),
                ids: ProviderIds::default(),
            },
            detected: clock.wall(),
            lost: vec![LostFile {
                path,
                id: FileId { fs, inode: 1 },
                looked: looked(clock.wall()),
                extra: false,
                retired: false,
                sought: false,
            }],
            places: vec![Place {
                root: RootName::parse("media").unwrap(),
                folder: at("Heat (1995)").rel,
                loose: false,
            }],
            elsewhere: vec![],
            arrived: vec![],
            known: vec![],
            hidden: vec![HiddenFolder { dir: at(folder), why: "no entry".into() }],
            more_hidden: 0,
            claims: vec![],
            not_hunted: vec![],
        };
        let ground = Ground {
            path: base.into(),
            rules: Rules::new(["mkv"], []),
            marker: None,
            is_inner: false,
            dark: None,
            retired: false,
        };
        let grounds = BTreeMap::from([(RootName::parse("media").unwrap(), ground)]);
        look(&job, &grounds, &host, &clock).unseen.len()
    }

    const HOUR: Duration = Duration::from_hours(1);

    #[test]
    fn a_hidden_folder_that_changed_since_may_hide_the_film_and_one_that_did_not_may_not() {
        let tree = tempfile::tempdir_in("/dev/shm").unwrap();
        let private = tree.path().join("private");
        fs::create_dir(&private).unwrap();
        assert_eq!(doubts(tree.path(), "private", HOUR), 1);
        // What a copying program does.
        let long_ago = UNIX_EPOCH + HOUR;
        fs::File::open(&private).unwrap().set_modified(long_ago).unwrap();
        assert_eq!(doubts(tree.path(), "private", HOUR), 1);
        // Last seen long after the folder was touched: as if in an hour from now.
        assert_eq!(doubts_at(tree.path(), "private", |now| now.plus(HOUR)), 0);
        // With folders in it nobody knows what went on further below.
        fs::create_dir(private.join("films")).unwrap();
        assert_eq!(doubts_at(tree.path(), "private", |now| now.plus(HOUR)), 1);
    }

    #[test]
    fn a_hidden_folder_that_can_not_even_be_seen_may_hide_everything() {
        let tree = tempfile::tempdir().unwrap();
        assert_eq!(doubts(tree.path(), "private/deep", HOUR), 1);
    }
}

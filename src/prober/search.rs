//! Looks for files of an item that live in its folders, and in those of titles of its name.

use super::{Job, Open};
use crate::catalog::{is_loose_file_of, standing_below};
use crate::clock::Clock;
use crate::disk::{FileStat, LookError, RootDir};
use crate::domain::{
    AbsPath, DiskLook, FileId, FilePath, Found, FoundFile, Place, RelPath, Timestamp,
};
use crate::inventory::Listing;

/// The most directories that are listed for one place: a title has fewer.
const MOST_DIRECTORIES: usize = 5_000;
/// The most findings that are told: one would do for a film, a series has an episode each.
const MOST_FOUND: usize = 10_000;

/// Files beside the media that players and managers write whenever they like: they tell nothing of
/// a new media file on its way.
const SIDECARS: &[&str] = &[
    "nfo",
    "xml",
    "json",
    "txt",
    "log",
    "jpg",
    "jpeg",
    "png",
    "webp",
    "gif",
    "bif",
    "tbn",
    "srt",
    "sub",
    "idx",
    "ass",
    "ssa",
    "vtt",
    "smi",
    "sup",
    "sfv",
    "md5",
    "nzb",
    "torrent",
    "url",
    "lnk",
    "html",
    "htm",
    "db",
    "ini",
    "edl",
    "mp3",
    "trickplay",
];

/// Lists a place afresh, with all below it.
pub(super) fn search(
    job: &Job,
    place: &Place,
    how: Found,
    open: &mut Open<'_>,
    clock: &dyn Clock,
    result: &mut DiskLook,
) {
    let Some((ground, root)) = open.root(&place.root) else { return };
    let shown = |path: &RelPath| AbsPath::new(&path.under(&ground.path));
    let root = match root {
        Ok(root) => root,
        Err(error) => {
            result.unseen.push((shown(&place.folder), error.to_string()));
            return;
        }
    };
    let mut to_list = vec![place.folder.clone()];
    let mut listed = 0;
    while let Some(dir) = to_list.pop() {
        listed += 1;
        if listed > MOST_DIRECTORIES {
            let why = format!("more than {MOST_DIRECTORIES} directories");
            result.unseen.push((shown(&place.folder), why));
            return;
        }
        if let Some(why) = root.why_idle(&dir) {
            result.unseen.push((shown(&dir), why));
            continue;
        }
        match root.list(&dir, &ground.rules, clock) {
            Ok(listing) => {
                take(job, place, how, root, &listing, &shown, result);
                if !place.loose {
                    to_list.extend(listing.subdirs.iter().map(|name| dir.join(name)));
                }
            }
            // A folder that is gone is what was to be expected; whether that can be believed is
            // told by the files' own looks.
            Err(LookError::Missing { .. }) => {}
            Err(error) => result.unseen.push((shown(&dir), error.to_string())),
        }
    }
}

fn take(
    job: &Job,
    place: &Place,
    how: Found,
    root: &RootDir,
    listing: &Listing,
    shown: &dyn Fn(&RelPath) -> AbsPath,
    result: &mut DiskLook,
) {
    let belongs = |name: &[u8]| !place.loose || is_loose_file_of(&job.item, name);
    for media in &listing.files {
        let path = listing.dir.join(&media.name);
        let id = FileId { fs: listing.fs, inode: media.inode };
        let by_inode = lost_inode(job, id).is_some_and(|looked| is_older(root, &path, looked));
        if (by_inode || belongs(&media.name)) && result.found.len() < MOST_FOUND {
            let below = path.below(&place.folder).unwrap_or_else(|| path.clone());
            let (_, special) = standing_below(&below);
            let how = if by_inode { Found::ByInode } else { how };
            let shown = shown(&path);
            let path = FilePath::new(place.root.clone(), path);
            result.found.push(FoundFile { path, shown, id, how, extra: special });
        }
    }
    for other in &listing.others {
        let path = listing.dir.join(&other.name);
        let id = FileId { fs: listing.fs, inode: other.inode };
        if let Some(looked) = lost_inode(job, id)
            && is_older(root, &path, looked)
        {
            let shown = shown(&path);
            let path = FilePath::new(place.root.clone(), path);
            result.found.push(FoundFile { path, shown, id, how: Found::ByInode, extra: false });
            continue;
        }
        let concerns = !place.loose || shares_a_stem(job, &other.name) || belongs(&other.name);
        if how == Found::InPlace && concerns && !is_sidecar(&other.name) {
            note_written(job, root, &path, shown, result);
        }
    }
}

/// A file that was written after the loss may be the new one on its way.
fn note_written(
    job: &Job,
    root: &RootDir,
    path: &RelPath,
    shown: &dyn Fn(&RelPath) -> AbsPath,
    result: &mut DiskLook,
) {
    let written = |stat: &FileStat| stat.is_regular && stat.written > job.detected;
    let Some(stat) = root.stat(path).filter(written) else { return };
    if result.written.as_ref().is_none_or(|(_, when)| *when < stat.written) {
        result.written = Some((shown(path), stat.written));
    }
}

/// When the lost file with this inode was certainly still there.
fn lost_inode(job: &Job, id: FileId) -> Option<Timestamp> {
    job.lost.iter().filter(|lost| lost.id == id).map(|lost| lost.looked).max()
}

/// Whether the inode was there before the last look at the lost file; without a birth time nobody
/// knows, and a number alone proves nothing.
fn is_older(root: &RootDir, path: &RelPath, looked: Timestamp) -> bool {
    root.stat(path).and_then(|stat| stat.born).is_some_and(|born| root.precedes(born, looked))
}

fn shares_a_stem(job: &Job, name: &[u8]) -> bool {
    job.lost.iter().any(|lost| {
        let own = crate::catalog::stem(lost.path.rel.name().unwrap_or_default());
        !own.is_empty() && name.windows(own.len()).any(|window| window == own)
    })
}

fn is_sidecar(name: &[u8]) -> bool {
    let dot = name.iter().rposition(|b| *b == b'.');
    let extension = dot.map(|dot| name[dot + 1..].to_ascii_lowercase()).unwrap_or_default();
    SIDECARS.iter().any(|sidecar| sidecar.as_bytes() == extension)
}

//! The one comparison of a listing with what was known.

use std::collections::HashMap;

use super::{Directory, Listing, Media, Name, Other};

/// A listing that differs from the record in the file system it lies on: nothing may be concluded
/// from what it lacks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the directory lies on another file system than before")]
pub struct ForeignFileSystem;

/// What became of one directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Comparison {
    /// Media files whose names are gone.
    pub lost: Vec<Media>,
    /// Media files with names that are new.
    pub found: Vec<Media>,
    /// Media files that keep their name and have another inode: replaced, which is not a loss.
    pub replaced: Vec<Media>,
    /// Media files that were given a name without a media extension: before and after.
    pub renamed: Vec<(Media, Media)>,
    /// Subdirectories whose names are gone.
    pub lost_dirs: Vec<Name>,
    /// Subdirectories with names that are new.
    pub found_dirs: Vec<Name>,
    /// The record to keep from now on.
    pub next: Directory,
}

impl Comparison {
    /// Whether the listing says what the record said.
    #[must_use]
    pub fn is_unchanged(&self) -> bool {
        self.lost.is_empty()
            && self.found.is_empty()
            && self.replaced.is_empty()
            && self.renamed.is_empty()
            && self.lost_dirs.is_empty()
            && self.found_dirs.is_empty()
    }
}

/// Compares a listing with the record of the same directory; without a record all is found.
///
/// A vanished name whose inode is now under a non-media name of the same directory is a rename,
/// not a loss, if that inode is older than the record (a later one is another file that was given
/// the number) or the kernel said so.
///
/// # Errors
/// [`ForeignFileSystem`] when the two lie on different file systems.
pub fn compare(
    known: Option<&Directory>,
    listing: &Listing,
) -> Result<Comparison, ForeignFileSystem> {
    // An empty directory that was never listed was certainly empty now.
    let nothing = Directory { fs: listing.fs, looked: listing.at, ..Directory::default() };
    let known = known.unwrap_or(&nothing);
    if known.fs != listing.fs {
        return Err(ForeignFileSystem);
    }
    let mut result = Comparison::default();
    let mut files = listing.files.clone();
    let mut aliases: Vec<Media> = Vec::new();
    let others: HashMap<u64, &Other> =
        listing.others.iter().map(|other| (other.inode, other)).collect();
    let now: HashMap<&[u8], &Media> =
        listing.files.iter().map(|file| (&*file.name, file)).collect();

    for old in &known.files {
        if let Some(new) = now.get(&*old.name) {
            if new.inode != old.inode {
                result.replaced.push((*new).clone());
            }
            continue;
        }
        if old.alias && !listing.tells_others {
            aliases.push(old.clone());
            continue;
        }
        let heir = others.get(&old.inode).filter(|heir| is_heir(known, old, heir));
        match heir {
            Some(heir) => {
                let alias = Media { name: heir.name.clone(), inode: heir.inode, alias: true };
                if heir.name != old.name {
                    result.renamed.push((old.clone(), alias.clone()));
                }
                aliases.push(alias);
            }
            None => result.lost.push(old.clone()),
        }
    }
    let before: HashMap<&[u8], &Media> =
        known.files.iter().map(|file| (&*file.name, file)).collect();
    result.found =
        listing.files.iter().filter(|file| !before.contains_key(&*file.name)).cloned().collect();
    result.lost_dirs = missing_from(&known.subdirs, &listing.subdirs);
    result.found_dirs = missing_from(&listing.subdirs, &known.subdirs);

    files.append(&mut aliases);
    files.sort_unstable();
    files.dedup();
    result.next =
        Directory { fs: listing.fs, looked: listing.at, files, subdirs: listing.subdirs.clone() };
    if result.is_unchanged() {
        result.next.looked = known.looked;
    }
    Ok(result)
}

/// The indices of `listing.others` whose birth times [`compare`] will want to know.
#[must_use]
pub fn births_needed(known: &Directory, listing: &Listing) -> Vec<usize> {
    let is_listed = |name: &Name| listing.files.binary_search_by(|f| f.name.cmp(name)).is_ok();
    let vanished: HashMap<u64, &Media> = known
        .files
        .iter()
        .filter(|file| !is_listed(&file.name))
        .map(|file| (file.inode, file))
        .collect();
    let wanted =
        |other: &Other| vanished.get(&other.inode).is_some_and(|old| old.name != other.name);
    (0..listing.others.len()).filter(|index| wanted(&listing.others[*index])).collect()
}

/// The indices of `listing.files` that were not there before under that name: each may have come
/// from anywhere, and may be gone again when somebody asks.
#[must_use]
pub fn newcomers(known: Option<&Directory>, listing: &Listing) -> Vec<usize> {
    let known: HashMap<&[u8], u64> = known
        .filter(|known| known.fs == listing.fs)
        .into_iter()
        .flat_map(|known| &known.files)
        .map(|file| (&*file.name, file.inode))
        .collect();
    let is_new = |file: &Media| known.get(&*file.name) != Some(&file.inode);
    (0..listing.files.len()).filter(|index| is_new(&listing.files[*index])).collect()
}

fn is_heir(known: &Directory, old: &Media, heir: &Other) -> bool {
    let same_alias = old.alias && heir.name == old.name;
    let said_so = heir.moved_from.as_deref() == Some(&*old.name);
    let older = heir.born.is_some_and(|born| born <= known.looked);
    same_alias || said_so || older
}

fn missing_from(these: &[Name], those: &[Name]) -> Vec<Name> {
    these.iter().filter(|name| those.binary_search(name).is_err()).cloned().collect()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::{FsId, RelPath, Timestamp};

    fn media(name: &str, inode: u64) -> Media {
        Media { name: name.as_bytes().into(), inode, alias: false }
    }

    fn record(files: &[(&str, u64)]) -> Directory {
        let mut files: Vec<Media> = files.iter().map(|(name, inode)| media(name, *inode)).collect();
        files.sort();
        Directory { fs: FsId(1), looked: Timestamp::from_millis(1_000), files, subdirs: vec![] }
    }

    fn listing(files: &[(&str, u64)], others: &[(&str, u64, Option<i64>)]) -> Listing {
        let record = record(files);
        let other = |(name, inode, born): &(&str, u64, Option<i64>)| Other {
            name: name.as_bytes().into(),
            inode: *inode,
            born: born.map(Timestamp::from_millis),
            moved_from: None,
        };
        Listing {
            dir: RelPath::root(),
            fs: FsId(1),
            at: Timestamp::from_millis(9_000),
            files: record.files,
            subdirs: vec![],
            others: others.iter().map(other).collect(),
            tells_others: true,
            births: HashMap::new(),
        }
    }

    fn names(files: &[Media]) -> Vec<String> {
        files.iter().map(|file| String::from_utf8_lossy(&file.name).into_owned()).collect()
    }

    #[test]
    fn a_name_that_is_gone_is_lost_and_a_new_one_is_found() {
        let now = listing(&[("a.mkv", 1), ("c.mkv", 3)], &[]);
        let result = compare(Some(&record(&[("a.mkv", 1), ("b.mkv", 2)])), &now).unwrap();
        assert_eq!(names(&result.lost), ["b.mkv"]);
        assert_eq!(names(&result.found), ["c.mkv"]);
        assert_eq!(result.next.looked, now.at);
    }

    #[test]
    fn a_file_replaced_under_its_name_is_not_lost() {
        let result =
            compare(Some(&record(&[("a.mkv", 1)])), &listing(&[("a.mkv", 7)], &[])).unwrap();
        assert!(result.lost.is_empty() && result.found.is_empty());
        assert_eq!(result.replaced[0].inode, 7);
        assert_eq!(result.next.files[0].inode, 7);
    }

    #[test]
    fn a_media_file_that_lost_its_extension_is_renamed_and_still_followed() {
        let known = record(&[("a.mkv", 1)]);
        let bak = listing(&[], &[("a.mkv.bak", 1, Some(500))]);
        let result = compare(Some(&known), &bak).unwrap();
        assert!(result.lost.is_empty());
        assert_eq!(result.renamed.len(), 1);
        let again = compare(Some(&result.next), &bak).unwrap();
        assert!(again.is_unchanged(), "{again:?}");
        let gone = compare(Some(&result.next), &listing(&[], &[])).unwrap();
        assert_eq!(names(&gone.lost), ["a.mkv.bak"]);
        let back = compare(Some(&result.next), &listing(&[("a.mkv", 1)], &[])).unwrap();
        assert_eq!(
            (names(&back.lost), names(&back.found)),
            (vec!["a.mkv.bak".into()], vec!["a.mkv".into()])
        );
    }

    #[test]
    fn a_listing_that_was_made_without_knowing_of_a_followed_file_does_not_lose_it() {
        let known = record(&[("a.mkv", 1)]);
        let bak = compare(Some(&known), &listing(&[], &[("a.mkv.bak", 1, Some(500))])).unwrap();
        let unaware = Listing { tells_others: false, ..listing(&[], &[]) };
        let result = compare(Some(&bak.next), &unaware).unwrap();
        assert!(result.is_unchanged(), "{result:?}");
        assert_eq!(result.next.files, bak.next.files);
    }

    #[test]
    fn an_inode_number_given_to_a_younger_file_is_no_rename() {
        let known = record(&[("a.mkv", 1)]);
        for born in [Some(1_001), None] {
            let result = compare(Some(&known), &listing(&[], &[("a.nfo", 1, born)])).unwrap();
            assert_eq!(names(&result.lost), ["a.mkv"], "born {born:?}");
        }
    }

    #[test]
    fn without_birth_times_the_kernel_s_word_makes_a_rename() {
        let mut now = listing(&[], &[("a.bak", 1, None)]);
        now.others[0].moved_from = Some(b"a.mkv"[..].into());
        let result = compare(Some(&record(&[("a.mkv", 1)])), &now).unwrap();
        assert!(result.lost.is_empty());
    }

    #[test]
    fn a_directory_on_another_file_system_proves_nothing() {
        let mut now = listing(&[], &[]);
        now.fs = FsId(2);
        assert_eq!(compare(Some(&record(&[("a.mkv", 1)])), &now), Err(ForeignFileSystem));
    }

    #[test]
    fn birth_times_are_asked_only_of_files_that_have_a_vanished_inode() {
        let now =
            listing(&[("b.mkv", 2)], &[("a.bak", 1, None), ("x.nfo", 2, None), ("y", 5, None)]);
        assert_eq!(births_needed(&record(&[("a.mkv", 1), ("b.mkv", 2)]), &now), [0]);
    }

    #[test]
    fn a_newcomer_has_a_new_name_or_another_inode_under_an_old_one() {
        let now = listing(&[("a.mkv", 1), ("b.mkv", 3), ("c.mkv", 2)], &[]);
        let known = record(&[("a.mkv", 1), ("b.mkv", 2)]);
        assert_eq!(newcomers(Some(&known), &now), [1, 2]);
        assert_eq!(newcomers(None, &now), [0, 1, 2]);
        let elsewhere = Directory { fs: FsId(2), ..known };
        assert_eq!(newcomers(Some(&elsewhere), &now), [0, 1, 2]);
    }

    #[test]
    fn vanished_and_new_subdirectories_are_told() {
        let dir = |names: &[&str]| names.iter().map(|n| n.as_bytes().into()).collect::<Vec<Name>>();
        let known = Directory { subdirs: dir(&["a", "b"]), ..record(&[]) };
        let now = Listing { subdirs: dir(&["b", "c"]), ..listing(&[], &[]) };
        let result = compare(Some(&known), &now).unwrap();
        assert_eq!((result.lost_dirs, result.found_dirs), (dir(&["a"]), dir(&["c"])));
    }

    proptest! {
        /// Against the obvious: sets of names.
        #[test]
        fn lost_and_found_are_the_differences_of_the_names(
            before in proptest::collection::btree_map("[a-f]", 1_u64..9, 0..6),
            after in proptest::collection::btree_map("[a-f]", 1_u64..9, 0..6),
        ) {
            let pairs = |m: &std::collections::BTreeMap<String, u64>| {
                m.iter().map(|(k, v)| (k.clone(), *v)).collect::<Vec<_>>()
            };
            let (b, a) = (pairs(&before), pairs(&after));
            let b: Vec<(&str, u64)> = b.iter().map(|(k, v)| (k.as_str(), *v)).collect();
            let a: Vec<(&str, u64)> = a.iter().map(|(k, v)| (k.as_str(), *v)).collect();
            let result = compare(Some(&record(&b)), &listing(&a, &[])).unwrap();
            let lost: Vec<String> =
                before.keys().filter(|k| !after.contains_key(*k)).cloned().collect();
            let found: Vec<String> =
                after.keys().filter(|k| !before.contains_key(*k)).cloned().collect();
            prop_assert_eq!(names(&result.lost), lost);
            prop_assert_eq!(names(&result.found), found);
            prop_assert_eq!(&result.next.files, &record(&a).files);
            let again = compare(Some(&result.next), &listing(&a, &[])).unwrap();
            prop_assert!(again.is_unchanged());
        }
    }
}

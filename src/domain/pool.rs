//! Pools: several disks, the branches, under one mount point.
//!
//! A pool that loses a branch goes on without a word: the files of that branch are not there any
//! more, and no look ever fails. So what its branches are belongs to what the pool is.

use serde::{Deserialize, Serialize};

use super::{AbsPath, FsId, Identity, Timestamp};

/// What is known of the pool that a root lies on. Part of the root's identity.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Pool {
    /// Its size in bytes, roughly; only where its branches can't all be looked at.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub total: Option<u64>,
    /// Its branches; none where they can't be read and were not configured.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub branches: Vec<Branch>,
}

/// One branch, as it was found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Branch {
    /// Its directory.
    pub path: AbsPath,
    /// What the directory is; `None` when it can't be looked at, or is not mounted though it must be.
    pub is: Option<Box<Identity>>,
    /// Whether it was configured: then it must be a mount point.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub must: bool,
}

/// A branch with a certain disk in it.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct BranchId {
    /// Its directory.
    pub path: AbsPath,
    /// The file system; 0 where it can't be looked at from here.
    pub fs: FsId,
}

/// What a person said will not come back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retired {
    /// The branch; `None` for the root itself.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<AbsPath>,
    /// The file system that it was.
    pub fs: FsId,
    /// When.
    pub at: Timestamp,
}

impl Branch {
    /// The branch with the disk that is in it.
    #[must_use]
    pub fn id(&self) -> BranchId {
        let fs = self.is.as_ref().map(|identity| identity.file_system()).unwrap_or_default();
        BranchId { path: self.path.clone(), fs }
    }

    /// What became of this branch, if it is not what it was.
    fn change(&self, seen: Option<&Self>) -> Option<String> {
        let path = &self.path;
        let is = seen.map(|seen| &seen.is);
        match (&self.is, is) {
            (None, None | Some(None)) => None,
            (None, Some(Some(_))) => {
                Some(format!("branch {path} is there now, and was not before"))
            }
            (Some(_), None) => Some(format!("branch {path} does not belong to the pool any more")),
            (Some(_), Some(None)) => Some(format!("branch {path} is not mounted")),
            (Some(was), Some(Some(is))) => {
                was.matches(is).err().map(|why| format!("branch {path} is away: {why}"))
            }
        }
    }
}

impl BranchId {
    /// Whether it could not be looked at.
    #[must_use]
    pub fn is_unseen(&self) -> bool {
        self.fs == FsId::default()
    }
}

impl Retired {
    /// Whether it is this branch with this disk.
    #[must_use]
    pub fn is(&self, branch: &BranchId) -> bool {
        self.branch.as_ref() == Some(&branch.path) && self.fs == branch.fs
    }
}

impl Pool {
    /// The branch at a path.
    #[must_use]
    pub fn branch(&self, path: &AbsPath) -> Option<&Branch> {
        self.branches.iter().find(|branch| branch.path == *path)
    }

    /// The branches that are not what they were in `self`, with what they were and what is wrong.
    #[must_use]
    pub fn changes(&self, seen: &Self) -> Vec<(BranchId, String)> {
        let known = self.branches.iter().filter_map(|branch| {
            branch.change(seen.branch(&branch.path)).map(|why| (branch.id(), why))
        });
        let new = seen.away().filter(|branch| self.branch(&branch.path).is_none());
        known.chain(new.map(|branch| (branch.id(), not_mounted(branch)))).collect()
    }

    /// Why the pool is not what it was, if so.
    ///
    /// # Errors
    /// Says, for people, what is another now.
    pub(super) fn matches(&self, seen: &Self) -> Result<(), String> {
        let changes: Vec<String> = self.changes(seen).into_iter().map(|(_, why)| why).collect();
        if !changes.is_empty() {
            return Err(changes.join("; "));
        }
        // A larger one too: where a branch was, the disk below its mount point may count now.
        match (self.total, seen.total) {
            (Some(was), Some(is)) if was.abs_diff(is) > was / SLACK => Err(format!(
                "the pool has another size ({} GiB, was {}): a branch may be away; name its \
                 branches under [pools] to be told which",
                is >> 30,
                was >> 30
            )),
            _ => Ok(()),
        }
    }

    /// Why it must not be adopted: a branch that must be mounted is not.
    ///
    /// # Errors
    /// Says which.
    pub fn whole(&self) -> Result<(), String> {
        self.away().next().map_or(Ok(()), |branch| Err(not_mounted(branch)))
    }

    fn away(&self) -> impl Iterator<Item = &Branch> {
        self.branches.iter().filter(|branch| branch.must && branch.is.is_none())
    }

    /// Takes over what is seen of one branch.
    pub fn take_over(&mut self, path: &AbsPath, seen: &Self) {
        let now = seen.branch(path).cloned();
        match (self.branches.iter().position(|branch| branch.path == *path), now) {
            (Some(at), Some(now)) => self.branches[at] = now,
            (Some(at), None) => drop(self.branches.remove(at)),
            (None, Some(now)) => self.branches.push(now),
            (None, None) => {}
        }
    }
}

/// So small a part of its size may a pool gain or lose: file systems that share their room with
/// others change a little all the time.
const SLACK: u64 = 256;

fn not_mounted(branch: &Branch) -> String {
    format!("branch {} is not mounted", branch.path)
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    fn path(text: &str) -> AbsPath {
        AbsPath::new(Path::new(text))
    }

    fn disk(uuid: &str) -> Option<Box<Identity>> {
        Some(Box::new(Identity {
            boot: "b".into(),
            mount: 1,
            device: 1,
            fs_type: "ext4".into(),
            source: "/dev/sda".into(),
            uuid: Some(uuid.into()),
            inode: Some(2),
            born: None,
            pool: None,
        }))
    }

    fn pool(branches: &[(&str, Option<Box<Identity>>)]) -> Pool {
        let branch = |(at, is): &(&str, Option<Box<Identity>>)| Branch {
            path: path(at),
            is: is.clone(),
            must: false,
        };
        Pool { total: None, branches: branches.iter().map(branch).collect() }
    }

    fn check(was: &Pool, is: &Pool, expected: &str) {
        let found = was.matches(is).err().unwrap_or_default();
        assert_eq!(found, expected, "{was:?} {is:?}");
    }

    #[test]
    fn a_branch_that_is_away_or_another_is_named() {
        let whole = pool(&[("/d1", disk("a")), ("/d2", disk("b"))]);
        check(&whole, &whole, "");
        check(&whole, &pool(&[("/d2", disk("b")), ("/d1", disk("a"))]), "");
        check(
            &whole,
            &pool(&[("/d1", disk("a")), ("/d2", disk("root"))]),
            "branch /d2 is away: another file system is there: ext4 on /dev/sda, UUID root, was ext4 on \
             /dev/sda, UUID b",
        );
        check(&whole, &pool(&[("/d1", disk("a")), ("/d2", None)]), "branch /d2 is not mounted");
        check(
            &whole,
            &pool(&[]),
            "branch /d1 does not belong to the pool any more; \
             branch /d2 does not belong to the pool any more",
        );
    }

    #[test]
    fn a_branch_more_is_no_harm_unless_it_must_be_mounted_and_is_not() {
        let one = pool(&[("/d1", disk("a"))]);
        let mut two = pool(&[("/d1", disk("a")), ("/d2", None)]);
        check(&one, &two, "");
        two.branches[1].must = true;
        check(&one, &two, "branch /d2 is not mounted");
        check(&two, &two, "");
        assert!(two.whole().is_err() && one.whole().is_ok());
    }

    #[test]
    fn another_size_says_that_a_branch_may_be_away_where_nothing_else_can() {
        let of = |total| Pool { total, branches: vec![] };
        let (tera, giga) = (1 << 40, 1 << 30);
        check(&of(Some(tera)), &of(Some(tera - giga)), "");
        check(&of(Some(tera)), &of(None), "");
        for is in [tera / 2, tera * 2] {
            let why = of(Some(tera)).matches(&of(Some(is))).unwrap_err();
            assert!(why.contains("another size") && why.contains("was 1024"), "{why}");
        }
    }

    #[test]
    fn one_branch_is_taken_over_and_the_others_stay_what_they_were() {
        let mut was = pool(&[("/d1", disk("a")), ("/d2", disk("b"))]);
        let is = pool(&[("/d1", disk("x")), ("/d2", disk("y"))]);
        was.take_over(&path("/d2"), &is);
        assert_eq!(was, pool(&[("/d1", disk("a")), ("/d2", disk("y"))]));
        was.take_over(&path("/d1"), &pool(&[]));
        assert_eq!(was, pool(&[("/d2", disk("y"))]));
    }
}

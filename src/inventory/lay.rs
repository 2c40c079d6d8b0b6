//! On which branches of a pool the media files of a directory lay when they were last seen.
//!
//! Kept beside the record of the directory and made with it. A file is known by the hash of its
//! name: a million of them must stay small.

use serde::{Deserialize, Serialize};

use crate::domain::BranchId;

/// The most branches that are told apart.
const MOST: usize = 64;

/// One directory's files and their branches.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Lay {
    /// The branches that any of them lay on.
    #[serde(rename = "b")]
    branches: Vec<BranchId>,
    /// Hash of the name, and a bit for each branch; ordered.
    #[serde(rename = "f")]
    files: Vec<(u32, u64)>,
}

impl Lay {
    /// Takes down which of `branches` each file lies on.
    #[must_use]
    pub fn new<'a>(
        branches: &[BranchId],
        files: impl IntoIterator<Item = (&'a [u8], Vec<usize>)>,
    ) -> Self {
        let mut lay = Self::default();
        for (name, at) in files {
            let mut bits = 0;
            for branch in at.into_iter().filter_map(|at| branches.get(at)) {
                let known = lay.branches.iter().position(|known| known == branch);
                let at = known.unwrap_or(lay.branches.len());
                if at < MOST {
                    if known.is_none() {
                        lay.branches.push(branch.clone());
                    }
                    bits |= 1 << at;
                }
            }
            lay.files.push((hash(name), bits));
        }
        lay.files.sort_unstable();
        lay
    }

    /// The branches that a file lay on; none where that was not found out.
    #[must_use]
    pub fn of(&self, name: &[u8]) -> Vec<BranchId> {
        let hash = hash(name);
        let bits = self.files.binary_search_by_key(&hash, |(hash, _)| *hash);
        let bits = bits.map_or(0, |at| self.files[at].1);
        let known = self.branches.iter().enumerate();
        known.filter(|(at, _)| bits >> at & 1 == 1).map(|(_, branch)| branch.clone()).collect()
    }
}

/// FNV-1a, written out because the number is stored and must never change.
fn hash(name: &[u8]) -> u32 {
    name.iter().fold(0x811c_9dc5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::domain::{AbsPath, FsId};

    fn branch(number: u64) -> BranchId {
        BranchId { path: AbsPath::new(Path::new(&format!("/mnt/d{number}"))), fs: FsId(number) }
    }

    #[test]
    fn each_file_has_its_branches_and_an_unknown_one_has_none() {
        let branches: Vec<BranchId> = (0..3).map(branch).collect();
        let lay = Lay::new(&branches, [(&b"a"[..], vec![2]), (b"b", vec![0, 2]), (b"c", vec![])]);
        assert_eq!(lay.of(b"a"), [branch(2)]);
        assert_eq!(lay.of(b"b"), [branch(2), branch(0)]);
        assert!(lay.of(b"c").is_empty() && lay.of(b"d").is_empty());
    }

    #[test]
    fn the_stored_form_never_changes() {
        let lay = Lay::new(&[branch(1)], [(&b"a.mkv"[..], vec![0])]);
        let text = r#"{"b":[{"path":"/mnt/d1","fs":1}],"f":[[3885694184,1]]}"#;
        assert_eq!(serde_json::to_string(&lay).unwrap(), text);
        assert_eq!(serde_json::from_str::<Lay>(text).unwrap(), lay);
    }
}

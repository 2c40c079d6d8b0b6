//! Network and FUSE file systems: what they show is another's word, so an absence needs two looks
//! that lie apart.

use super::Core;
use crate::domain::{
    CandidateId, Evidence, FirstLook, Hold, Identity, Now, RootName, Stage, What, is_remote,
};

impl Core {
    /// Whether what a look has just found absent must be looked at again later. Then the look is
    /// taken down, if it is the first, and the candidate waits for the second.
    pub(super) fn needs_second_look(
        &mut self,
        now: Now,
        id: CandidateId,
        evidence: &[Evidence],
    ) -> bool {
        let Some(root) = self.remote_root(id) else { return false };
        let (wait, settle) = (self.policy.remote_confirm, self.policy.settle);
        let Some(candidate) = self.candidates.get_mut(&id) else { return false };
        let is_first = candidate.absent.is_none();
        let first = *candidate.absent.get_or_insert(FirstLook { at: now.wall, awake: now.awake });
        if now.awake.since(first.awake) >= wait {
            return false;
        }
        let quiet_from = first.awake.plus(wait.saturating_sub(settle));
        candidate.stage = Stage::Settling { quiet_from };
        candidate.evidence = evidence.to_vec();
        let item = candidate.item.clone();
        self.dirty_candidates.insert(id);
        if is_first {
            let why = Hold::Unknown {
                witness: "disk".to_owned(),
                why: format!(
                    "nothing of it is there, but root {root} is on a network or FUSE file system, \
                     where an absence must be seen twice, {} min apart",
                    wait.as_secs().div_ceil(60)
                ),
            };
            self.decide(now, &item, Some(id), What::Held { why }, evidence.to_vec());
        }
        true
    }

    /// A root that a candidate lost files under, and that is on a network or FUSE file system.
    fn remote_root(&self, id: CandidateId) -> Option<RootName> {
        let candidate = self.candidates.get(&id)?;
        let is_anothers_word = |name: &&RootName| {
            let identity = self.roots.get(*name).and_then(|root| root.state.identity.as_ref());
            identity.is_some_and(is_anothers_word)
        };
        // What a person retired needs no look at all.
        let lost = candidate.lost.iter().filter(|file| !file.retired);
        lost.map(|file| &file.path.root).find(is_anothers_word).cloned()
    }
}

/// Whether what a root shows is only what another machine or program says. A pool whose branches
/// are all known, and on disks of this machine, is looked at branch by branch with every look.
fn is_anothers_word(identity: &Identity) -> bool {
    match &identity.pool {
        Some(pool) if !pool.branches.is_empty() => pool
            .branches
            .iter()
            .any(|branch| branch.is.as_ref().is_none_or(|is| is_remote(&is.fs_type))),
        _ => is_remote(&identity.fs_type),
    }
}

//! What lies below a root on other mounts: another watcher's business, or nobody's. And a root that
//! lies on an automount, which looks of ours must not keep mounted.
//!
//! Must never list a directory in which another root is known, mounted or not: what shows there
//! without the mount is not what went with it.

use std::collections::BTreeSet;

use super::Report;
use super::actor::{Actor, Flow};
use crate::disk::{Automount, InnerMounts, RootDir};
use crate::domain::{RelPath, RootLook};

/// The directories that are left out, with all below them.
#[derive(Debug, Default)]
pub(super) struct Elsewhere {
    /// Where other roots are known, mounted or not.
    known: BTreeSet<RelPath>,
    /// What is mounted below the root.
    mounts: InnerMounts,
    /// The state of the mount table that this was read from.
    read_at: Option<u64>,
}

impl Elsewhere {
    pub(super) fn new(known: &[RelPath]) -> Self {
        Self { known: known.iter().cloned().collect(), ..Self::default() }
    }

    /// Whether a directory is left out.
    pub(super) fn has(&self, dir: &RelPath) -> bool {
        let any = !self.known.is_empty() || !self.mounts.points.is_empty();
        any && self.all().any(|point| dir.is_within(point))
    }

    fn all(&self) -> impl Iterator<Item = &RelPath> {
        self.known.iter().chain(&self.mounts.points)
    }

    fn set(&self) -> BTreeSet<RelPath> {
        self.all().cloned().collect()
    }
}

impl Actor {
    /// Reads what is mounted below the root, if that may have changed.
    pub(super) fn note_mounts(&mut self, root: &RootDir) -> Flow {
        // What can't be read now is read at the next look; until then nothing is left out less.
        let Ok(changes) = self.out.host.mount_changes() else { return Ok(()) };
        if self.elsewhere.read_at == Some(changes) {
            return Ok(());
        }
        let Ok(mounts) = root.inner_mounts() else { return Ok(()) };
        let is_first = self.elsewhere.read_at.replace(changes).is_none();
        if mounts == self.elsewhere.mounts && !is_first {
            return Ok(());
        }
        let before = self.elsewhere.set();
        self.elsewhere.mounts = mounts;
        self.leave_out(&before);
        let roots = self.elsewhere.mounts.roots.clone();
        self.send(Report::Mounts { roots })
    }

    /// Takes the places of all other roots that are known below this one.
    pub(super) fn know_inner(&mut self, known: Vec<RelPath>) {
        let before = self.elsewhere.set();
        self.elsewhere.known = known.into_iter().collect();
        self.leave_out(&before);
    }

    /// Forgets what is left out from now on, and looks at what no longer is.
    fn leave_out(&mut self, before: &BTreeSet<RelPath>) {
        let after = self.elsewhere.set();
        for dir in after.difference(before) {
            self.pool.void(dir);
            self.dirty.forget_within(dir);
            self.unseen.remove_within(dir);
        }
        let now = self.now();
        for dir in before.difference(&after) {
            self.dirty.mark(dir, now);
        }
    }

    /// The regular look at the root. One on an automount that is still mounted is not touched: that
    /// would count as use, and keep it mounted for ever.
    pub(super) fn glance(&mut self) -> Flow {
        let mounted = self.out.host.automount(&self.root.path).ok().flatten();
        if let Some(RootLook::Seen { identity }) = self.look.clone()
            && mounted == Some(Automount::Mounted(identity.mount))
            && !self.is_void
        {
            return self.saw(RootLook::Seen { identity });
        }
        self.look().map(drop)
    }
}

//! What the core knows of each root, and how its health changes.

use std::time::Duration;

use super::Core;
use super::saved::RootState;
use super::shrink::Shrink;
use crate::domain::{Awake, Health, Identity, LostFile, Now, RootLook, RootName, Timestamp, What};

/// Why a root that is there is not adopted.
pub const NO_MEDIA_YET: &str = "no media file was seen in it yet";

/// A root, as the core sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Root {
    /// What is stored.
    pub state: RootState,
    /// Whether it can be believed.
    pub health: Health,
    /// Why its health is what it is, for people.
    pub reason: String,
    /// Since when, by the wall clock.
    pub since: Timestamp,
    /// The last loss under it, in awake time.
    pub(super) last_loss: Option<Awake>,
    /// Counts the changes of health: a probe that began under another one is not believed.
    pub(super) epoch: u64,
    /// How many media files it has, and how many went lately.
    pub(super) shrink: Shrink,
    /// Whether it was mounted anew, with nothing to tell that it is the same, and not walked since.
    pub(super) remounted: bool,
    /// The last look at it in this run.
    pub(super) look: Option<RootLook>,
    /// Whether it was looked at in this run: before that, nothing is known against it.
    pub(super) looked: bool,
}

impl Core {
    /// Takes how the number of a root's media files changed: one from which too much went at once is
    /// not trusted until it is back, or a person accepts it.
    pub fn handle_count(&mut self, now: Now, name: &RootName, files: u64, lost: u64, found: u64) {
        let window = self.policy.window;
        let Some(root) = self.roots.get_mut(name) else { return };
        root.shrink.note(now.awake, files, lost, found, window);
        let suspect = match root.state.suspect {
            Some(before) => Some(before).filter(|before| !root.shrink.is_back(*before)),
            // Nothing of it can be told from an empty directory where it used to be mounted.
            None if root.remounted && files == 0 && lost > 0 => Some(lost),
            None => root.shrink.alarm(),
        };
        if suspect == root.state.suspect {
            return;
        }
        root.state.suspect = suspect;
        self.dirty_roots.insert(name.clone());
        self.judge_again(now, name);
    }

    /// Takes note that a root was walked whole.
    pub fn handle_walked(&mut self, name: &RootName) {
        if let Some(root) = self.roots.get_mut(name) {
            root.remounted = false;
        }
    }

    /// Whether accepting a root would change anything: it is suspect, or another than the adopted.
    #[must_use]
    pub fn can_accept(&self, name: &RootName) -> bool {
        let is_suspect = |root: &Root| root.state.suspect.is_some();
        self.roots.get(name).is_some_and(is_suspect) || self.is_another(name)
    }

    /// Whether another thing lies in the place of a root than the adopted one. Once that is accepted,
    /// all that was seen in the root is looked for in it.
    #[must_use]
    pub fn is_another(&self, name: &RootName) -> bool {
        self.can_absorb(name)
            || self.roots.get(name).is_some_and(|root| {
                matches!((&root.look, &root.state.identity), (Some(RootLook::Seen { identity }),
                    Some(adopted)) if adopted.matches(identity).is_err())
            })
    }

    /// A person says that a root is right as it is now: its identity, or what is left in it.
    pub fn accept(&mut self, now: Now, name: &RootName) {
        let Some(root) = self.roots.get_mut(name) else { return };
        root.state.suspect = None;
        root.shrink.accept();
        if let Some(RootLook::Seen { identity }) = root.look.clone() {
            let before = root.state.identity.replace(identity.clone());
            self.carry(name, before.as_ref(), &identity);
        }
        self.forget_retired(name);
        self.dirty_roots.insert(name.clone());
        self.decide_root(now, name, What::Accepted);
        self.judge_again(now, name);
    }

    /// The first walk of an adopted root is over.
    pub fn learned(&mut self, now: Now, name: &RootName) {
        if let Some(root) = self.roots.get_mut(name) {
            root.state.learned = Some(now.wall);
            self.dirty_roots.insert(name.clone());
        }
    }

    /// Judges a root again by the last look at it.
    pub(super) fn judge_again(&mut self, now: Now, name: &RootName) {
        let look = self.roots.get(name).and_then(|root| root.look.clone());
        if let Some(look) = look {
            self.handle_look(now, name, &look);
        }
    }

    /// The file system of a root is called another name than before: so is what was lost on it.
    pub(super) fn carry(&mut self, name: &RootName, before: Option<&Identity>, now: &Identity) {
        let Some(before) = before.map(Identity::file_system) else { return };
        let after = now.file_system();
        if before == after {
            return;
        }
        let carry = |file: &mut LostFile| {
            let concerned = file.path.root == *name && file.id.fs == before;
            if concerned {
                file.id.fs = after;
            }
            concerned
        };
        for (id, candidate) in &mut self.candidates {
            // Each is to be carried, so none may end the search.
            if candidate.lost.iter_mut().map(carry).fold(false, |any, one| any | one) {
                self.dirty_candidates.insert(*id);
            }
        }
        for (key, state) in &mut self.items {
            if state.partial.iter_mut().map(carry).fold(false, |any, one| any | one) {
                self.dirty_items.insert(key.clone());
            }
        }
    }
}

impl Root {
    /// A root that was not looked at yet in this run.
    pub(super) fn unseen(state: RootState, at: Timestamp) -> Self {
        let adopted = state.identity.is_some();
        Self {
            state,
            health: if adopted { Health::Offline } else { Health::Waiting },
            reason: "not looked at yet".to_owned(),
            since: at,
            last_loss: None,
            epoch: 0,
            shrink: Shrink::default(),
            remounted: false,
            look: None,
            looked: false,
        }
    }

    /// The health and reason that follow from a look.
    pub(super) fn judge(&self, look: &RootLook) -> (Health, String) {
        let adopted = self.state.identity.as_ref();
        match (adopted, look) {
            (None, RootLook::Seen { identity }) => {
                let why = identity.pool.as_ref().and_then(|pool| pool.whole().err());
                (Health::Waiting, why.unwrap_or_else(|| NO_MEDIA_YET.to_owned()))
            }
            (Some(adopted), RootLook::Seen { identity }) => match adopted.matches(identity) {
                Ok(()) => match self.state.suspect {
                    None => (Health::Online, identity.to_string()),
                    Some(before) => (Health::Suspect, shrunk(before, self.shrink.files())),
                },
                // All of it is there but for a part of its pool.
                Err(why) if adopted.matches_alone(identity).is_ok() => (Health::Suspect, why),
                Err(why) => (Health::Offline, why),
            },
            (None, RootLook::Missing { why } | RootLook::Unreadable { why }) => {
                (Health::Waiting, why.clone())
            }
            (Some(adopted), RootLook::Missing { why }) => {
                (Health::Offline, format!("{why}; it was {adopted}"))
            }
            (Some(_), RootLook::Unreadable { why }) => (Health::Offline, why.clone()),
            (None, RootLook::Idle { why }) => (Health::Waiting, why.clone()),
            (Some(_), RootLook::Idle { why }) => (Health::Idle, why.clone()),
            (_, RootLook::NoAnswer { after }) => (Health::Stalled, no_answer(*after)),
        }
    }

    /// Takes over a new health; says whether it is another than before.
    pub(super) fn turn(&mut self, health: Health, reason: String, at: Now) -> bool {
        self.reason = reason;
        let first = !std::mem::replace(&mut self.looked, true);
        if self.health == health && !first {
            return false;
        }
        self.health = health;
        self.since = at.wall;
        self.epoch += 1;
        true
    }

    /// Whether a look that found `identity` may be believed.
    pub(super) fn believes(&self, identity: &Identity) -> bool {
        self.health == Health::Online && self.reads(identity)
    }

    /// Whether `identity` is that of the adopted root, which was seen well at last.
    pub(super) fn reads(&self, identity: &Identity) -> bool {
        matches!(self.health, Health::Online | Health::Suspect)
            && self.state.identity.as_ref().is_some_and(|adopted| adopted.matches(identity).is_ok())
    }
}

fn shrunk(before: u64, now: u64) -> String {
    format!(
        "{now} of {before} media files are left, the others went at once; it ends by itself when they \
         are back, or `obituarr accept` says that it is right"
    )
}

fn no_answer(after: Duration) -> String {
    format!("a look at it has not come back after {} s", after.as_secs())
}

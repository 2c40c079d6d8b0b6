//! A person's `retire`: what it would report, and doing it. And the branches of pools that come and
//! go without taking a file along.
//!
//! Must never guess what lay on a disk: a branch of which not every file is known to lie on it or
//! elsewhere is not retired.

use std::collections::BTreeSet;
use std::ops::ControlFlow;
use std::path::Path;

use super::engine::{Engine, Record};
use super::lays::Lays;
use super::messages;
use super::narrator::Line;
use super::orders::Order;
use crate::control::{RetireView, RetiredRoot};
use crate::domain::{AbsPath, BranchId, Health, Now, Observation, RelPath, RootName, Timestamp};
use crate::store::{Storage, StoreError};

/// What a person wants to retire.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Target {
    Root(RootName),
    /// The branch in each root of its pool.
    Branch(AbsPath, Vec<(RootName, BranchId)>),
}

impl Target {
    /// The part of it that concerns one root.
    fn within(self, root: &RootName) -> Option<Self> {
        match self {
            Self::Root(name) => (name == *root).then_some(Self::Root(name)),
            Self::Branch(path, mut roots) => {
                roots.retain(|(name, _)| name == root);
                (!roots.is_empty()).then_some(Self::Branch(path, roots))
            }
        }
    }
}

/// What a person retired before the last end of the daemon: it may not have taken effect.
#[derive(Debug)]
pub(super) struct ToRetire {
    what: String,
    at: Timestamp,
    /// The roots in which it has, or in which what was away is back.
    done: BTreeSet<RootName>,
}

impl From<(String, Timestamp)> for ToRetire {
    fn from((what, at): (String, Timestamp)) -> Self {
        Self { what, at, done: BTreeSet::new() }
    }
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// What retiring a root or a branch does; done if `go`. The inner error says why it can't be.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub fn retire(
        &mut self,
        now: Now,
        what: &str,
        go: bool,
    ) -> Result<Result<RetireView, String>, StoreError> {
        let target = match self.target(what) {
            Ok(target) => target,
            Err(why) => return Ok(Err(why)),
        };
        let losses = match self.losses(now, &target)? {
            Ok(losses) => losses,
            Err(why) => return Ok(Err(why)),
        };
        let mut view = self.retire_view(&target, &losses)?;
        if !go {
            return Ok(Ok(view));
        }
        if let Err(error) = self.recorder.record_verb("retire", &view.what, now.wall) {
            return Ok(Err(format!("{error:#}")));
        }
        self.do_retire(now, &target, losses);
        self.commit(now)?;
        view.retired = true;
        Ok(Ok(view))
    }

    fn target(&self, what: &str) -> Result<Target, String> {
        if !what.starts_with('/') {
            let name = RootName::parse(what)
                .map_err(|_| format!("`{what}` is neither the name of a root nor a full path"))?;
            return self.core.can_retire(&name).map(|()| Target::Root(name));
        }
        // All that is left of the root directory is one slash.
        let trimmed = Some(what.trim_end_matches('/')).filter(|path| !path.is_empty());
        let path = AbsPath::new(Path::new(trimmed.unwrap_or("/")));
        let of = |name: &RootName| self.core.branches(name).any(|branch| branch.path == path);
        let roots: Vec<&RootName> = self.roots.keys().filter(|name| of(name)).collect();
        let mut away = Vec::new();
        let mut why = format!(
            "{path} is not a branch of any pool that a root lies on; `obituarr status` names those \
             that are away"
        );
        for name in roots {
            match self.core.can_retire_branch(name, &path) {
                Ok(branch) => away.push((name.clone(), branch)),
                Err(not) => why = not,
            }
        }
        if away.is_empty() { Err(why) } else { Ok(Target::Branch(path, away)) }
    }

    /// What would be lost, by root and title; why it can't be told, if it can't.
    fn losses(
        &self,
        now: Now,
        target: &Target,
    ) -> Result<Result<Vec<Observation>, String>, StoreError> {
        match target {
            Target::Root(name) => Ok(Ok(self.losses_in(now, name, &mut |_, _| true)?)),
            Target::Branch(path, roots) => {
                let mut losses = Vec::new();
                for (name, branch) in roots {
                    let (mut unknown, mut lays) = (0_u64, Lays::new(&*self.store, name));
                    let mut lost = self.losses_in(now, name, &mut |dir, file| {
                        let on = lays.of(dir, file);
                        unknown += u64::from(on.is_empty());
                        let is_gone =
                            |on: &BranchId| self.core.are_retired(name, std::slice::from_ref(on));
                        let is_this = |on: &BranchId| on.path == branch.path && !is_gone(on);
                        on.iter().any(is_this) && on.iter().all(|on| is_this(on) || is_gone(on))
                    })?;
                    if let Some(error) = lays.error {
                        return Err(error.into());
                    }
                    if unknown > 0 {
                        return Ok(Err(format!(
                            "of {unknown} files in root {name} it was never seen on which branch \
                             they lie, so what lay on {path} is not known; bring the branch back \
                             once and let `obituarr check` look, or say with `obituarr accept \
                             {name}` that the root is right as it is"
                        )));
                    }
                    losses.append(&mut lost);
                }
                Ok(Ok(losses))
            }
        }
    }

    fn retire_view(
        &self,
        target: &Target,
        losses: &[Observation],
    ) -> Result<RetireView, StoreError> {
        let (what, kind, names) = match target {
            Target::Root(name) => (name.to_string(), "root", vec![name.clone()]),
            Target::Branch(path, roots) => {
                let names = roots.iter().map(|(name, _)| name.clone()).collect();
                (path.as_path().to_string_lossy().into_owned(), "branch", names)
            }
        };
        let root = |name: &RootName| {
            let state = self.core.roots().get(name);
            RetiredRoot {
                root: name.to_string(),
                health: state.map(|root| root.health.to_string()).unwrap_or_default(),
                reason: state.map(|root| root.reason.clone()).unwrap_or_default(),
            }
        };
        let roots = names.iter().map(root).collect();
        let titles = self.titles_lost(losses)?;
        Ok(RetireView { what, kind: kind.to_owned(), roots, titles, ..RetireView::default() })
    }

    /// Does it: all of it is stored with the next commit, or nothing.
    fn do_retire(&mut self, now: Now, target: &Target, losses: Vec<Observation>) {
        match target {
            Target::Root(name) => {
                self.core.retire(now, name);
                for loss in losses {
                    let Observation::Lost { item, mut files, sensor, .. } = loss else { continue };
                    files.iter_mut().for_each(|file| file.retired = true);
                    // There is no place any more to look into.
                    let lost = Observation::Lost { item, places: Vec::new(), files, sensor };
                    self.core.handle_observation(now, lost);
                }
                self.batch.dropped_roots.push(name.clone());
                if let Some(run) = self.roots.get_mut(name) {
                    (run.baseline, run.directories, run.files) = (true, 0, 0);
                }
                self.orders.push(Order::Rescan(name.clone()));
            }
            // What lay on it will be found missing, as anything is, once the pool is believed again.
            Target::Branch(_, roots) => {
                for (name, branch) in roots {
                    self.core.retire_branch(now, name, branch);
                    self.orders.push(Order::Rescan(name.clone()));
                }
            }
        }
    }

    /// Whether a root was retired and nothing came in its place.
    pub(super) fn is_retired(&self, root: &RootName) -> bool {
        self.core.roots().get(root).is_some_and(|root| root.state.is_retired())
    }

    /// After a look at a root: what a person retired before the last end takes effect now, and a
    /// branch on which nothing lay may come, go or be another.
    pub(super) fn branches_looked(&mut self, now: Now, root: &RootName, before: &[BranchId]) {
        let is_renamed = |now: BranchId| {
            before.iter().any(|before| before.path == now.path && before.fs != now.fs)
        };
        if self.core.branches(root).any(is_renamed) {
            // The disk is the same under another name: what lies on it is taken down anew.
            self.orders.push(Order::Rescan(root.clone()));
        }
        if let Err(error) = self.finish_retiring(now, root).and_then(|()| self.take_over(now, root))
        {
            // Without knowing what lay where the root stays distrusted.
            tracing::debug!(%root, "the branches of its pool can't be compared: {error}");
        }
    }

    fn finish_retiring(&mut self, now: Now, root: &RootName) -> Result<(), StoreError> {
        for at in 0..self.to_retire.len() {
            let ToRetire { what, at: when, done } = &self.to_retire[at];
            if done.contains(root) {
                continue;
            }
            let (what, when) = (what.clone(), *when);
            let Some(state) = self.core.roots().get(root) else { continue };
            let took_effect = state.state.retired.iter().any(|retired| retired.at == when);
            let is_back = matches!(state.health, Health::Online | Health::Waiting);
            let target = self.target(&what).ok().and_then(|target| target.within(root));
            let is_over = took_effect || is_back;
            if let Some(target) = target.filter(|_| !is_over) {
                match self.losses(now, &target)? {
                    Ok(losses) => {
                        let text =
                            format!("{what}, retired before the last end, now is: root {root}");
                        self.orders
                            .push(Order::Say(Line::new(messages::RETIRED, text).of_root(root)));
                        self.do_retire(Now { wall: when, ..now }, &target, losses);
                    }
                    Err(why) => {
                        let text = format!("{what} was retired, and can't be now: {why}");
                        let line = Line::new(messages::RETIRED, text).of_root(root).because(why);
                        self.orders.push(Order::Say(line));
                    }
                }
            } else if !is_over {
                continue;
            }
            if let Some(to_retire) = self.to_retire.get_mut(at) {
                to_retire.done.insert(root.clone());
            }
        }
        Ok(())
    }

    /// A branch that changed, or went, without a file on it is taken over as it is now.
    fn take_over(&mut self, now: Now, root: &RootName) -> Result<(), StoreError> {
        for (branch, why) in self.core.changed_branches(root) {
            if self.has_files_on(root, &branch)? {
                continue;
            }
            tracing::debug!(%root, "{why}; no file lay on it");
            self.core.take_over_branch(now, root, &branch.path);
        }
        Ok(())
    }

    /// Whether a file may lie on a branch: one of which it is not known may.
    fn has_files_on(&self, root: &RootName, branch: &BranchId) -> Result<bool, StoreError> {
        let mut lays = Lays::new(&*self.store, root);
        let mut found = false;
        self.store.within(root, &RelPath::root(), &mut |dir, record| {
            found = record.files.iter().any(|file| {
                let on = lays.of(&dir, &file.name);
                // The same disk may have had another name.
                let is_on = |on: &BranchId| {
                    on.path == branch.path && !self.core.are_retired(root, std::slice::from_ref(on))
                };
                on.iter().any(is_on) || (on.is_empty() && !file.alias)
            });
            if found { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        lays.error.map_or(Ok(found), |error| Err(error.into()))
    }

    /// Marks the lost files that lay on nothing but what was retired; how many there are.
    pub(super) fn mark_retired(
        &self,
        root: &RootName,
        observations: &mut [Observation],
    ) -> Result<u64, StoreError> {
        let has_any =
            self.core.roots().get(root).is_some_and(|root| {
                root.state.retired.iter().any(|retired| retired.branch.is_some())
            });
        let (mut count, mut lays) = (0, Lays::new(&*self.store, root));
        for observation in observations.iter_mut().filter(|_| has_any) {
            let Observation::Lost { files, .. } = observation else { continue };
            for file in files {
                let rel = &file.path.rel;
                let dir = rel.parent().unwrap_or_default();
                let on = lays.of(&dir, rel.name().unwrap_or_default());
                file.retired = self.core.are_retired(root, &on);
                count += u64::from(file.retired);
            }
        }
        lays.error.map_or(Ok(count), |error| Err(error.into()))
    }
}

//! The watchers beside the loop: started and ended as the configuration says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::checks::Checks;
use super::inner;
use super::looking::Brought;
use super::messages;
use super::narrator::Line;
use super::probing::Probing;
use super::roots::RootSpec;
use super::run::Loop;
use super::services::Panel;
use super::{pools, specs};
use crate::control::{CheckView, Reply};
use crate::domain::{Awake, Now, RootLook, RootName};
use crate::inventory::Inventory;
use crate::prober::Ground;
use crate::sensors::watcher::{self, Handle, Instances, WatchedRoot};
use crate::store::StoreError;

/// Between two looks at a root lies at most one batch of listings, which a slow disk that has just
/// woken up may take many seconds for.
const STALLED_AFTER: Duration = Duration::from_mins(1);
/// The first and the longest wait before a watcher that failed is started again.
const RESTART: Duration = Duration::from_secs(2);
const RESTART_MAX: Duration = Duration::from_mins(5);

fn stalled_after() -> Duration {
    #[cfg(feature = "test-hooks")]
    if let Some(after) = super::hooks::stalled_after() {
        return after;
    }
    STALLED_AFTER
}

/// What runs beside the loop while it runs.
pub(super) struct Beside {
    pub(super) watchers: BTreeMap<RootName, (u64, Handle)>,
    pub(super) generation: u64,
    pub(super) grounds: BTreeMap<RootName, Ground>,
    pub(super) instances: Arc<Instances>,
    pub(super) reports: watcher::Reports,
    pub(super) brought: mpsc::Sender<Brought>,
    pub(super) probing: Probing,
    pub(super) checks: Checks<Reply<CheckView>>,
    pub(super) panel: Panel,
    /// The last look at each root that came back.
    pub(super) looks: BTreeMap<RootName, RootLook>,
    /// Roots whose looks do not come back.
    pub(super) stalled: BTreeSet<RootName>,
    /// Roots whose watchers have failed and were not well since.
    pub(super) failures: BTreeMap<RootName, Failure>,
    /// What is mounted below each configured root, and the roots that are known there.
    pub(super) mounted: inner::Mounted,
    pub(super) inner: BTreeSet<RootName>,
}

/// A watcher that failed.
#[derive(Debug, Default)]
pub(super) struct Failure {
    /// How often in a row.
    times: u32,
    /// When it is started again; `None` while it runs.
    again: Option<Awake>,
}

impl Beside {
    /// Another root that is the very directory that was seen: what lies in it would be counted, and
    /// mourned, twice.
    pub(super) fn has_same_root(&self, root: &RootName, look: &RootLook) -> Option<RootName> {
        let RootLook::Seen { identity } = look else { return None };
        let here = (identity.device, identity.inode?);
        let is_same = |look: &RootLook| match look {
            RootLook::Seen { identity } => {
                Some(here) == identity.inode.map(|i| (identity.device, i))
            }
            _ => false,
        };
        let mut others = self.looks.iter().filter(|(other, _)| *other != root);
        others.find(|(_, look)| is_same(look)).map(|(other, _)| other.clone())
    }
}

impl Loop<'_> {
    /// Takes over the roots of the settings: watchers are started and ended.
    pub(super) fn configure(&mut self, now: Now, beside: &mut Beside) -> Result<(), StoreError> {
        self.host.configure_pools(pools::specs(&self.settings));
        let mut specs = specs::specs(&self.settings);
        beside.inner = self.engine.inner_roots(&specs, &beside.mounted);
        specs.extend(inner::specs(&specs, &beside.inner));
        beside.grounds = specs::grounds(&specs);
        let names: Vec<RootName> = specs.iter().map(|spec| spec.name.clone()).collect();
        let changed = self.engine.configure(now, specs.clone())?;
        beside.panel.configure(&self.settings, &self.clock);
        let services = self.settings.services.iter().map(|service| &service.instance);
        beside.checks.keep(&services.collect());
        for instance in self.engine.configure_services(now, &self.settings)? {
            beside.panel.relist(&instance);
        }
        // What is forgotten must be forgotten before anyone looks.
        self.engine.commit(now)?;
        self.engine.mend_titles()?;
        let gone: Vec<RootName> =
            beside.watchers.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone.iter().chain(&changed) {
            if let Some((_, handle)) = beside.watchers.remove(name) {
                handle.stop();
            }
            beside.checks.gone(name);
            beside.looks.remove(name);
            beside.stalled.remove(name);
            beside.failures.remove(name);
            beside.probing.forget(name);
            beside.mounted.remove(name);
        }
        for spec in specs.iter().filter(|spec| changed.contains(&spec.name)) {
            self.watch(now, spec, beside)?;
        }
        for (name, (_, handle)) in &beside.watchers {
            handle.inner(inner::below(name, &beside.inner));
        }
        Ok(())
    }

    /// Takes over what was mounted or given up below the roots.
    pub(super) fn follow_mounts(
        &mut self,
        now: Now,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        let specs = specs::specs(&self.settings);
        if self.engine.inner_roots(&specs, &beside.mounted) == beside.inner {
            return Ok(());
        }
        self.configure(now, beside)
    }

    fn watch(&mut self, now: Now, spec: &RootSpec, beside: &mut Beside) -> Result<(), StoreError> {
        beside.generation += 1;
        let root = WatchedRoot {
            name: spec.name.clone(),
            path: spec.path.clone(),
            rules: spec.rules.clone(),
            marker: spec.marker.clone(),
            quiet: self.settings.watch.quiet,
            rescan: self.settings.watch.rescan,
            rescan_remote: self.settings.remote.rescan,
            is_inner: spec.within.is_some(),
            inner: inner::below(&spec.name, &beside.inner),
            generation: beside.generation,
        };
        let inventory: Arc<dyn Inventory> = self.store.clone();
        let started = watcher::start(
            root,
            Arc::clone(&self.host),
            inventory,
            beside.reports.clone(),
            Arc::clone(&self.clock),
            &self.cookies,
            Arc::clone(&beside.instances),
        );
        match started {
            Ok(handle) => {
                beside.watchers.insert(spec.name.clone(), (beside.generation, handle));
            }
            Err(error) => {
                let cookies = self.cookies.display();
                let why = format!("it can't be watched: {error} (see also {cookies})");
                self.watcher_failed(now, &spec.name, &why, beside)?;
            }
        }
        Ok(())
    }

    /// A watcher has ended by itself, or could not be started: it is started again, later each
    /// time.
    pub(super) fn watcher_failed(
        &mut self,
        now: Now,
        root: &RootName,
        why: &str,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        if let Some((_, handle)) = beside.watchers.remove(root) {
            handle.stop();
        }
        beside.looks.remove(root);
        beside.stalled.remove(root);
        beside.checks.gone(root);
        let failure = beside.failures.entry(root.clone()).or_default();
        let wait = RESTART.saturating_mul(1 << failure.times.min(16)).min(RESTART_MAX);
        failure.times += 1;
        failure.again = Some(now.awake.plus(wait));
        if failure.times == 1 {
            let text = format!("root {root}: {why}; it is tried again until it works");
            self.narrator.tell(Line::new(messages::UNWATCHED, text).of_root(root).because(why));
        } else {
            tracing::debug!(%root, why, times = failure.times, "its watcher failed again");
        }
        let why = format!("{why}; it is tried again");
        self.engine.looked(now, root, &RootLook::Unreadable { why })
    }

    /// Starts watchers again that have failed.
    pub(super) fn restart_watchers(
        &mut self,
        now: Now,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        let is_due = |failure: &Failure| failure.again.is_some_and(|again| again <= now.awake);
        let due: Vec<RootName> = beside
            .failures
            .iter()
            .filter(|(_, failure)| is_due(failure))
            .map(|(name, _)| name.clone())
            .collect();
        if due.is_empty() {
            return Ok(());
        }
        let mut specs = specs::specs(&self.settings);
        specs.extend(inner::specs(&specs, &beside.inner));
        for spec in specs.iter().filter(|spec| due.contains(&spec.name)) {
            if let Some(failure) = beside.failures.get_mut(&spec.name) {
                failure.again = None;
            }
            self.watch(now, spec, beside)?;
        }
        Ok(())
    }

    /// Notices roots whose looks do not come back, and those whose looks do again.
    pub(super) fn notice_stalls(
        &mut self,
        now: Now,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        if beside.reports.capacity() == 0 {
            // It is the loop that holds the watchers up.
            return Ok(());
        }
        let monotonic = self.clock.monotonic();
        for (name, (_, handle)) in &beside.watchers {
            let after = monotonic.saturating_sub(handle.looked());
            if after >= stalled_after() {
                if beside.stalled.insert(name.clone()) {
                    self.engine.looked(now, name, &RootLook::NoAnswer { after })?;
                    beside.checks.gone(name);
                }
            } else if beside.stalled.remove(name)
                && let Some(look) = beside.looks.get(name)
            {
                self.engine.looked(now, name, look)?;
            }
        }
        Ok(())
    }

    /// Reads the configuration again; a bad one changes nothing.
    pub(super) fn reload(&mut self, now: Now, beside: &mut Beside) -> Result<(), StoreError> {
        self.systemd.reloading();
        match (self.reload)() {
            Ok(settings) => {
                self.engine.set_policy(specs::policy(&settings), settings.history);
                self.around.settle_secs = settings.confirm.settle.as_secs();
                self.around.warnings.clone_from(&settings.warnings);
                self.around.reload_failed = false;
                self.settings = settings;
                let (quiet, rescan) = (self.settings.watch.quiet, self.settings.watch.rescan);
                for (_, handle) in beside.watchers.values() {
                    handle.pace(quiet, rescan);
                }
                self.configure(now, beside)?;
                self.narrator
                    .tell(Line::new(messages::RELOADED, "the configuration was read again"));
            }
            Err(error) => {
                self.around.reload_failed = true;
                let reason = error.to_string();
                let text =
                    format!("the configuration is wrong, the old one stays in effect:\n{reason}");
                self.narrator.tell(Line::new(messages::RELOAD_FAILED, text).because(reason));
            }
        }
        self.systemd.reloaded();
        Ok(())
    }
}

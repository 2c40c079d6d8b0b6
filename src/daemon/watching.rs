//! The watchers beside the loop: started and ended as the configuration says.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use super::messages;
use super::narrator::Line;
use super::probing::{Checks, Probing};
use super::roots::RootSpec;
use super::run::Loop;
use super::{pools, specs};
use crate::control::{CheckView, Reply};
use crate::core::Findings;
use crate::domain::{Now, RootLook, RootName};
use crate::inventory::Inventory;
use crate::prober::Ground;
use crate::sensors::watcher::{self, Handle, Instances, WatchedRoot};
use crate::store::StoreError;

/// Between two looks at a root lies at most one batch of listings, which a slow disk that has just
/// woken up may take many seconds for.
const STALLED_AFTER: Duration = Duration::from_mins(1);

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
    pub(super) findings: mpsc::Sender<(Findings, Duration)>,
    pub(super) probing: Probing,
    pub(super) checks: Checks<Reply<CheckView>>,
    /// The last look at each root that came back.
    pub(super) looks: BTreeMap<RootName, RootLook>,
    /// Roots whose looks do not come back.
    pub(super) stalled: BTreeSet<RootName>,
}

impl Loop<'_> {
    /// Takes over the roots of the settings: watchers are started and ended.
    pub(super) fn configure(&mut self, now: Now, beside: &mut Beside) -> Result<(), StoreError> {
        self.host.configure_pools(pools::specs(&self.settings));
        let specs = specs::specs(&self.settings);
        beside.grounds = specs::grounds(&specs);
        let names: Vec<RootName> = specs.iter().map(|spec| spec.name.clone()).collect();
        let changed = self.engine.configure(now, specs.clone())?;
        // What is forgotten must be forgotten before anyone looks.
        self.engine.commit(now)?;
        let gone: Vec<RootName> =
            beside.watchers.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone.iter().chain(&changed) {
            if let Some((_, handle)) = beside.watchers.remove(name) {
                handle.stop();
                beside.checks.walked(name);
                beside.looks.remove(name);
                beside.stalled.remove(name);
            }
        }
        for spec in specs.iter().filter(|spec| changed.contains(&spec.name)) {
            self.watch(now, spec, beside)?;
        }
        Ok(())
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
                let text = format!("root {} can't be watched: {error}", spec.name);
                let line = Line::new(messages::UNWATCHED, text).of_root(&spec.name);
                self.narrator.tell(line.because(error.to_string()));
                let cookies = self.cookies.display();
                let why = format!("it can't be watched: {error} (see also {cookies})");
                let look = RootLook::Unreadable { why };
                self.engine.looked(now, &spec.name, &look)?;
            }
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
                    beside.checks.walked(name);
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

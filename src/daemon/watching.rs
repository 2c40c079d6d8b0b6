//! The watchers beside the loop: started and ended as the configuration says.

use std::collections::BTreeMap;
use std::sync::Arc;

use tokio::sync::mpsc;

use super::messages;
use super::narrator::Line;
use super::probing::{Checks, Probing};
use super::roots::RootSpec;
use super::run::Loop;
use super::specs;
use crate::control::{CheckView, Reply};
use crate::core::Findings;
use crate::domain::{Now, RootLook, RootName};
use crate::inventory::Inventory;
use crate::prober::Ground;
use crate::sensors::watcher::{self, Handle, Instances, WatchedRoot};

/// What runs beside the loop while it runs.
pub(super) struct Beside {
    pub(super) watchers: BTreeMap<RootName, (u64, Handle)>,
    pub(super) generation: u64,
    pub(super) grounds: Arc<BTreeMap<RootName, Ground>>,
    pub(super) instances: Arc<Instances>,
    pub(super) reports: watcher::Reports,
    pub(super) findings: mpsc::Sender<Findings>,
    pub(super) probing: Probing,
    pub(super) checks: Checks<Reply<CheckView>>,
}

impl Loop<'_> {
    /// Takes over the roots of the settings: watchers are started and ended.
    pub(super) fn configure(&mut self, now: Now, beside: &mut Beside) {
        let specs = specs::specs(&self.settings);
        beside.grounds = Arc::new(specs::grounds(&specs));
        let names: Vec<RootName> = specs.iter().map(|spec| spec.name.clone()).collect();
        let changed = self.engine.configure(now, specs.clone());
        let gone: Vec<RootName> =
            beside.watchers.keys().filter(|name| !names.contains(name)).cloned().collect();
        for name in gone.iter().chain(&changed) {
            if let Some((_, handle)) = beside.watchers.remove(name) {
                handle.stop();
                beside.checks.walked(name);
            }
        }
        for spec in specs.iter().filter(|spec| changed.contains(&spec.name)) {
            self.watch(now, spec, beside);
        }
    }

    fn watch(&mut self, now: Now, spec: &RootSpec, beside: &mut Beside) {
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
                let why = format!("it can't be watched: {error}");
                let look = RootLook::Unreadable { why };
                self.engine.looked(now, &spec.name, &look);
            }
        }
    }

    /// Reads the configuration again; a bad one changes nothing.
    pub(super) fn reload(&mut self, now: Now, beside: &mut Beside) {
        self.systemd.reloading();
        match (self.reload)() {
            Ok(settings) => {
                self.engine.set_policy(specs::policy(&settings), settings.history);
                self.around.settle_secs = settings.confirm.settle.as_secs();
                self.around.warnings.clone_from(&settings.warnings);
                self.around.reload_failed = false;
                self.settings = settings;
                self.configure(now, beside);
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
    }
}

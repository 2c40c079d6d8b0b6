//! The services as the sockets show them.

use super::appraise::{Orphan, as_line};
use super::{Run, State};
use crate::control::{FoundView, ServiceStatus};
use crate::core::ItemState;
use crate::daemon::engine::{Engine, Record};
use crate::domain::{Health, Instance};
use crate::store::Storage;

impl<S: Storage, R: Record> Engine<S, R> {
    /// Each service.
    pub(in crate::daemon) fn service_status(&self) -> Vec<ServiceStatus> {
        self.services.runs.iter().map(|(instance, run)| self.one(instance, run)).collect()
    }

    fn one(&self, instance: &Instance, run: &Run) -> ServiceStatus {
        let (health, reason) = match &run.state {
            State::Unheard => ("unheard", "it was not listed yet".to_owned()),
            State::Well => ("well", "it answers, and what it lists is believed".to_owned()),
            State::Failing(why) => ("unwell", why.clone()),
            State::Doubted(why) => {
                let ends = format!("`obituarr accept {instance}` says that it is right");
                ("unwell", format!("what it lists is not believed: {why}; {ends}"))
            }
        };
        let shelf = self.services.titles.shelf(instance);
        ServiceStatus {
            name: instance.to_string(),
            health: health.to_owned(),
            reason,
            since: run.since,
            version: shelf.map(|shelf| shelf.about.version.clone()),
            titles: shelf.map_or(0, |shelf| shelf.titles.len() as u64),
            listed_at: shelf.map(|shelf| shelf.at),
            notes: notes(instance, run),
        }
    }

    /// What services list with a file in a root that can be believed, and of which there is none.
    pub(in crate::daemon) fn found_missing(&self) -> Vec<FoundView> {
        let is_online = |orphan: &&Orphan| {
            let root = orphan.root.as_ref().and_then(|root| self.core.roots().get(root));
            root.is_some_and(|root| root.health == Health::Online)
        };
        self.orphans(|run| run.appraisal.missing.iter().filter(is_online).collect())
    }

    /// What services list with a file at a place that can't be seen from here.
    pub(in crate::daemon) fn unmatched(&self) -> Vec<FoundView> {
        self.orphans(|run| run.appraisal.unmatched.iter().collect())
    }

    fn orphans<'a>(&'a self, list: impl Fn(&'a Run) -> Vec<&'a Orphan>) -> Vec<FoundView> {
        let mut found = Vec::new();
        for (instance, run) in &self.services.runs {
            for orphan in list(run) {
                // What is under review, or was told, is shown as that.
                let told = |state: &ItemState| state.closed.is_some();
                let keys = orphan.item.match_keys();
                let reviewed = self.core.candidates().values().any(|candidate| {
                    candidate.item.match_keys().iter().any(|key| keys.contains(key))
                });
                let closed = keys.iter().any(|key| self.core.item(key).is_some_and(told));
                if !reviewed && !closed {
                    found.push(FoundView {
                        item: orphan.item.clone(),
                        service: instance.to_string(),
                        place: orphan.place.0.clone(),
                    });
                }
            }
        }
        found
    }
}

/// What is wrong with where its paths lie here.
fn notes(instance: &Instance, run: &Run) -> Vec<String> {
    let mut notes = Vec::new();
    for (folder, counts) in &run.coverage().folders {
        if counts.fits() {
            continue;
        }
        let all = counts.all();
        notes.push(format!(
            "of {all} titles in its folder {} {} are found here: what it claims there refutes nothing \
             and is believed until it says otherwise",
            folder.0, counts.known
        ));
    }
    if let Some(proposal) = &run.appraisal.proposal {
        notes.push(format!(
            "its paths would fit with {} below [{instance}.paths]: {} of {} were found so",
            as_line(proposal),
            proposal.maps,
            proposal.of
        ));
    }
    notes
}

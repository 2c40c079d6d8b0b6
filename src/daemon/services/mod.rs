//! What the services say, joined with what lies on the disk: which instances there are, what each listed
//! when it was last believed, and whether it is believed now.
//!
//! Like the rest of the engine it is synchronous and asks nobody. It must never take a service that
//! could not be asked, or whose listing is not believed, for one that says that something is gone.

mod appraise;
mod asking;
mod hints;
mod panel;
mod refresh;
mod show;
mod sweeping;

use std::collections::{BTreeMap, HashMap, HashSet};
use std::path::PathBuf;
use std::sync::Arc;

use super::engine::{Engine, Record};
use crate::catalog::{Brake, Coverage, MOST_REMEMBERED, Mapping, Remembered, Titles, Trust};
use crate::config::{ServiceSettings, Settings};
use crate::domain::{Awake, Instance, ItemKey, Listed, Now, RootName, Service, Timestamp};
use crate::store::{Storage, StoreError};

pub(super) use appraise::{Appraisal, appraise};
pub(super) use asking::claims;
pub(super) use panel::{Panel, client};

/// Everything that is known of services.
#[derive(Debug, Default)]
pub(super) struct Services {
    runs: BTreeMap<Instance, Run>,
    titles: Titles,
    brake: Brake,
    /// The services that may be asked to look again at a title.
    refresh: Vec<Service>,
    /// When each instance was last asked to look at each title again.
    refreshed: BTreeMap<(Instance, ItemKey), Awake>,
}

/// One instance in this run.
#[derive(Debug)]
struct Run {
    mapping: Arc<Mapping>,
    /// How it is reached and where its paths lie here: when that changes it is learned anew.
    basis: String,
    trust: Trust,
    appraisal: Appraisal,
    state: State,
    since: Timestamp,
}

/// Whether an instance is believed.
#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    /// It was not listed in this run.
    Unheard,
    /// It was listed and believed.
    Well,
    /// It could not be listed.
    Failing(String),
    /// It was listed and not believed.
    Doubted(String),
}

impl Run {
    fn new(mapping: Mapping, basis: String, trust: Trust, now: Now) -> Self {
        let (mapping, since) = (Arc::new(mapping), now.wall);
        let state = match trust.sanity().why() {
            Some(why) => State::Doubted(why),
            None => State::Unheard,
        };
        Self { mapping, basis, trust, appraisal: Appraisal::default(), state, since }
    }

    fn coverage(&self) -> &Coverage {
        &self.appraisal.coverage
    }
}

impl<S: Storage, R: Record> Engine<S, R> {
    /// Takes over the configured services, and what is stored of them. What is not configured any more,
    /// or is reached or mapped otherwise, is forgotten without conclusions. Answers the instances of
    /// which paths may lie elsewhere now: what they list has to be held against the disk again.
    ///
    /// # Errors
    /// When the store can't be read.
    pub fn configure_services(
        &mut self,
        now: Now,
        settings: &Settings,
    ) -> Result<Vec<Instance>, StoreError> {
        self.services.refresh.clone_from(&settings.confirm.refresh);
        self.services.brake = brake(settings);
        let roots: Vec<(RootName, PathBuf)> =
            self.roots.iter().map(|(name, run)| (name.clone(), run.spec.path.clone())).collect();
        let wanted: BTreeMap<Instance, (Mapping, String)> = settings
            .services
            .iter()
            .map(|service| {
                let mapping = Mapping::new(&service.paths, &settings.paths, &roots);
                (service.instance.clone(), (mapping, basis(service, settings)))
            })
            .collect();
        let same = wanted.len() == self.services.runs.len()
            && wanted.iter().all(|(instance, (mapping, basis))| {
                let run = self.services.runs.get(instance);
                run.is_some_and(|run| *run.mapping == *mapping && run.basis == *basis)
            });
        if same {
            return Ok(Vec::new());
        }
        let mut shelves = Vec::new();
        let mut trusts = BTreeMap::new();
        for (instance, known, titles) in self.store.services()? {
            match wanted.get(&instance) {
                Some((_, basis)) if *basis == known.basis => {
                    trusts.insert(instance.clone(), known.trust.clone());
                    shelves.push(known.shelf(instance, titles));
                }
                _ => self.batch.services.push((instance, None)),
            }
        }
        let mappings =
            wanted.iter().map(|(instance, (mapping, _))| (instance.clone(), mapping.clone()));
        self.services.titles = Titles::new(mappings.collect(), shelves, self.past()?);
        let mut before = std::mem::take(&mut self.services.runs);
        let mut changed = Vec::new();
        for (instance, (mapping, basis)) in wanted {
            let trust = trusts.remove(&instance).unwrap_or_default();
            let run = before.remove(&instance).filter(|run| run.basis == basis);
            if run.as_ref().is_none_or(|run| *run.mapping != mapping) {
                changed.push(instance.clone());
            }
            let run = match run {
                // A root that came or went changes where paths lie, not what the service says.
                Some(run) => Run { mapping: Arc::new(mapping), ..run },
                None => Run::new(mapping, basis, trust, now),
            };
            self.services.runs.insert(instance, run);
        }
        Ok(changed)
    }

    /// What services listed once, without what is too much to be remembered.
    fn past(&mut self) -> Result<Vec<Remembered>, StoreError> {
        let mut past = self.store.past()?;
        let over = past.len().saturating_sub(MOST_REMEMBERED);
        let old = past.drain(..over).map(|one| (one.instance, one.id, None));
        self.batch.past.extend(old);
        Ok(past)
    }

    /// Where the paths of each instance lie here.
    pub(super) fn mappings(&self) -> BTreeMap<Instance, Arc<Mapping>> {
        let runs = self.services.runs.iter();
        runs.map(|(instance, run)| (instance.clone(), Arc::clone(&run.mapping))).collect()
    }
}

/// How a service is reached and where its paths lie here, as one text.
fn basis(service: &ServiceSettings, settings: &Settings) -> String {
    let pairs = service.paths.iter().chain(&settings.paths);
    let mut lines = vec![service.url.clone()];
    lines.extend(pairs.map(|(theirs, here)| format!("{}\t{}", theirs.0, here.display())));
    lines.join("\n")
}

fn brake(settings: &Settings) -> Brake {
    let max = usize::try_from(settings.brake.max).unwrap_or(usize::MAX);
    Brake { max, ..Brake::default() }
}

/// What is different between what is stored of an instance and what it lists now: each with its id, as it
/// is now if it is, and whether it is new.
fn difference<'a>(
    before: &'a [Listed],
    now: &'a [Listed],
) -> Vec<(&'a str, Option<&'a Listed>, bool)> {
    let known: HashMap<&str, &Listed> = before.iter().map(|one| (one.id.as_str(), one)).collect();
    let mut changed = Vec::new();
    for one in now {
        let before = known.get(one.id.as_str());
        if before.is_none_or(|before| **before != *one) {
            changed.push((one.id.as_str(), Some(one), before.is_none()));
        }
    }
    let there: HashSet<&str> = now.iter().map(|one| one.id.as_str()).collect();
    let gone = before.iter().filter(|one| !there.contains(one.id.as_str()));
    changed.extend(gone.map(|one| (one.id.as_str(), None, false)));
    changed
}

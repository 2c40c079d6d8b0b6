//! The clients of the services, and when each is listed: what runs beside the loop.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;

use crate::clock::Clock;
use crate::config::{self, ServiceSettings, Settings};
use crate::control::CheckStep;
use crate::domain::{Awake, Failure, Instance};
use crate::prober::Reply;
use crate::sensors::sweep::{self, Listening, Schedule, Swept};
use crate::services::{Access, Client, Url};

/// How many requests one instance is asked at a time.
const CONCURRENCY: usize = 4;
/// For how long an instance that did not answer is taken not to.
const SILENCE: Duration = Duration::from_secs(20);

/// The clients, and what they are doing.
#[derive(Debug)]
pub(in crate::daemon) struct Panel {
    clients: BTreeMap<Instance, (ServiceSettings, Result<Client, String>)>,
    schedule: Schedule,
    listening: BTreeMap<Instance, Listening>,
    sink: mpsc::Sender<Swept>,
    interval: Duration,
    last: u64,
    /// Those that a person wants listed, and not only the timer.
    asked: BTreeSet<Instance>,
    /// How many titles the last listing of each had; 0 where it failed.
    counts: BTreeMap<Instance, u64>,
    /// Those that did not answer a question just now, and what came instead.
    silent: BTreeMap<Instance, (Awake, Failure)>,
}

impl Panel {
    /// Nobody yet; what is listed goes to `sink`.
    pub(in crate::daemon) fn new(sink: mpsc::Sender<Swept>) -> Self {
        Self {
            clients: BTreeMap::new(),
            schedule: Schedule::default(),
            listening: BTreeMap::new(),
            sink,
            interval: Duration::from_hours(6),
            last: 0,
            asked: BTreeSet::new(),
            counts: BTreeMap::new(),
            silent: BTreeMap::new(),
        }
    }

    /// Takes over which instances there are.
    pub(in crate::daemon) fn configure(&mut self, settings: &Settings, clock: &Arc<dyn Clock>) {
        self.interval = settings.sweep.interval;
        let mut before = std::mem::take(&mut self.clients);
        for service in &settings.services {
            let instance = &service.instance;
            let kept = before.remove(instance).filter(|(old, client)| {
                // A key in a file may be another now.
                old == service && client.is_ok() && matches!(old.key, config::SecretSource::Text(_))
            });
            let client = match kept {
                Some((_, client)) => client,
                None => {
                    self.listening.remove(instance);
                    client(service, clock)
                }
            };
            self.clients.insert(instance.clone(), (service.clone(), client));
        }
        self.listening.retain(|instance, _| self.clients.contains_key(instance));
        self.schedule.configure(self.clients.keys());
    }

    /// The client of an instance, or why there is none.
    pub(in crate::daemon) fn client(&self, instance: &Instance) -> Result<Client, String> {
        match self.clients.get(instance) {
            Some((_, client)) => client.clone(),
            None => Err("it is not configured".to_owned()),
        }
    }

    /// Whom to ask about a title. One that did not answer just now is not asked by each of many titles:
    /// every one would wait as long.
    pub(in crate::daemon) fn to_ask(
        &self,
        now: Awake,
        instance: &Instance,
    ) -> Result<Client, Failure> {
        match self.silent.get(instance) {
            Some((since, failure)) if now.since(*since) < SILENCE => Err(failure.clone()),
            _ => self.client(instance).map_err(|why| Failure::Permanent { why }),
        }
    }

    /// Takes down who answered and who did not.
    pub(in crate::daemon) fn answered(&mut self, now: Awake, replies: &[Reply]) {
        for (instance, reply) in replies {
            match reply {
                Err(failure @ Failure::Transient { .. }) => {
                    let silent = self.silent.get(instance);
                    if silent.is_none_or(|(since, _)| now.since(*since) >= SILENCE) {
                        self.silent.insert(instance.clone(), (now, failure.clone()));
                    }
                }
                _ => drop(self.silent.remove(instance)),
            }
        }
    }

    /// Wants everything listed now; which instances are awaited.
    pub(in crate::daemon) fn want_all(&mut self) -> Vec<Instance> {
        self.schedule.all_due();
        self.asked.extend(self.clients.keys().cloned());
        self.clients.keys().cloned().collect()
    }

    /// Wants one listed now.
    pub(in crate::daemon) fn want(&mut self, instance: &Instance) {
        self.schedule.set_due(instance);
        self.asked.insert(instance.clone());
    }

    /// One is to be listed anew: what is under way is held against what is not so any more.
    pub(in crate::daemon) fn relist(&mut self, instance: &Instance) {
        self.listening.remove(instance);
        self.schedule.set_due(instance);
    }

    /// Begins the listings that are due; says which instances can't even be tried, and why.
    pub(in crate::daemon) fn begin(&mut self, now: Awake) -> Vec<(Instance, String)> {
        let due: Vec<Instance> = self
            .schedule
            .due(now)
            .filter(|instance| !self.listening.contains_key(*instance))
            .cloned()
            .collect();
        let mut hopeless = Vec::new();
        for instance in due {
            match self.client(&instance) {
                Ok(client) => {
                    self.last += 1;
                    let listening = sweep::start(client, self.last, self.sink.clone());
                    self.listening.insert(instance, listening);
                }
                Err(why) => {
                    self.schedule.ended(now, &instance, true, self.interval, 0);
                    hopeless.push((instance, why));
                }
            }
        }
        hopeless
    }

    /// Whether only the timer wanted the listing that is over.
    pub(in crate::daemon) fn is_scheduled(&mut self, instance: &Instance) -> bool {
        !self.asked.remove(instance)
    }

    /// A listing has come. Whether it is the one that is awaited.
    pub(in crate::daemon) fn came(&self, instance: &Instance, number: u64) -> bool {
        self.listening.get(instance).is_some_and(|listening| listening.number == number)
    }

    /// Asks an instance to look again at one title. Whatever comes of it, nothing rests on it.
    pub(in crate::daemon) fn refresh(&self, instance: &Instance, id: String) {
        let Ok(client) = self.client(instance) else { return };
        tokio::spawn(async move {
            if let Err(error) = client.refresh(&id).await {
                tracing::debug!(instance = %client.instance(), id, %error, "not looked at again");
            }
        });
    }

    /// How many titles a listing has that is about to be over; one that could not be had has none.
    pub(in crate::daemon) fn counted(&mut self, instance: &Instance, titles: usize) {
        let titles = u64::try_from(titles).unwrap_or(u64::MAX);
        self.counts.insert(instance.clone(), titles);
    }

    /// A listing is over: it was taken over, or it was `in_vain` and is tried again soon.
    pub(in crate::daemon) fn ended(&mut self, now: Awake, instance: &Instance, in_vain: bool) {
        self.listening.remove(instance);
        if !in_vain {
            // Who could be listed whole answers again.
            self.silent.remove(instance);
        }
        let chance = u32::try_from(RandomState::new().hash_one(instance) >> 32).unwrap_or(0);
        self.schedule.ended(now, instance, in_vain, self.interval, chance);
    }

    /// How far each listing is.
    pub(in crate::daemon) fn steps(&self, awaited: &[Instance]) -> Vec<CheckStep> {
        let step = |instance: &Instance| {
            let finished = !awaited.contains(instance);
            let listening = self.listening.get(instance).filter(|_| !finished);
            let (done, of) = match listening.map(|listening| listening.pace.read()) {
                Some(pace) => pace,
                None if finished => (self.counts.get(instance).copied().unwrap_or(0), None),
                None => (0, None),
            };
            CheckStep { what: instance.to_string(), done, of, finished }
        };
        self.clients.keys().map(step).collect()
    }
}

/// A client of an instance, or why there can be none.
pub(in crate::daemon) fn client(
    service: &ServiceSettings,
    clock: &Arc<dyn Clock>,
) -> Result<Client, String> {
    let variable = |name: &str| -> Option<OsString> { std::env::var_os(name) };
    let key = service.key.resolve(variable).map_err(|error| full(&error))?;
    let url = Url::parse(&service.url).map_err(|error| full(&error))?;
    let extra_ca = service.ca.as_deref().map(read_ca).transpose()?;
    let clock = Arc::clone(clock);
    let access = Access {
        instance: service.instance.clone(),
        url,
        key,
        extra_ca,
        deadline: service.timeout,
        concurrency: CONCURRENCY,
        now: Arc::new(move || clock.wall()),
    };
    Client::new(access).map_err(|error| full(&error))
}

fn read_ca(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|error| format!("can't read {}: {error}", path.display()))
}

/// An error with what is behind it.
fn full(error: &dyn std::error::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {}", full(source)),
        None => error.to_string(),
    }
}

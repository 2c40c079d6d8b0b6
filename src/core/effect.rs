//! What goes into the core besides observations, and what it wants done.

use std::time::Duration;

use crate::domain::{
    Awake, CandidateId, DeletionId, DiskLook, Evidence, FilePath, Item, LostFile, Place, ProbeId,
    Testimony, Timestamp,
};

/// How long things are waited for. All in awake time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// Quiet time before a probe.
    pub settle: Duration,
    /// How long other losses under the same root may delay a candidate.
    pub window: Duration,
    /// How long a new file on its way may delay a candidate.
    pub replace_max: Duration,
    /// The first wait before a held candidate is looked at again; it doubles up to an hour.
    pub hold_retry: Duration,
    /// How long a probe may take.
    pub probe_deadline: Duration,
    /// How far apart the two looks lie that an absence on a remote file system needs.
    pub remote_confirm: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            settle: Duration::from_secs(60),
            window: Duration::from_mins(10),
            replace_max: Duration::from_hours(24),
            hold_retry: Duration::from_mins(5),
            probe_deadline: Duration::from_mins(2),
            remote_confirm: Duration::from_hours(1),
        }
    }
}

/// Asks for a fresh look at one item by every witness.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Probe {
    /// The number that the answer must carry.
    pub id: ProbeId,
    /// For whom.
    pub candidate: CandidateId,
    /// What.
    pub item: Item,
    /// When its first loss was seen.
    pub detected: Timestamp,
    /// The same in awake time.
    pub from: Awake,
    /// When its last loss was seen: what was listed since shows where it may have moved to.
    pub after: Awake,
    /// Where it lay.
    pub places: Vec<Place>,
    /// Every file of it seen lost in this life.
    pub lost: Vec<LostFile>,
    /// Its files under names that are no media files'.
    pub follows: Vec<FilePath>,
}

/// What a probe brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Findings {
    /// The probe.
    pub probe: ProbeId,
    /// The candidate.
    pub candidate: CandidateId,
    /// What the disk showed.
    pub disk: DiskLook,
    /// What the services said.
    pub services: Vec<Testimony>,
    /// The facts behind what the services said.
    pub evidence: Vec<Evidence>,
    /// A sign that a new file is on its way, as a service knows it.
    pub replacing: Option<String>,
    /// When it was over.
    pub at: Timestamp,
    /// How long ago that was when the core is told.
    pub age: Duration,
}

impl Findings {
    /// What the disk showed, `at` this time; the core is told at once, and nobody else was asked.
    #[must_use]
    pub fn of_disk(probe: &Probe, disk: DiskLook, at: Timestamp) -> Self {
        Self {
            probe: probe.id,
            candidate: probe.candidate,
            disk,
            services: Vec::new(),
            evidence: Vec::new(),
            replacing: None,
            at,
            age: Duration::ZERO,
        }
    }
}

/// What the core wants done, once what it changed is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Look afresh.
    Probe(Probe),
    /// Tell the tracker; the entry is in the store.
    Forward(DeletionId),
}

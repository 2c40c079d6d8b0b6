//! Whether a listing can be believed, against the last one that was.
//!
//! An instance that came back empty, restored, with another's key or with half its titles says the
//! same as one whose titles were all deleted. Must never let such a listing through but by a
//! person's word or, where it only shrank, by two scheduled sweeps a day apart.

use std::collections::BTreeSet;
use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::changes::Pairing;
use super::shelf::{Index, Shelf};
use crate::domain::{Listed, Listing, Timestamp};

/// So far apart two scheduled sweeps have to be that agree on what is missing.
const APART: Duration = Duration::from_hours(24);

/// Under so many of a hundred pairs of id and title that agree, it is another library.
const AGREEMENT: usize = 90;

/// When so much is missing that a person should look first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Brake {
    /// More than so many titles, whatever their share.
    pub max: usize,
    /// Not more than so many never are too many.
    pub floor: usize,
    /// More than this share is, above the floor; in hundredths of a percent.
    pub share: usize,
}

impl Default for Brake {
    fn default() -> Self {
        Self { max: 25, floor: 3, share: 500 }
    }
}

impl Brake {
    fn trips(self, lost: usize, of: usize) -> bool {
        let share = lost.saturating_mul(10_000) > of.saturating_mul(self.share);
        lost > self.max || (lost > self.floor && share)
    }
}

/// What a listing is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "sanity", rename_all = "snake_case")]
pub enum Sanity {
    /// It can be believed.
    Sane,
    /// It lists nothing, and did.
    Empty,
    /// It is another instance, or its library was made anew.
    OtherInstance {
        /// So many of a hundred titles have the id that they had.
        agreement: u8,
        /// Whether it calls itself as before.
        same_name: bool,
    },
    /// Too much went, or lost its files.
    Shrunk {
        /// So many titles there were.
        from: usize,
        /// So many of them are left as they were.
        to: usize,
    },
}

impl Sanity {
    /// Why nothing that is missing from it counts, for people; `None` where it counts.
    #[must_use]
    pub fn why(&self) -> Option<String> {
        (*self != Self::Sane).then(|| self.to_string())
    }
}

impl fmt::Display for Sanity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Sane => f.write_str("it can be believed"),
            Self::Empty => f.write_str("it lists nothing, and did before"),
            Self::OtherInstance { agreement, same_name: false } => write!(
                f,
                "it is another instance than before: only {agreement} % of its titles have the \
                 ids that they had"
            ),
            Self::OtherInstance { agreement, same_name: true } => write!(
                f,
                "only {agreement} % of its titles have the ids that they had: its library was made \
                 anew or restored, or the key is another instance's"
            ),
            Self::Shrunk { from, to } => {
                write!(f, "of {from} titles only {to} are left as they were")
            }
        }
    }
}

/// A listing that was not believed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
struct Doubt {
    sanity: Sanity,
    /// Who it said to be.
    application: String,
    name: String,
    /// How many titles it had.
    count: usize,
    /// The titles that are missing in it, by their ids before.
    missing: BTreeSet<String>,
    /// When a scheduled sweep first found it so.
    scheduled: Option<Timestamp>,
}

impl Doubt {
    /// Whether `later` says no more than this already did.
    fn covers(&self, later: &Self, brake: Brake, of: usize) -> bool {
        let more = later.missing.difference(&self.missing).count();
        let fewer = self.count.saturating_sub(later.count);
        (&self.application, &self.name) == (&later.application, &later.name)
            && !brake.trips(more, of)
            && !brake.trips(fewer, of)
            && (later.count > 0 || self.count == 0)
    }
}

/// What is doubted of one instance, and what a person said to it. This is its stored form.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Trust {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    doubt: Option<Doubt>,
    /// A person said that it is right as it was when it was doubted.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    accepted: bool,
}

/// What came of a listing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Judged {
    /// What it is worth.
    pub sanity: Sanity,
    /// Whether the instance was started since: its events were missed.
    pub catch_up: bool,
}

impl Trust {
    /// What is doubted now.
    #[must_use]
    pub fn sanity(&self) -> Sanity {
        self.doubt.as_ref().map_or(Sanity::Sane, |doubt| doubt.sanity)
    }

    /// Takes a person's word that the instance is right as it was found when it was doubted. It
    /// holds for the next listing that says no more than that one; `false` where nothing is doubted.
    pub fn accept(&mut self) -> bool {
        self.accepted = self.doubt.is_some();
        self.accepted
    }

    /// Judges a listing against the last one that was believed. `scheduled` says whether a sweep by
    /// the timer read it. A sane one is for [`super::Titles::learn`], no other.
    pub fn judge(
        &mut self,
        last: Option<&Shelf>,
        listing: &Listing,
        scheduled: bool,
        brake: Brake,
    ) -> Judged {
        let Some(last) = last else {
            // The first one only teaches.
            *self = Self::default();
            return Judged { sanity: Sanity::Sane, catch_up: false };
        };
        let catch_up = last.about.started != listing.about.started;
        let found = compare(last, listing, brake);
        if found.sanity == Sanity::Sane {
            *self = Self::default();
            return Judged { sanity: Sanity::Sane, catch_up };
        }
        if listing.moving.is_some() {
            // What is missing from one that moved while it was read begins no day, but until a later
            // one is as before nothing that the instance says is believed.
            let sanity = found.sanity;
            self.doubt.get_or_insert(found);
            return Judged { sanity, catch_up };
        }
        let of = last.titles.len();
        let before = self.doubt.take().filter(|before| before.covers(&found, brake, of));
        let accepted = self.accepted && before.is_some();
        // The day is counted for what was found at its beginning, not for something else.
        let alike = |before: &&Doubt| {
            matches!(before.sanity, Sanity::Shrunk { .. })
                && matches!(found.sanity, Sanity::Shrunk { .. })
        };
        let since = before.as_ref().filter(alike).and_then(|before| before.scheduled);
        let confirmed = scheduled && since.is_some_and(|since| listing.begun.since(since) >= APART);
        self.accepted = false;
        if accepted || confirmed {
            return Judged { sanity: Sanity::Sane, catch_up };
        }
        let sanity = found.sanity;
        // What more went since is only counted from now: the day is of what the first one missed.
        let missing = match before {
            Some(before) if since.is_some() => before.missing,
            _ => found.missing,
        };
        let scheduled = since.or_else(|| scheduled.then_some(listing.begun));
        self.doubt = Some(Doubt { missing, scheduled, ..found });
        Judged { sanity, catch_up }
    }
}

/// What a listing looks like beside the last one.
fn compare(last: &Shelf, listing: &Listing, brake: Brake) -> Doubt {
    let pairing = Pairing::of(&last.titles, &listing.titles);
    let changed = last.titles.iter().zip(&pairing.now).filter(|(old, now)| {
        // A title that lost all its files went as far as anyone can tell from here.
        now.is_none_or(|now| old.file_count > 0 && listing.titles[now].file_count == 0)
    });
    let missing: BTreeSet<String> = changed.map(|(old, _)| old.id.clone()).collect();
    let from = last.titles.len();
    let same_name = last.about.application == listing.about.application
        && last.about.name == listing.about.name;
    let (agreeing, all) = agreement(&last.titles, &listing.titles, &pairing);
    let differ =
        (all - agreeing) > if same_name { brake.floor } else { 0 } || (all == 0 && !same_name);
    let sanity = if listing.titles.is_empty() && from > 0 {
        Sanity::Empty
    } else if from > 0 && differ && agreeing * 100 < (all * AGREEMENT).max(1) {
        let agreement = u8::try_from(agreeing * 100 / all.max(1)).unwrap_or(100);
        Sanity::OtherInstance { agreement, same_name }
    } else if brake.trips(missing.len(), from) {
        Sanity::Shrunk { from, to: from - missing.len().min(from) }
    } else {
        Sanity::Sane
    };
    Doubt {
        sanity,
        application: listing.about.application.clone(),
        name: listing.about.name.clone(),
        count: listing.titles.len(),
        missing,
        scheduled: None,
    }
}

/// How many titles have the id that they had, and of how many that can be said: those whose id or
/// whose title is still there.
fn agreement(before: &[Listed], now: &[Listed], pairing: &Pairing) -> (usize, usize) {
    let index = Index::without_places(now);
    let (mut agreeing, mut all) = (0, 0);
    for (old, at) in before.iter().zip(&pairing.now) {
        match (at, index.by_id(now, &old.id)) {
            (Some(at), _) if now[*at].id == old.id => (agreeing, all) = (agreeing + 1, all + 1),
            (Some(_), _) | (None, Some(_)) => all += 1,
            (None, None) => {}
        }
    }
    (agreeing, all)
}

//! What is believed of services, and what is not. Each test has a server of its own on loopback.

mod faults;
mod jellyfin;
mod radarr;
mod reaching;
mod shoko;
mod sonarr;
mod stand_in;
mod tls;

use crate::domain::{Kind, ProviderIds, Question, ServicePath, Timestamp};
use stand_in::START;

/// The text of a fixture.
macro_rules! fixture {
    ($path:expr) => {
        include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $path))
    };
}
use fixture;

/// A question about a title with these ids that was known under `known`.
fn question(kind: Kind, ids: ProviderIds, known: &[&str], lost: &[&str]) -> Question {
    Question {
        kind,
        ids,
        anidb: Vec::new(),
        known: known.iter().map(|id| (*id).to_owned()).collect(),
        lost: lost.iter().map(|path| ServicePath((*path).to_owned())).collect(),
        not_before: Timestamp::from_millis(START - 60_000),
    }
}

fn tmdb(id: u64) -> ProviderIds {
    ProviderIds { tmdb: Some(id), ..ProviderIds::default() }
}

fn tvdb(id: u64) -> ProviderIds {
    ProviderIds { tvdb: Some(id), ..ProviderIds::default() }
}

/// Nobody watches.
fn quiet(_: u64, _: Option<u64>) {}

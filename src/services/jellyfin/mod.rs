//! Jellyfin 10.8 to 12: films and series, by their paths.
//!
//! Must never take an item for missing while a scan runs, or where a user's limits may hide it.

mod client;
mod listing;
mod state;
mod wire;

pub(super) use client::Jellyfin;

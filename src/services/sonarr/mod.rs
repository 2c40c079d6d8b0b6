//! Sonarr 4, by version 3 of its API: series.

mod client;
mod wire;

pub(super) use client::Sonarr;

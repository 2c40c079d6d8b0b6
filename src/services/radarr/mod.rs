//! Radarr 5 and 6: films.

mod client;
mod wire;

pub(super) use client::Radarr;

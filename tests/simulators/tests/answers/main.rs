//! The stand-ins asked from outside, as a client asks them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod client;
mod jellyfin;
mod misbehaviour;
mod radarr;
mod schemas;
mod shoko;
mod sonarr;

//! Owns all state, waits for the next event, applies it, performs the effects.
//!
//! The composition root: the only room that knows every other. One loop ([`run`]) owns everything;
//! sensors, probes and sockets send it events and read what it publishes. The state itself is the
//! [`Engine`], synchronous and without threads.
//!
//! It must never act on anything that is not stored, and never block on a disk that hangs.

mod announce;
mod checks;
mod doors;
mod engine;
mod explain;
mod folder_story;
mod folders;
#[cfg(feature = "test-hooks")]
mod hooks;
mod hunting;
mod inner;
mod jobs;
mod lays;
mod listings;
mod looking;
mod losses;
mod messages;
mod moves;
mod narrator;
mod newcomers;
mod online;
mod orders;
mod overlay;
mod pools;
mod probing;
mod pulse;
mod recording;
mod retire;
mod roots;
mod run;
mod services;
mod signals;
mod specs;
mod start;
mod strays;
mod sweeps;
mod systemd;
#[cfg(test)]
mod tests;
mod titles;
mod told;
mod view;
mod watching;
mod words;

pub use engine::{Engine, Record};
pub use messages::{MESSAGES, Message};
pub use online::{Finding, FolderView, Online, Outcome, RootView, ServiceView, online};
pub use orders::{Listed, Order};
pub use pools::not_mounted;
pub use roots::RootSpec;
pub use start::{Options, StartError, Trouble, run};

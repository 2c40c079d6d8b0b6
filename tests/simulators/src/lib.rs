//! Stand-ins for Radarr, Sonarr, Jellyfin and Shoko that speak their real wire formats over one made-up
//! library, and that fail in every way the real ones do, when a test says so.
//!
//! ```no_run
//! use simulators::{Misbehaviour, Radarr, World, radarr};
//!
//! let world = World::new("/tmp/library");
//! world.films(500);
//! let radarr = Radarr::start(&world, radarr::Options { prefix: "/movies".into(), ..Default::default() });
//! println!("{} {}", radarr.url(), radarr.key());
//! radarr.misbehave_from(3, Misbehaviour::Hang);
//! radarr.well();
//! ```
//!
//! A stand-in is told what to list by the [`World`] when it starts; from then on its database is its
//! own and may differ from the disk, as a real one's does. Each runs on a thread of its own, so that
//! the calls here block and can be made from any test. It must never use the daemon's own code: what the
//! two misunderstood together no test would find.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod answer;
mod arr;
mod gate;
pub mod jellyfin;
mod misbehaviour;
mod names;
mod place;
pub mod radarr;
mod server;
pub mod shoko;
mod simulator;
pub mod sonarr;
mod time;
mod world;

pub use arr::Instance as ArrInstance;
pub use arr::Reason;
pub use jellyfin::Jellyfin;
pub use misbehaviour::Misbehaviour;
pub use radarr::Radarr;
pub use shoko::Shoko;
pub use simulator::Simulator;
pub use sonarr::Sonarr;
pub use world::{Library, MediaFile, Naming, Title, World};

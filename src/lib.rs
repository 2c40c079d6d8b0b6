//! obituarr watches media libraries, makes sure that what vanished is really gone, and tells a
//! request tracker, once, with the evidence.
//!
//! Data flows one way: sensors -> observations -> the pure core -> effects -> store -> delivery.
//! `ARCHITECTURE.md` has the map and the rules; each room's own documentation says what it is for
//! and what it must never do.

pub mod catalog;
pub mod cli;
pub mod clock;
pub mod config;
pub mod control;
pub mod core;
pub mod daemon;
pub mod disk;
pub mod domain;
pub mod inventory;
pub mod prober;
pub mod sensors;
pub mod services;
pub mod store;
pub mod telemetry;

//! The whole daemon beside stand-ins of the services that it asks, which share one library with the disk.

pub(crate) mod answers;
mod check;
mod deleted;
mod living;
mod mapping;
mod misbehaving;
mod odd;
mod rig;
mod sanity;
mod secrets;
mod single;

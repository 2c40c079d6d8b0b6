//! The whole daemon beside stand-ins of the services that it asks, which share one library with the disk.

mod deleted;
mod living;
mod mapping;
mod misbehaving;
mod rig;
mod sanity;
mod single;

//! Sensors turn the outside into hints to look. They notice; they never decide.

pub mod sweep;
pub mod watcher;

//! Decides, from observations and the time it is told, whether a thing is really gone.

mod saved;

pub use saved::{Changes, ItemState, RootState, Saved};

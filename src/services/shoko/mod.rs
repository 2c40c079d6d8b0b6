//! Shoko 4.2, 5 and 6: anime, by AniDB.
//!
//! It alone looks at its disk when it is asked. Must never take a file that it can't see for lost while
//! its whole folder may be away, nor a series that is hidden from the key's user for absent.

mod client;
mod files;
mod pages;
mod state;
mod wire;

pub(super) use client::Shoko;

//! Which title a file belongs to.
//!
//! Pure: it is given the records of folders and must never look at a disk. A title is inferred from
//! names alone, the same way each time, so that nothing needs to be remembered of it; see
//! [`Placer`] for the rules.

mod layout;
#[cfg(test)]
mod tests;
mod title;
mod words;

pub use layout::{Folders, Placed, Placer, is_loose_file_of, may_be_new_encode, standing_below};
pub use title::{Parsed, parse_file, parse_folder, stem};

use crate::domain::{Item, Place};

/// A title and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TitleAt {
    /// The title.
    pub item: Item,
    /// Where.
    pub place: Place,
}

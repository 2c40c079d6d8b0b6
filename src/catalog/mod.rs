//! Which title a file belongs to, and what services say of titles.
//!
//! Pure: it is given the records of folders and the listings of services, and must never look at a
//! disk or ask anyone. A title is inferred from names alone, the same way each time, so that nothing
//! needs to be remembered of it; see [`Placer`] for the rules. What a service says is a claim: a
//! [`Mapping`] brings its paths here, and only what the disk shows there verifies or refutes it.

mod changes;
mod coverage;
mod known;
mod layout;
mod listed;
mod mapping;
mod past;
mod sanity;
mod shelf;
mod testimony;
#[cfg(test)]
mod tests;
mod title;
mod words;

pub use changes::Changes;
pub use coverage::{Counts, Coverage, Proposal, proposal};
pub use known::Known;
pub use layout::{Folders, Placed, Placer, is_loose_file_of, may_be_new_encode, standing_below};
pub use listed::{Concern, Titles};
pub use mapping::{Mapped, Mapping, Pair};
pub use past::{MOST_REMEMBERED, Remembered};
pub use sanity::{Brake, Judged, Sanity, Trust};
pub use shelf::Shelf;
pub use testimony::{Case, Sight, testimony};
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

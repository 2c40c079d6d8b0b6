//! Which title a file belongs to.

use crate::domain::{Item, Place};

/// A title and where it was found.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct TitleAt {
    /// The title.
    pub item: Item,
    /// Where.
    pub place: Place,
}

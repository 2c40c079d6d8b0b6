//! What is remembered of a directory between two walks: who watches it. Small, for there are many.

/// The mark of a directory that is known and not watched.
pub(super) const UNWATCHED: u8 = u8::MAX;

/// What is known of a directory.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The watcher that watches it.
    pub(super) slot: u8,
    /// The last walk that came by.
    pub(super) walk: u8,
}

impl Known {
    pub(super) fn is_watched(self) -> bool {
        self.slot != UNWATCHED
    }
}

//! Records for tests.

use crate::domain::{
    AbsPath, Cause, Deletion, DeletionId, Entry, EntryState, Evidence, Item, Kind, Life,
    ProviderIds, Source, Timestamp, Witness,
};

/// A film of this number.
pub(super) fn film(number: i64) -> Item {
    Item {
        kind: Kind::Film,
        title: format!("Film {number}"),
        year: Some(2000),
        ids: ProviderIds::default(),
    }
}

/// An accepted entry about the film of this number.
pub(super) fn entry(number: i64) -> Entry {
    let (item, life) = (film(number), Life::FIRST);
    let at = Timestamp::from_millis(number * 1_000);
    Entry {
        deletion: Deletion {
            id: DeletionId::new(&item.key(), life),
            item,
            life,
            source: Source::External,
            cause: Cause::Removed,
            detected_at: at,
            confirmed_at: at,
            evidence: vec![Evidence {
                witness: Witness::Disk,
                answer: "absent".into(),
                path: Some(AbsPath::new(std::path::Path::new("/m/film.mkv"))),
                detail: "no such file".into(),
                at,
            }],
        },
        state: EntryState::Accepted,
        forwarded_at: Some(at),
        lost: vec![],
        places: vec![],
    }
}

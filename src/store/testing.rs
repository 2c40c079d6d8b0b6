//! Records for tests.

use std::ops::ControlFlow;

use super::Batch;
use crate::catalog::{Known, Remembered, Trust};
use crate::domain::{
    About, AbsPath, Awake, Candidate, CandidateId, Cause, Deletion, DeletionId, Entry, EntryState,
    Evidence, FileId, FilePath, FsId, Hold, Holding, Instance, Item, Kind, Life, Listed, LostFile,
    Place, ProviderIds, RelPath, RootName, Service, ServiceFile, ServiceFolder, ServicePath,
    Source, Stage, Timestamp, Witness,
};
use crate::inventory::{Directory, Inventory, Media};

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

/// The root of these tests.
pub(super) fn root() -> RootName {
    RootName::parse("movies").unwrap()
}

/// A path below it.
pub(super) fn rel(path: &str) -> RelPath {
    RelPath::parse(path.as_bytes()).unwrap()
}

/// A record with these files.
pub(super) fn record(names: &[&str]) -> Directory {
    let media = |name: &&str| Media { name: name.as_bytes().into(), inode: 7, alias: false };
    Directory { fs: FsId(1), files: names.iter().map(media).collect(), ..Directory::default() }
}

/// A batch of records of the root.
pub(super) fn directories(dirs: &[(&str, Option<Directory>)]) -> Batch {
    let dirs = dirs.iter().map(|(dir, record)| (root(), rel(dir), record.clone())).collect();
    Batch { directories: dirs, ..Batch::default() }
}

/// A file of film 1.
pub(super) fn lost_file() -> LostFile {
    LostFile {
        path: FilePath::new(root(), rel("Film 1 (2000)/a.mkv")),
        id: FileId { fs: FsId(1), inode: 42 },
        looked: Timestamp::from_millis(5),
        extra: false,
        retired: false,
        sought: false,
    }
}

/// A candidate about film 1.
pub(super) fn candidate() -> Candidate {
    Candidate {
        id: CandidateId(3),
        item: film(1),
        life: Life::FIRST,
        detected: Timestamp::from_millis(9_000),
        from: Awake::from_millis(77),
        places: vec![Place { root: root(), folder: rel("Film 1 (2000)"), loose: false }],
        lost: vec![lost_file()],
        evidence: vec![],
        last_hold: None,
        absent: None,
        stage: Stage::Held {
            holding: Holding {
                why: Hold::Unknown { witness: "disk".into(), why: "EIO".into() },
                since: Timestamp::from_millis(9_500),
                looks: 2,
            },
            again: Awake::from_millis(99),
        },
    }
}

/// What the store knows at a folder and below it.
pub(super) fn below(store: &impl Inventory, dir: &str) -> Vec<String> {
    let mut found = Vec::new();
    store
        .within(&root(), &rel(dir), &mut |path, _| {
            found.push(path.to_string());
            ControlFlow::Continue(())
        })
        .unwrap();
    found
}

/// An instance of this number.
pub(super) fn instance(which: u8) -> Instance {
    Instance { service: Service::ALL[usize::from(which)], name: "a-1".into() }
}

/// What is known of it.
pub(super) fn known_service(which: u8) -> Known {
    let about = About {
        application: "Radarr".into(),
        name: which.to_string(),
        version: "6".into(),
        started: None,
    };
    let folders = vec![ServiceFolder {
        id: None,
        path: ServicePath("/movies".into()),
        accessible: Some(true),
        free: Some(7),
    }];
    let (at, basis) = (Timestamp::from_millis(5), "x".to_owned());
    Known { about, folders, at, basis, trust: Trust::default() }
}

/// A film that an instance listed once.
pub(super) fn remembered(which: u8, id: u8) -> Remembered {
    Remembered {
        instance: instance(which),
        id: id.to_string(),
        item: film(id.into()),
        anidb: Some(3),
        place: Some(lost_file().path),
        folder: None,
        at: Timestamp::from_millis(id.into()),
    }
}

/// A film that an instance lists.
pub(super) fn listed(id: u8) -> Listed {
    let path = |path: &str| ServicePath(path.into());
    Listed {
        id: id.to_string(),
        item: film(id.into()),
        anidb: None,
        folder: Some(path("/movies/Film")),
        root_folder: None,
        files: vec![ServiceFile {
            path: path("/movies/Film/a.mkv"),
            season: None,
            accessible: Some(true),
            folder: None,
        }],
        file_count: 1,
        seasons: [(1, 1)].into(),
    }
}

/// The same before anybody was told.
pub(super) fn queued(entry: &Entry) -> Entry {
    Entry { state: EntryState::Queued, forwarded_at: None, ..entry.clone() }
}

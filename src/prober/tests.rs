//! What a look says when it can't be finished.

use super::*;
use crate::domain::{Kind, ProviderIds, RelPath};

/// A clock that breaks when it is read.
struct Broken;

impl Clock for Broken {
    fn wall(&self) -> Timestamp {
        panic!("no time")
    }

    fn monotonic(&self) -> std::time::Duration {
        panic!("no time")
    }
}

#[test]
fn a_look_that_meets_a_fault_of_its_own_answers_that_it_does_not_know() {
    let dir = tempfile::tempdir().unwrap();
    std::fs::create_dir(dir.path().join("Heat (1995)")).unwrap();
    let root = RootName::parse("movies").unwrap();
    let rel = |path: &str| RelPath::parse(path.as_bytes()).unwrap();
    let lost = LostFile {
        path: FilePath::new(root.clone(), rel("Heat (1995)/heat.mkv")),
        id: FileId { fs: FsId(1), inode: 7 },
        looked: Timestamp::default(),
        extra: false,
        retired: false,
        sought: false,
    };
    let item = Item {
        kind: Kind::Film,
        title: "Heat".into(),
        year: Some(1995),
        ids: ProviderIds::default(),
    };
    let place = Place { root: root.clone(), folder: rel("Heat (1995)"), loose: false };
    let job = Job {
        item,
        detected: Timestamp::default(),
        lost: vec![lost],
        places: vec![place],
        elsewhere: vec![],
        arrived: vec![],
        known: vec![],
        hidden: vec![],
        more_hidden: 0,
        claims: vec![],
        not_hunted: vec![],
    };
    let ground = Ground {
        path: dir.path().to_path_buf(),
        rules: Rules::new(["mkv"], []),
        marker: None,
        dark: None,
        is_inner: false,
        retired: false,
    };
    let host = Arc::new(Host::new().unwrap());
    let look = look_or_unknown(&job, &BTreeMap::from([(root, ground)]), &host, &Broken);
    assert!(matches!(look.files[0].state, FileState::Unknown { .. }), "{look:?}");
    assert!(look.found.is_empty() && look.roots.is_empty());
}

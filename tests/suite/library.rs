//! The library generator keeps its word: other tests build on its manifest.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

#[path = "../../examples/make-library/library.rs"]
mod generator;

pub(crate) use generator::{Kind, Library, Plain, Size, Title};

const SIZE: Size = Size { films: 300, series: 40, seed: 1 };

/// Every file below `dir`, relative to it.
fn files_below(dir: &Path) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else {
                found.insert(path.strip_prefix(dir).unwrap().to_str().unwrap().to_owned());
            }
        }
    }
    found
}

#[test]
fn one_seed_makes_one_library() {
    assert_eq!(Library::plan(SIZE), Library::plan(SIZE));
    assert_ne!(Library::plan(SIZE), Library::plan(Size { seed: 2, ..SIZE }));
}

#[test]
fn titles_and_ids_are_unique_and_every_shape_is_there() {
    let library = Library::plan(SIZE);
    let kinds = |kind: Kind| library.titles.iter().filter(|title| title.kind == kind).count();
    assert_eq!((kinds(Kind::Film), kinds(Kind::Series)), (300, 40));
    let titles: BTreeSet<String> =
        library.titles.iter().map(|title| title.title.to_lowercase()).collect();
    assert_eq!(titles.len(), library.titles.len());
    let with_id = |title: &&Title| {
        title.ids.tmdb.is_some() || title.ids.tvdb.is_some() || title.ids.imdb.is_some()
    };
    let named: Vec<&Title> = library.titles.iter().filter(with_id).collect();
    let ids: BTreeSet<String> =
        named.iter().map(|title| format!("{:?} {:?}", title.kind, title.ids)).collect();
    assert_eq!(ids.len(), named.len());
    assert!(library.titles.iter().any(|title| title.loose && title.other.is_empty()));
    assert!(library.titles.iter().any(|title| title.media.iter().any(|f| f.contains("/CD2/"))));
    assert!(library.titles.iter().any(|title| title.specials.len() > 2));
    assert!(library.titles.iter().any(|title| title.folder.starts_with("anime/shows/")));
    assert!(library.titles.iter().all(|title| !title.media.is_empty()));
}

#[test]
fn what_is_written_is_what_was_planned() {
    let dir = tempfile::tempdir().unwrap();
    let library = Library::plan(Size { films: 20, series: 6, seed: 7 });
    library.write(dir.path()).unwrap();
    let planned: BTreeSet<String> = library.files().cloned().collect();
    assert_eq!(planned.len(), library.files().count(), "a path is used twice");
    assert_eq!(files_below(dir.path()), planned);
}

#[test]
fn a_plain_tree_has_the_folders_it_names() {
    let dir = tempfile::tempdir().unwrap();
    Plain { dirs: 2001, files: 2 }.write(dir.path()).unwrap();
    assert_eq!(files_below(dir.path()).len(), 4002);
    assert!(dir.path().join(Plain::folder(2000)).is_dir());
}

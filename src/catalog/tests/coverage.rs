//! When a mapping is right, and which would be.

use crate::catalog::*;
use crate::domain::{
    FilePath, Item, Kind, Listed, ProviderIds, RelPath, RootName, ServiceFile, ServiceFolder,
    ServicePath,
};

fn path(path: &str) -> ServicePath {
    ServicePath(path.to_owned())
}

/// A film in a folder, with the one file there; without a file it is a claim of the folder.
fn film(folder: &str, file: Option<&str>) -> Listed {
    let ids = ProviderIds::default();
    let file = file.map(|name| ServiceFile {
        path: path(&format!("{folder}/{name}")),
        season: None,
        accessible: None,
        folder: None,
    });
    Listed {
        id: folder.to_owned(),
        item: Item { kind: Kind::Film, title: folder.to_owned(), year: None, ids },
        anidb: None,
        folder: Some(path(folder)),
        root_folder: None,
        files: file.into_iter().collect(),
        file_count: 1,
        seasons: std::collections::BTreeMap::new(),
    }
}

fn films(root: &str, numbers: std::ops::Range<u32>) -> Vec<Listed> {
    numbers.map(|n| film(&format!("{root}/Film {n}"), Some(&format!("f{n}.mkv")))).collect()
}

fn folder(of: &str) -> ServiceFolder {
    ServiceFolder { id: None, path: path(of), accessible: None, free: None }
}

fn here(rel: &str) -> FilePath {
    FilePath::new(RootName::parse("movies").unwrap(), RelPath::parse(rel.as_bytes()).unwrap())
}

fn mapping(pairs: &[(&str, &str)]) -> Mapping {
    let pairs: Vec<_> = pairs.iter().map(|(left, right)| (path(left), right.into())).collect();
    Mapping::new(&pairs, &[], &[(RootName::parse("movies").unwrap(), "/mnt/movies".into())])
}

#[test]
fn under_95_of_100_paths_a_mapping_refutes_nothing() {
    let m = mapping(&[("/movies", "/mnt/movies")]);
    let titles = films("/movies", 0..100);
    let refutes = |known: u32| {
        let is_known =
            |file: &FilePath| (0..known).any(|n| *file == here(&format!("Film {n}/f{n}.mkv")));
        let coverage = Coverage::of(&m, &titles, &[folder("/movies/")], is_known);
        assert_eq!(coverage.folders[0].1.known, u64::from(known));
        coverage.refutes(&m, &path("/movies/Film 99/f99.mkv"))
    };
    assert!(refutes(95));
    assert!(!refutes(94));
    assert!(!refutes(92));
    assert!(!refutes(0));
}

#[test]
fn what_was_known_and_is_lost_speaks_for_a_mapping() {
    let m = mapping(&[("/movies", "/mnt/movies")]);
    let only = films("/movies", 0..1);
    let lost = here("Film 0/f0.mkv");
    let coverage = Coverage::of(&m, &only, &[], |file| *file == lost);
    assert!(coverage.refutes(&m, &path("/movies/Film 0/f0.mkv")), "the only film can die");
}

#[test]
fn a_folder_of_the_service_that_is_not_here_does_not_spoil_another() {
    let m = mapping(&[("/data", "/mnt/movies")]);
    let mut titles = films("/data/good", 0..20);
    titles.extend(films("/data/bad", 0..20));
    let is_known = |file: &FilePath| file.rel.as_bytes().starts_with(b"good/");
    let folders = [folder("/data/good"), folder("/data/bad/")];
    let coverage = Coverage::of(&m, &titles, &folders, is_known);
    assert!(coverage.refutes(&m, &path("/data/good/Film 1/f1.mkv")));
    assert!(!coverage.refutes(&m, &path("/data/bad/Film 1/f1.mkv")));
    // What lies in no folder of the service is judged by its pair, which is wrong for half.
    assert!(!coverage.refutes(&m, &path("/data/other.mkv")));
    assert_eq!(coverage.pairs[0].1.mapped, 40);
    assert!(!coverage.refutes(&m, &path("/nowhere/other.mkv")));
}

#[test]
fn nothing_counts_for_a_mapping_that_is_not_a_claim_here() {
    let m = mapping(&[("/movies", "/mnt/movies"), ("/old", "/srv/old")]);
    let mut titles = films("/movies", 0..2);
    titles.extend(films("/old", 0..2));
    titles.extend(films("/unknown", 0..3));
    titles[0].files[0].accessible = Some(false);
    let mut wanted = film("/movies/Wanted", None);
    wanted.file_count = 0;
    titles.push(wanted);
    titles.push(film("/movies/Series", None));
    let coverage = Coverage::of(&m, &titles, &[], |_| true);
    let of = |theirs: Option<&str>| {
        let theirs = theirs.map(path);
        coverage.pairs.iter().find(|pair| pair.0 == theirs).unwrap().1
    };
    assert_eq!(of(Some("/movies")), Counts { mapped: 2, known: 2, ..Counts::default() });
    assert_eq!(of(Some("/old")), Counts { outside: 2, ..Counts::default() });
    assert_eq!(of(None), Counts { unmapped: 3, ..Counts::default() });
    assert!(!of(Some("/old")).refutes() && !of(None).refutes());
}

#[test]
fn what_lies_where_nobody_can_see_it_may_be_any_title() {
    let m = mapping(&[("/movies", "/mnt/movies"), ("/old", "/srv/old")]);
    let folders = [folder("/movies"), folder("/empty")];
    let unfit = |titles: &[Listed], known: bool| {
        let coverage = Coverage::of(&m, titles, &folders, |_| known);
        coverage.unfit().map(|(path, counts)| (path.cloned(), counts.all()))
    };
    let mut titles = films("/movies", 0..20);
    assert_eq!(unfit(&[], true), None);
    assert_eq!(unfit(&titles, true), None);
    assert_eq!(unfit(&titles, false), Some((Some(path("/movies")), 20)));
    titles.extend(films("/old", 0..1));
    assert_eq!(unfit(&titles, true), Some((Some(path("/old")), 1)), "it lies in no root");
    titles.pop();
    titles.extend(films("/unknown", 0..2));
    assert_eq!(unfit(&titles, true), Some((None, 2)), "nothing says where it lies");
}

#[test]
fn a_missing_pair_is_proposed_from_what_ends_alike() {
    let known = || (0..50).map(|n| here(&format!("Film {n}/f{n}.mkv")));
    let paths: Vec<_> = (0..40).map(|n| path(&format!("/data/films/Film {n}/f{n}.mkv"))).collect();
    let m = mapping(&[]);
    let found = proposal(&m, &paths, known()).unwrap();
    assert_eq!((found.theirs.0.as_str(), found.maps, found.of), ("/data/films", 40, 40));
    assert_eq!(found.here, std::path::Path::new("/mnt/movies"));

    let windows: Vec<_> = (0..40).map(|n| path(&format!(r"d:\Films\Film {n}\f{n}.mkv"))).collect();
    let found = proposal(&m, &windows, known()).unwrap();
    assert_eq!(found.theirs.0, r"D:\Films");
    assert_eq!(found.here, std::path::Path::new("/mnt/movies"));

    let folders: Vec<_> = (0..40).map(|n| path(&format!("/tv/Film {n}"))).collect();
    let found = proposal(&m, &folders, known()).unwrap();
    assert_eq!((found.theirs.0.as_str(), found.here), ("/tv", "/mnt/movies".into()));
    let elsewhere: Vec<_> = (0..40).map(|n| path(&format!("/x/Other {n}/o{n}.mkv"))).collect();
    assert_eq!(proposal(&m, &elsewhere, known()), None);
}

#[test]
fn a_pair_whose_sides_end_alike_is_proposed_as_a_person_would_write_it() {
    let paths: Vec<_> = (0..9).map(|n| path(&format!("/movies/Film {n}/f{n}.mkv"))).collect();
    let known = (0..9).map(|n| here(&format!("Film {n}/f{n}.mkv")));
    let found = proposal(&mapping(&[]), &paths, known).unwrap();
    assert_eq!((found.theirs.0.as_str(), found.here), ("/movies", "/mnt/movies".into()));
}

#[test]
fn the_pair_that_maps_the_most_is_proposed_whatever_the_order() {
    let mut paths: Vec<_> = (0..30).map(|n| path(&format!("/a/Film {n}/f{n}.mkv"))).collect();
    paths.extend((30..40).map(|n| path(&format!("/b/Film {n}/f{n}.mkv"))));
    let mut known: Vec<_> = (0..40).map(|n| here(&format!("all/Film {n}/f{n}.mkv"))).collect();
    // A name that every folder has tells nothing.
    known.extend((0..40).map(|n| here(&format!("all/Film {n}/movie.mkv"))));
    paths.extend((0..9).map(|n| path(&format!("/c/x{n}/movie.mkv"))));
    let first = proposal(&mapping(&[]), &paths, known.clone()).unwrap();
    assert_eq!((first.theirs.0.as_str(), first.maps, first.of), ("/a", 30, 49));
    assert_eq!(first.here, std::path::Path::new("/mnt/movies/all"));
    paths.reverse();
    known.reverse();
    assert_eq!(proposal(&mapping(&[]), &paths, known), Some(first));
}

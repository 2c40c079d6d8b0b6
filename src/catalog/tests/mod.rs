//! Which title a file belongs to: libraries as they are found in the wild.

mod coverage;
mod listed;
mod sanity;
mod testimony;

use std::collections::BTreeMap;

use super::layout::*;
use crate::domain::{RelPath, RootName};
use crate::inventory::{Directory, Media};

/// A library given as the paths of its files.
struct Library(BTreeMap<RelPath, Directory>);

impl Library {
    fn new(files: &[&str]) -> Self {
        let mut dirs: BTreeMap<RelPath, Directory> = BTreeMap::new();
        for file in files {
            let file = RelPath::parse(file.as_bytes()).unwrap();
            let (mut dir, name) = (file.parent().unwrap(), file.name().unwrap());
            dirs.entry(dir.clone()).or_default().files.push(Media {
                name: name.into(),
                inode: 1,
                alias: false,
            });
            while let Some(parent) = dir.parent() {
                let subdirs = &mut dirs.entry(parent.clone()).or_default().subdirs;
                let name = dir.name().unwrap();
                if !subdirs.iter().any(|known| &**known == name) {
                    subdirs.push(name.into());
                }
                dir = parent;
            }
        }
        Self(dirs)
    }

    fn check(&self, file: &str, title: &str, folder: &str, loose: bool) {
        let path = RelPath::parse(file.as_bytes()).unwrap();
        let root = RootName::parse("media").unwrap();
        let placed = Placer::new(&root, "The Root (2001)", self).place(&path);
        let found = format!("{} {}", placed.title.item.kind, placed.title.item);
        assert_eq!(found, title, "{file}");
        assert_eq!(placed.title.place.folder.as_bytes(), folder.as_bytes(), "{file}");
        assert_eq!(placed.title.place.loose, loose, "{file}");
    }
}

impl Folders for Library {
    fn folder(&self, dir: &RelPath) -> Option<Directory> {
        self.0.get(dir).cloned()
    }
    fn has_media_below(&self, dir: &RelPath) -> bool {
        self.0.iter().any(|(path, record)| path.is_within(dir) && !record.files.is_empty())
    }
}

#[test]
fn a_title_is_the_folder_with_a_year_or_an_id_and_all_below_it() {
    let library = Library::new(&[
        "movies/Heat (1995)/Heat.mkv",
        "movies/Heat (1995)/Featurettes/Making of (1996)/x.mkv",
        "movies/Alien/Alien (1979)/alien.mkv",
        "shows/Dark [tvdbid-334824]/Season 1/Dark S01E01.mkv",
        "shows/Dark [tvdbid-334824]/Odd folder/x.mkv",
        "shows/Show (2010)/Season 1 (2010)/e1.mkv",
    ]);
    library.check("movies/Heat (1995)/Heat.mkv", "film Heat (1995)", "movies/Heat (1995)", false);
    library.check(
        "movies/Heat (1995)/Featurettes/Making of (1996)/x.mkv",
        "film Heat (1995)",
        "movies/Heat (1995)",
        false,
    );
    library.check(
        "movies/Alien/Alien (1979)/alien.mkv",
        "film Alien (1979)",
        "movies/Alien/Alien (1979)",
        false,
    );
    let dark = "shows/Dark [tvdbid-334824]";
    library.check(&format!("{dark}/Season 1/Dark S01E01.mkv"), "series Dark", dark, false);
    library.check(&format!("{dark}/Odd folder/x.mkv"), "series Dark", dark, false);
    library.check(
        "shows/Show (2010)/Season 1 (2010)/e1.mkv",
        "series Show (2010)",
        "shows/Show (2010)",
        false,
    );
}

#[test]
fn season_disc_and_extras_folders_belong_to_what_is_above_them() {
    let library = Library::new(&[
        "anime/shows/Cowboy Bebop/Season 1/01.mkv",
        "anime/shows/Cowboy Bebop/Specials/01.mkv",
        "Lain/Lain - 01.mkv",
        "Heat/CD1/heat.avi",
        "Heat/Trailers/t.mkv",
    ]);
    let bebop = "anime/shows/Cowboy Bebop";
    library.check(&format!("{bebop}/Season 1/01.mkv"), "series Cowboy Bebop", bebop, false);
    library.check(&format!("{bebop}/Specials/01.mkv"), "series Cowboy Bebop", bebop, false);
    library.check("Lain/Lain - 01.mkv", "series Lain", "Lain", false);
    library.check("Heat/CD1/heat.avi", "film Heat", "Heat", false);
    library.check("Heat/Trailers/t.mkv", "film Heat", "Heat", false);
}

#[test]
fn a_loose_file_is_a_title_of_its_own() {
    let library = Library::new(&[
        "Heat.1995.1080p.mkv",
        "movies/Ronin (1998).mkv",
        "movies/Alien (1979)/a.mkv",
        "Marvel/Thor.2011.1080p.mkv",
        "Marvel/Iron Man (2008).mkv",
        "shows/Show.S01E02.mkv",
        "shows/[Group] Other Show - 07 [1080p].mkv",
    ]);
    library.check("Heat.1995.1080p.mkv", "film Heat (1995)", "", true);
    library.check("movies/Ronin (1998).mkv", "film Ronin (1998)", "movies", true);
    library.check("Marvel/Thor.2011.1080p.mkv", "film Thor (2011)", "Marvel", true);
    library.check("shows/Show.S01E02.mkv", "series Show", "shows", true);
    library.check("shows/[Group] Other Show - 07 [1080p].mkv", "series Other Show", "shows", true);
}

#[test]
fn files_of_one_folder_stay_one_title_where_nothing_says_otherwise() {
    let library = Library::new(&["Holiday/a.mkv", "Holiday/b.mkv", "Season 1/x.mkv"]);
    library.check("Holiday/a.mkv", "film Holiday", "Holiday", false);
    library.check("Holiday/b.mkv", "film Holiday", "Holiday", false);
    library.check("Season 1/x.mkv", "series The Root (2001)", "", false);
}

#[test]
fn a_folder_with_other_media_folders_in_it_is_a_category() {
    let library = Library::new(&["Bond/Dr No/x.mkv", "Bond/Goldfinger.mkv", "Bond/Subs/y.mkv"]);
    library.check("Bond/Goldfinger.mkv", "film Goldfinger", "Bond", true);
    library.check("Bond/Dr No/x.mkv", "film Dr No", "Bond/Dr No", false);
}

#[test]
fn extras_and_specials_are_known() {
    let library = Library::new(&["Heat (1995)/Heat.mkv"]);
    let check = |file: &str, extra: bool, special: bool| {
        let root = RootName::parse("media").unwrap();
        let path = RelPath::parse(file.as_bytes()).unwrap();
        let placed = Placer::new(&root, "x", &library).place(&path);
        assert_eq!((placed.extra, placed.special), (extra, special), "{file}");
    };
    check("Heat (1995)/Heat.mkv", false, false);
    check("Heat (1995)/Heat-trailer.mkv", true, true);
    check("Heat (1995)/Extras/x.mkv", true, true);
    check("Dark (2017)/Season 0/x.mkv", false, true);
    check("Dark (2017)/Season 1/x.mkv", false, false);
    check("Dark (2017)/Dark S00E03.mkv", false, true);
}

#[test]
fn a_loose_file_of_the_same_title_is_known_under_another_encode() {
    let heat = loose_item(b"Heat.1995.1080p.mkv");
    assert!(is_loose_file_of(&heat, b"Heat (1995) [2160p].mkv"));
    assert!(!is_loose_file_of(&heat, b"Heat (1986).mkv"));
    assert!(!is_loose_file_of(&heat, b"Ronin.1998.mkv"));
}

#[test]
fn a_show_with_season_folders_is_one_title_whatever_else_lies_in_it() {
    let library = Library::new(&[
        "shows/Naruto/Season 1/Naruto S01E01.mkv",
        "shows/Naruto/Naruto the Movie/m.mkv",
    ]);
    library.check(
        "shows/Naruto/Season 1/Naruto S01E01.mkv",
        "series Naruto",
        "shows/Naruto",
        false,
    );
}

#[test]
fn a_year_leaves_nothing_to_guess() {
    let library = Library::new(&[
        "movies/Shorts (2009)/a.mkv",
        "movies/PT 109 (1963)/x.mkv",
        "shows/Extras (2005)/Season 1/Extras S01E01.mkv",
    ]);
    library.check(
        "movies/Shorts (2009)/a.mkv",
        "film Shorts (2009)",
        "movies/Shorts (2009)",
        false,
    );
    library.check(
        "movies/PT 109 (1963)/x.mkv",
        "film PT 109 (1963)",
        "movies/PT 109 (1963)",
        false,
    );
    let extras = "shows/Extras (2005)";
    library.check(
        &format!("{extras}/Season 1/Extras S01E01.mkv"),
        "series Extras (2005)",
        extras,
        false,
    );
}

#[test]
fn the_last_film_of_a_director_s_folder_keeps_its_own_name() {
    let library = Library::new(&["Mann/Thief (1981).mkv", "Heat/Heat (1995).mkv"]);
    library.check("Mann/Thief (1981).mkv", "film Thief (1981)", "Mann", true);
    library.check("Heat/Heat (1995).mkv", "film Heat", "Heat", false);
}

#[test]
fn parts_and_encodes_of_one_film_are_one_title() {
    let library = Library::new(&[
        "movies/Tron CD1.avi",
        "movies/Tron CD2.avi",
        "movies/1080p/Alien (1979).mkv",
        "1080p/Ran (1985).mkv",
        "Mad/720/m.mkv",
        "Mad/2160p version/m.mkv",
        "Heat/Heat.1995.1080p.mkv",
        "Heat/Heat.Remastered.2017.2160p.mkv",
    ]);
    library.check("movies/Tron CD1.avi", "film Tron", "movies", true);
    library.check("movies/Tron CD2.avi", "film Tron", "movies", true);
    library.check("movies/1080p/Alien (1979).mkv", "film Alien (1979)", "movies/1080p", true);
    library.check("1080p/Ran (1985).mkv", "film Ran (1985)", "1080p", true);
    library.check("Mad/720/m.mkv", "film Mad", "Mad", false);
    library.check("Mad/2160p version/m.mkv", "film Mad", "Mad", false);
    library.check("Heat/Heat.1995.1080p.mkv", "film Heat", "Heat", false);
    library.check("Heat/Heat.Remastered.2017.2160p.mkv", "film Heat", "Heat", false);
}

#[test]
fn a_root_that_is_a_title_s_own_folder_holds_that_title() {
    let library = Library::new(&["heat-720p.mkv"]);
    library.check("heat-720p.mkv", "film The Root (2001)", "", false);
    let library = Library::new(&["Heat.1995.mkv", "Ronin (1998).mkv"]);
    library.check("Heat.1995.mkv", "film Heat (1995)", "", true);
}

#[test]
fn a_new_encode_that_brings_the_year_with_it_is_the_same_film() {
    let akira = loose_item(b"Akira.mkv");
    assert!(is_loose_file_of(&akira, b"Akira (1988).mkv"));
    assert!(!is_loose_file_of(&akira, b"Akira 2 (1988).mkv"));
}

#[test]
fn what_is_mounted_below_a_root_has_the_titles_that_it_would_have_unmounted() {
    let library = Library::new(&[
        "Show (2010)/Season 01/Show - S01E01.mkv",
        "Show (2010)/Season 02/Show - S02E01.mkv",
        "movies/Heat (1995)/Heat.mkv",
        "movies/Ronin (1998).mkv",
    ]);
    let check = |at: &str, file: &str, title: &str, folder: &str, loose: bool| {
        let (at, file) = (at.as_bytes(), file.as_bytes());
        let (at, file) = (RelPath::parse(at).unwrap(), RelPath::parse(file).unwrap());
        let root = RootName::parse("media").unwrap().inner(&at).unwrap();
        let placed = Placer::new(&root, "media", &library).at(&at).place(&file);
        assert_eq!(format!("{} {}", placed.title.item.kind, placed.title.item), title);
        assert_eq!(placed.title.place.root, root);
        assert_eq!(placed.title.place.folder.as_bytes(), folder.as_bytes());
        assert_eq!(placed.title.place.loose, loose, "{file}");
    };
    check("Show (2010)/Season 02", "Show - S02E01.mkv", "series Show (2010)", "", false);
    check("Show (2010)", "Season 02/Show - S02E01.mkv", "series Show (2010)", "", false);
    check("movies", "Heat (1995)/Heat.mkv", "film Heat (1995)", "Heat (1995)", false);
    check("movies", "Ronin (1998).mkv", "film Ronin (1998)", "", true);
    check("movies/Heat (1995)", "Heat.mkv", "film Heat (1995)", "", false);
}

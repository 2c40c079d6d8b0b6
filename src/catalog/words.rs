//! The folder names that mean something: seasons, discs, extras, categories.
//!
//! Compared whole and without regard to case and punctuation. The lists are part of what README
//! promises; a name that is on none of them is a title's.

use crate::domain::normalise;

/// What a folder name says about the folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Word {
    /// A season of the series above it: `Season 1`, `S01`, `Staffel 2`, …
    Season,
    /// The season of specials.
    Specials,
    /// A disc or part of the film above it: `CD1`, `Disc 2`, `VIDEO_TS`.
    Disc,
    /// One encode of the title above it, if there is a title above it: `1080p`.
    Quality,
    /// Extras of the title above it: `Featurettes`, `Trailers`, …
    Extras,
    /// A folder above titles: `Movies`, `TV Shows`, …
    Category,
    /// Anything else.
    Plain,
}

/// Words that mean a season even in a name with a year, in English and in the languages that media
/// managers offer for folder names.
const CLEAR_SEASONS: &[&str] = &[
    "season",
    "staffel",
    "saison",
    "temporada",
    "stagione",
    "seizoen",
    "sezon",
    "sesong",
    "saeson",
    "sasong",
    "kausi",
    "evad",
];
/// Words that mean a season too, but are of a title where there is a year.
const SEASONS: &[&str] = &["series", "book", "volume", "vol", "cour", "s"];
/// Folders for one encode of the title above them.
const QUALITIES: &[&str] =
    &["480p", "576p", "720p", "1080p", "2160p", "480", "576", "720", "1080", "2160", "remux"];
const SPECIALS: &[&str] =
    &["specials", "special", "season 0", "season 00", "s00", "s0", "ova", "ovas", "oad", "oads"];
const DISCS: &[&str] = &["cd", "disc", "disk", "dvd", "part", "pt", "bd"];
const DISC_FOLDERS: &[&str] =
    &["video ts", "audio ts", "bdmv", "stream", "certificate", "playlist", "clipinf"];
const EXTRAS: &[&str] = &[
    "extras",
    "extra",
    "featurettes",
    "featurette",
    "trailers",
    "trailer",
    "behind the scenes",
    "deleted scenes",
    "deleted",
    "interviews",
    "interview",
    "scenes",
    "scene",
    "samples",
    "sample",
    "shorts",
    "short",
    "clips",
    "clip",
    "other",
    "others",
    "bonus",
    "making of",
    "subs",
    "sub",
    "subtitles",
    "theme music",
    "backdrops",
    "nc",
    "nced",
    "ncop",
    "creditless",
    "pv",
    "cm",
    "menu",
    "menus",
    "artwork",
    "scans",
];
const CATEGORIES: &[&str] = &[
    "movies",
    "movie",
    "films",
    "film",
    "cinema",
    "tv",
    "tv shows",
    "tv series",
    "shows",
    "series",
    "serien",
    "filme",
    "anime",
    "anime movies",
    "anime films",
    "anime shows",
    "anime series",
    "cartoons",
    "documentaries",
    "documentary",
    "docs",
    "kids",
    "family",
    "concerts",
    "stand up",
    "video",
    "videos",
    "media",
    "library",
    "downloads",
    "complete",
    "4k",
    "uhd",
    "hd",
    "sd",
    "3d",
    "foreign",
    "foreign films",
    "classics",
    "misc",
];
/// Endings of file names that mark an extra beside the film itself.
const EXTRA_ENDINGS: &[&str] = &[
    "-trailer",
    "-sample",
    "-featurette",
    "-behindthescenes",
    "-deleted",
    "-deletedscene",
    "-interview",
    "-scene",
    "-short",
    "-other",
    "-extra",
    "-clip",
];

/// What a folder of this name is. `definite` says that the name has a year or a provider id: then
/// a number behind a word is a season only if nothing else stands there (`Season 1 (2010)`, but not
/// `Series 7 The Contenders (2001)`).
pub(super) fn word(title: &str, definite: bool) -> Word {
    let plain = normalise(title);
    let plain = plain.as_str();
    if definite {
        let season = plain.split(' ').count() <= 2 && is_counted(plain, CLEAR_SEASONS);
        return if season { Word::Season } else { Word::Plain };
    }
    if plain.split(' ').next().is_some_and(|first| QUALITIES.contains(&first)) {
        return Word::Quality;
    }
    if SPECIALS.contains(&plain) {
        return Word::Specials;
    }
    if is_counted(plain, CLEAR_SEASONS) || is_counted(plain, SEASONS) {
        return Word::Season;
    }
    if DISC_FOLDERS.contains(&plain) || is_counted(plain, DISCS) {
        return Word::Disc;
    }
    if EXTRAS.contains(&plain) {
        return Word::Extras;
    }
    if CATEGORIES.contains(&plain) {
        return Word::Category;
    }
    Word::Plain
}

/// Whether a file of this name, without its extension, is an extra of the title beside it.
pub(super) fn is_extra_file(stem: &str) -> bool {
    let lower = stem.to_lowercase();
    matches!(lower.as_str(), "trailer" | "sample" | "theme")
        || EXTRA_ENDINGS.iter().any(|ending| lower.ends_with(ending))
}

/// `word 12`, `word12`, `12. word`, or with more behind it: `season 1 the beginning`.
fn is_counted(plain: &str, words: &[&str]) -> bool {
    let is_number =
        |text: &str| (1..=4).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
    let mut parts = plain.splitn(3, ' ');
    let (first, second) = (parts.next().unwrap_or_default(), parts.next());
    let split = first.find(|c: char| c.is_ascii_digit()).unwrap_or(first.len());
    let (head, digits) = first.split_at(split);
    if words.contains(&head) && is_number(digits) {
        return true;
    }
    let spaced = second.is_some_and(|second| words.contains(&first) && is_number(second));
    // `2. Staffel`; not `13 part` of something longer.
    let ordinal = second.is_some_and(|second| {
        is_number(first) && words.contains(&second) && second.len() > 3 && parts.next().is_none()
    });
    // `s 1` alone would take in too much.
    (spaced && first.len() > 1) || ordinal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folder_names_are_told_apart() {
        for (name, expected) in [
            ("Season 1", Word::Season),
            ("season01", Word::Season),
            ("S01", Word::Season),
            ("S2021", Word::Season),
            ("Staffel 2", Word::Season),
            ("2. Staffel", Word::Season),
            ("Season 1 - The Beginning", Word::Season),
            ("Season 0", Word::Specials),
            ("Specials", Word::Specials),
            ("CD1", Word::Disc),
            ("Disc 2", Word::Disc),
            ("VIDEO_TS", Word::Disc),
            ("Behind The Scenes", Word::Extras),
            ("featurettes", Word::Extras),
            ("Movies", Word::Category),
            ("TV-Shows", Word::Category),
            ("Season", Word::Plain),
            ("Series 7 The Contenders", Word::Season),
            ("Seven", Word::Plain),
            ("S.W.A.T", Word::Plain),
            ("Disc", Word::Plain),
            ("Parted", Word::Plain),
            ("Heat", Word::Plain),
            ("1917", Word::Plain),
        ] {
            assert_eq!(word(name, false), expected, "{name}");
        }
        for title in ["Shorts", "PT 109", "Extras", "Interview", "Special", "S14", "Book 1"] {
            assert_eq!(word(title, true), Word::Plain, "{title}");
        }
        assert_eq!(word("2160p version", false), Word::Quality);
        assert_eq!(word("Season 1", true), Word::Season);
        assert_eq!(word("Series 7 The Contenders", true), Word::Plain);
        assert_eq!(word("Season 1 The Beginning", true), Word::Plain);
    }

    #[test]
    fn every_name_that_means_something_is_documented() {
        let page = include_str!("../../docs/titles.md");
        let lists = [
            CLEAR_SEASONS,
            SEASONS,
            QUALITIES,
            SPECIALS,
            DISCS,
            DISC_FOLDERS,
            EXTRAS,
            CATEGORIES,
            EXTRA_ENDINGS,
        ];
        for name in lists.into_iter().flatten() {
            assert!(page.contains(&format!("`{name}`")), "{name} is missing in docs/titles.md");
        }
    }

    #[test]
    fn extras_beside_a_film_are_told_by_their_ending() {
        assert!(is_extra_file("Heat (1995)-trailer"));
        assert!(is_extra_file("sample"));
        assert!(!is_extra_file("Heat (1995)"));
        assert!(!is_extra_file("The Interview"));
    }
}

//! Which title a file belongs to, from where it lies.
//!
//! The rules, in order:
//! 1. the innermost folder whose name has a year or a provider id is the title's, with all below it;
//! 2. else, season, disc and extras folders belong to what is above them;
//! 3. a folder above titles is a category: by its name, because it has other folders with media
//!    below it, or because its files name several titles with their years; a file that lies in a
//!    category, or in the root itself, is a title of its own;
//! 4. any other folder with media in it is a title.
//!
//! A wrong guess must err towards one title too few: files that share a title protect each other.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;

use super::TitleAt;
use super::title::{Parsed, parse_file, parse_folder, stem};
use super::words::{Word, is_extra_file, word};
use crate::domain::{
    Episode, Item, Kind, Place, RelPath, RootName, alike, episodes, normalise, shown,
};
use crate::inventory::{Directory, Media};

/// The folders of one root, as far as the rules need them.
pub trait Folders {
    /// The record of a folder; `None` when it is not known.
    fn folder(&self, dir: &RelPath) -> Option<Directory>;

    /// Whether any media file is known anywhere below a folder.
    fn has_media_below(&self, dir: &RelPath) -> bool;
}

/// A file, placed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// Its title.
    pub title: TitleAt,
    /// Whether it is a trailer or another extra.
    pub extra: bool,
    /// Whether it is an extra or lies in a folder of specials.
    pub special: bool,
}

/// Places the files of one root. What it finds out about a folder it remembers, so it must not
/// outlive the state of the folders that it was made for.
pub struct Placer<'a> {
    root: &'a RootName,
    root_title: &'a str,
    folders: &'a dyn Folders,
    /// Where the root lies in the folders.
    at: Option<&'a RelPath>,
    known: RefCell<HashMap<RelPath, Traits>>,
    /// The directory that was placed in last: files come directory by directory.
    last: RefCell<Option<Rc<Above>>>,
}

/// What the directory of a file says about the file, whatever its name.
struct Above {
    dir: RelPath,
    /// The title's folder.
    folder: RelPath,
    /// Whose name the title has, unless each file is one.
    parsed: Parsed,
    /// The folders between the title's and the file.
    inner: Vec<Dir>,
    /// Whether each file is a title of its own.
    loose: bool,
}

/// What the content of a folder says about it.
#[derive(Clone, Copy)]
struct Traits {
    category: bool,
    series: bool,
}

impl<'a> Placer<'a> {
    /// A placer for one root. `root_title` names a root that is itself one title's folder.
    #[must_use]
    pub fn new(root: &'a RootName, root_title: &'a str, folders: &'a dyn Folders) -> Self {
        let (known, last) = (RefCell::default(), RefCell::default());
        Self { root, root_title, folders, at: None, known, last }
    }

    /// For a root that lies at `dir` in the root that `root_title` and `folders` are of.
    #[must_use]
    pub fn at(self, dir: &'a RelPath) -> Self {
        Self { at: Some(dir), ..self }
    }

    /// Finds the title of a file.
    #[must_use]
    pub fn place(&self, file: &RelPath) -> Placed {
        let Some(at) = self.at else { return self.place_whole(file) };
        let mut placed = self.place_whole(&at.descend(file));
        // A title's folder around the root is, for this root, the root itself.
        let folder = &mut placed.title.place.folder;
        *folder = folder.below(at).unwrap_or_default();
        placed
    }

    fn place_whole(&self, file: &RelPath) -> Placed {
        let above = self.above(&file.parent().unwrap_or_default());
        let Above { folder, parsed, inner, loose, .. } = &*above;
        let name = file.name().unwrap_or_default();
        let (extra, special) = standing(inner, name);
        // A folder of shorts in a category holds films: a year tells them from extras.
        let film = *loose && parse_file(name).is_definite() && !is_extra_file(&shown(stem(name)));
        let (extra, special) = (extra && !film, special && !film);
        let item = if *loose {
            loose_item(name)
        } else {
            let series = inner.iter().any(Dir::is_season)
                || (!extra && is_episode(name))
                || self.traits(folder).series;
            item(parsed.clone(), if series { Kind::Series } else { Kind::Film })
        };
        let place = Place { root: self.root.clone(), folder: folder.clone(), loose: *loose };
        Placed { title: TitleAt { item, place }, extra, special }
    }

    /// The names above a file are read once a directory: a series has hundreds of files in one.
    fn above(&self, dir: &RelPath) -> Rc<Above> {
        if let Some(last) = self.last.borrow().as_ref().filter(|last| last.dir == *dir) {
            return Rc::clone(last);
        }
        let above = Rc::new(self.read_above(dir));
        *self.last.borrow_mut() = Some(Rc::clone(&above));
        above
    }

    fn read_above(&self, dir: &RelPath) -> Above {
        let mut dirs: Vec<Dir> = dir.components().map(Dir::read).collect();
        for at in 0..dirs.len() {
            if dirs[at].word == Word::Quality {
                // `movies/1080p` is a category; `Heat/1080p` is Heat.
                let above = at.checked_sub(1).map(|above| dirs[above].word);
                let of_title = matches!(above, Some(Word::Plain | Word::Disc | Word::Season));
                dirs[at].word = if of_title { Word::Disc } else { Word::Category };
            }
        }
        let depth = title_depth(&dirs);
        let inner = dirs.split_off(depth);
        let folder = dir.prefix(depth);
        let own = dirs.pop();
        let (word, parsed) = match own {
            Some(Dir { parsed, word }) => (Some(word), parsed),
            None => (None, parse_folder(self.root_title.as_bytes())),
        };
        // What has a season or disc folder of its own is a title, whatever else lies in it.
        let own_parts = inner.iter().any(|dir| dir.word != Word::Extras);
        let loose = !own_parts
            && match word {
                None => !parsed.is_definite() || self.traits(&folder).category,
                Some(_) if parsed.is_definite() => false,
                Some(word) => word == Word::Category || self.traits(&folder).category,
            };
        Above { dir: dir.clone(), folder, parsed, inner, loose }
    }

    fn traits(&self, folder: &RelPath) -> Traits {
        if let Some(known) = self.known.borrow().get(folder) {
            return *known;
        }
        let record = self.folders.folder(folder).unwrap_or_default();
        let traits = Traits {
            category: is_category(folder, self.root_title, &record, self.folders),
            series: is_series(&record),
        };
        self.known.borrow_mut().insert(folder.clone(), traits);
        traits
    }
}

/// Whether a file below a title's folder is an extra, and whether it is an extra or a special.
#[must_use]
pub fn standing_below(below: &RelPath) -> (bool, bool) {
    let depth = below.components().count().saturating_sub(1);
    let dirs: Vec<Dir> = below.components().take(depth).map(Dir::read).collect();
    standing(&dirs, below.name().unwrap_or_default())
}

fn standing(inner: &[Dir], name: &[u8]) -> (bool, bool) {
    let extra =
        inner.iter().any(|dir| dir.word == Word::Extras) || is_extra_file(&shown(stem(name)));
    let of_season_0 = |episode: &Episode| episode.season == Some(0);
    let numbered = episodes(&shown(name));
    let special = inner.iter().any(|dir| dir.word == Word::Specials)
        || (!numbered.is_empty() && numbered.iter().all(of_season_0));
    (extra, extra || special)
}

/// Whether a file in a shared folder is of this item. A name without a year may be of any year: a
/// new encode often brings the year with it.
#[must_use]
pub fn is_loose_file_of(item: &Item, name: &[u8]) -> bool {
    let found = loose_item(name);
    let one_year = found.year.is_none() || item.year.is_none() || found.year == item.year;
    let one_name = one_year && normalise(&found.title) == normalise(&item.title);
    !found.ids.contradict(&item.ids)
        && (one_name || found.match_keys().iter().any(|key| item.match_keys().contains(key)))
}

/// Whether a file that appeared in a shared folder just when an item went from it may be a new encode
/// of the item: its name begins like the item's, or the item's like its.
#[must_use]
pub fn may_be_new_encode(item: &Item, name: &[u8]) -> bool {
    let found = loose_item(name);
    let whole = |item: &Item| match item.year {
        Some(year) => alike(&format!("{} {year}", item.title)),
        None => alike(&item.title),
    };
    let begins = |long: &str, short: &str| {
        long.strip_prefix(short).is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
    };
    let (was, is) = (alike(&item.title), alike(&found.title));
    let one_year = match (item.year, found.year) {
        (Some(a), Some(b)) => a.abs_diff(b) <= 1,
        _ => true,
    };
    !found.ids.contradict(&item.ids)
        && (one_year && (begins(&is, &was) || begins(&was, &is))
            || begins(&whole(&found), &whole(item))
            || begins(&whole(item), &whole(&found)))
}

struct Dir {
    parsed: Parsed,
    word: Word,
}

impl Dir {
    fn read(name: &[u8]) -> Self {
        let parsed = parse_folder(name);
        let text = shown(name);
        let text = if parsed.is_definite() { &parsed.title } else { &text };
        let word = word(text, parsed.is_definite());
        Self { parsed, word }
    }

    fn is_season(&self) -> bool {
        matches!(self.word, Word::Season | Word::Specials)
    }

    fn belongs_above(&self) -> bool {
        matches!(
            self.word,
            Word::Season | Word::Specials | Word::Disc | Word::Quality | Word::Extras
        )
    }
}

/// How many of the folders make up the path of the title's own folder.
fn title_depth(dirs: &[Dir]) -> usize {
    let mut definite = None;
    for (at, dir) in dirs.iter().enumerate() {
        if dir.belongs_above() {
            if definite.is_some() {
                break;
            }
        } else if dir.parsed.is_definite() {
            definite = Some(at + 1);
        }
    }
    definite
        .unwrap_or_else(|| dirs.iter().rposition(|dir| !dir.belongs_above()).map_or(0, |at| at + 1))
}

fn is_category(
    folder: &RelPath,
    root_title: &str,
    record: &Directory,
    folders: &dyn Folders,
) -> bool {
    let name = folder.name().unwrap_or(root_title.as_bytes());
    let own = normalise(&parse_folder(name).title);
    // One file that names another title is enough: the folder is not that title's.
    let names_another = |file: &Media| {
        let parsed = parse_file(&file.name);
        parsed.is_definite() && !normalise(&parsed.title).starts_with(&own)
    };
    record.files.iter().filter(|file| !is_episode(&file.name)).any(names_another)
        || record.subdirs.iter().any(|name| {
            let dir = Dir::read(name);
            !dir.belongs_above() && folders.has_media_below(&folder.join(name))
        })
}

/// A series has season folders or numbered episodes; anything else is a film.
fn is_series(record: &Directory) -> bool {
    record.subdirs.iter().any(|name| Dir::read(name).is_season())
        || record
            .files
            .iter()
            .any(|file| is_episode(&file.name) && !is_extra_file(&shown(stem(&file.name))))
}

fn is_episode(name: &[u8]) -> bool {
    !episodes(&shown(name)).is_empty()
}

pub(super) fn loose_item(name: &[u8]) -> Item {
    let text = shown(stem(name));
    if episodes(&shown(name)).is_empty() {
        let mut parsed = parse_file(name);
        if parsed.year.is_none() {
            parsed.title = without_part(&parsed.title);
        }
        return item(parsed, Kind::Film);
    }
    // The series' name is what stands before the episode's number.
    let lower = text.to_ascii_lowercase();
    let cut = lower
        .char_indices()
        .find(|(at, _)| *at > 0 && lower.is_char_boundary(*at) && speaks_first(&lower[*at..]))
        .map_or(text.len(), |(at, _)| at);
    let head = text.get(..cut).unwrap_or(&text).trim_end_matches([' ', '.', '-', '_']);
    item(parse_folder(head.as_bytes()), Kind::Series)
}

/// A title without the number of a disc or part at its end: parts of one film protect each other.
fn without_part(title: &str) -> String {
    let words: Vec<&str> = title.split(' ').collect();
    let is_part = |text: &str| word(text, false) == Word::Disc;
    let cut = match words.as_slice() {
        [_, .., a, b] if is_part(&format!("{a} {b}")) => words.len() - 2,
        [_, .., last] if is_part(last) => words.len() - 1,
        _ => words.len(),
    };
    words[..cut].join(" ")
}

/// Whether an episode number stands at the very beginning of a text.
fn speaks_first(text: &str) -> bool {
    let starts =
        text.starts_with(['s', 'e', '-', ' ']) || text.starts_with(|c: char| c.is_ascii_digit());
    let word = text.trim_start_matches([' ', '-']);
    let first = word.split([' ', '.', '_', '[', '(']).next().unwrap_or_default();
    let dashed =
        text.starts_with(" - ") && first.bytes().all(|b| b.is_ascii_digit()) && !first.is_empty();
    starts && (dashed || (word.len() == text.len() && !episodes(&format!("{first}.x")).is_empty()))
}

fn item(parsed: Parsed, kind: Kind) -> Item {
    Item { kind, title: parsed.title, year: parsed.year, ids: parsed.ids }
}

//! What can die: tracked items, their names, ids and lives.

use std::fmt;

use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization;
use unicode_normalization::char::is_combining_mark;

/// A film or a series.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One work, in one file or a few.
    Film,
    /// Episodes, each in a file.
    Series,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Film => "film",
            Self::Series => "series",
        })
    }
}

/// The numbers under which the public databases know a title.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize)]
pub struct ProviderIds {
    /// themoviedb.org; films and series are numbered apart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tmdb: Option<u64>,
    /// thetvdb.com.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tvdb: Option<u64>,
    /// imdb.com, with its `tt`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub imdb: Option<String>,
}

impl ProviderIds {
    /// Whether no provider knows it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether both name the same provider and not the same title: then they can't be one item.
    #[must_use]
    pub fn contradict(&self, other: &Self) -> bool {
        fn differ<T: PartialEq>(a: Option<&T>, b: Option<&T>) -> bool {
            matches!((a, b), (Some(a), Some(b)) if a != b)
        }
        differ(self.tmdb.as_ref(), other.tmdb.as_ref())
            || differ(self.tvdb.as_ref(), other.tvdb.as_ref())
            || differ(self.imdb.as_ref(), other.imdb.as_ref())
    }
}

/// The name of a tracked item that stays the same over restarts: kind, then its best provider id,
/// or its normalised title and year (`film:tmdb:603`, `series:the expanse:2015`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ItemKey(String);

impl ItemKey {
    /// Takes over the text of a key.
    #[must_use]
    pub fn new(key: impl Into<String>) -> Self {
        Self(key.into())
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ItemKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// A title that a tracker says is available, or, without a tracker, that lies in a root.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Item {
    /// Film or series.
    pub kind: Kind,
    /// The title for people, one line.
    pub title: String,
    /// The year of release, where it is known.
    pub year: Option<u16>,
    /// What the databases call it.
    #[serde(default, skip_serializing_if = "ProviderIds::is_empty")]
    pub ids: ProviderIds,
}

impl Item {
    /// The key of this item.
    #[must_use]
    pub fn key(&self) -> ItemKey {
        let kind = self.kind;
        let key = match &self.ids {
            ProviderIds { tmdb: Some(id), .. } => format!("{kind}:tmdb:{id}"),
            ProviderIds { tvdb: Some(id), .. } => format!("{kind}:tvdb:{id}"),
            ProviderIds { imdb: Some(id), .. } => format!("{kind}:imdb:{id}"),
            _ => self.name_key(),
        };
        ItemKey(key)
    }

    /// Every key under which a look at the disk may find this item: by each provider id, and by
    /// title and year.
    #[must_use]
    pub fn match_keys(&self) -> Vec<ItemKey> {
        let kind = self.kind;
        let mut keys = vec![ItemKey(self.name_key())];
        // Film or series is told from the layout, which changes; title and year do not.
        let (name, year) = self.name_and_year();
        keys.extend(year.map(|year| ItemKey(format!("any:{name}:{year}"))));
        keys.extend(self.ids.tmdb.map(|id| ItemKey(format!("{kind}:tmdb:{id}"))));
        keys.extend(self.ids.tvdb.map(|id| ItemKey(format!("{kind}:tvdb:{id}"))));
        keys.extend(self.ids.imdb.as_ref().map(|id| ItemKey(format!("{kind}:imdb:{id}"))));
        // That one numbers films and series together.
        keys.extend(self.ids.imdb.as_ref().map(|id| ItemKey(format!("any:imdb:{id}"))));
        keys
    }

    /// The key under which everything of a like name is found, whatever its year: what appeared
    /// just when this item went may be the item under a better name.
    #[must_use]
    pub fn name_alike(&self) -> ItemKey {
        ItemKey(format!("alike:{}", bounded(alike(&self.title))))
    }

    /// Every key under which this item can be found.
    #[must_use]
    pub fn all_keys(&self) -> Vec<ItemKey> {
        let mut keys = self.match_keys();
        keys.push(self.name_alike());
        keys
    }

    /// Whether `other` may be this item under a better name: a like title, and no year or id that
    /// speaks against it. Years of one work differ by one between databases.
    #[must_use]
    pub fn may_be(&self, other: &Self) -> bool {
        let years = self.year.zip(other.year);
        self.name_alike() == other.name_alike()
            && !self.ids.contradict(&other.ids)
            && years.is_none_or(|(a, b)| a.abs_diff(b) <= 1)
    }

    /// The normalised title, and the year. `Tron 1982` may be the film of 1982 or one that is called
    /// so: to be found it takes the year for a year.
    fn name_and_year(&self) -> (String, Option<u16>) {
        let name = normalise(&self.title);
        if self.year.is_some() {
            return (bounded(name), self.year);
        }
        let is_year = |word: &str| word.len() == 4 && word.bytes().all(|b| b.is_ascii_digit());
        match name.rsplit_once(' ').filter(|(_, last)| is_year(last)) {
            Some((title, year)) => (bounded(title.to_owned()), year.parse().ok()),
            None => (bounded(name), None),
        }
    }

    fn name_key(&self) -> String {
        let name = bounded(normalise(&self.title));
        match self.year {
            Some(year) => format!("{}:{name}:{year}", self.kind),
            None => format!("{}:{name}", self.kind),
        }
    }
}

impl fmt::Display for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.title)?;
        self.year.map_or(Ok(()), |year| write!(f, " ({year})"))
    }
}

/// A title without what differs between spellings of it: case, punctuation, spacing. A title
/// without any letter or digit is left as it is.
#[must_use]
pub fn normalise(title: &str) -> String {
    let folded = title.to_lowercase().replace('&', " and ").replace(['\'', '’'], "");
    let words: Vec<&str> =
        folded.split(|c: char| !c.is_alphanumeric()).filter(|word| !word.is_empty()).collect();
    if words.is_empty() { title.to_lowercase() } else { words.join(" ") }
}

/// A name as part of a key. Keys are stored, and a service may write a title of any length: of a long
/// one the beginning is left, and a number that tells it from others that begin so (FNV-1a).
fn bounded(name: String) -> String {
    const LONGEST: usize = 1024;
    const KEPT: usize = 256;
    if name.len() <= LONGEST {
        return name;
    }
    let step = |sum: u128, byte: u8| (sum ^ u128::from(byte)).wrapping_mul((1 << 88) | 0x13b);
    let sum = name.bytes().fold(0x6c62_272e_07bb_0142_62b8_2175_6295_c58d, step);
    let kept: String = name.chars().take(KEPT).collect();
    format!("{kept}… {sum:032x}")
}

/// A title as a careless hand may write it: without accents, signs and articles, abbreviations as
/// words.
#[must_use]
pub fn alike(title: &str) -> String {
    let plain: String = title.nfkd().filter(|c| !is_combining_mark(*c)).collect();
    let normal = normalise(&plain);
    let mut words: Vec<String> = Vec::new();
    let mut letters = false;
    for word in normal.split(' ') {
        let is_letter = word.chars().count() == 1 && word.chars().all(char::is_alphabetic);
        match words.last_mut().filter(|_| is_letter && letters) {
            Some(last) => last.push_str(word),
            None => words.push(word.to_owned()),
        }
        letters = is_letter;
    }
    let is_article = |word: Option<&String>| {
        word.is_some_and(|word| ["the", "a", "an"].contains(&word.as_str()))
    };
    if words.len() > 1 && is_article(words.first()) {
        words.remove(0);
    } else if words.len() > 1 && is_article(words.last()) {
        words.pop();
    }
    words.join(" ")
}

/// A number per tracked item that goes up when it is seen alive again after a closed deletion.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Life(u32);

impl Life {
    /// The first life, which every item begins in.
    pub const FIRST: Self = Self(1);

    /// The life after this one.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.saturating_add(1))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u32 {
        self.0
    }
}

impl Default for Life {
    fn default() -> Self {
        Self::FIRST
    }
}

impl fmt::Display for Life {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn film(title: &str, year: Option<u16>, ids: ProviderIds) -> Item {
        Item { kind: Kind::Film, title: title.into(), year, ids }
    }

    #[test]
    fn spellings_of_one_title_have_one_key() {
        for title in ["Ocean's Eleven", "oceans eleven", "Ocean’s.Eleven", " OCEAN'S - ELEVEN "] {
            let key = film(title, Some(2001), ProviderIds::default()).key();
            assert_eq!(key.as_str(), "film:oceans eleven:2001", "{title}");
        }
        assert_eq!(normalise("Fast & Furious"), normalise("Fast and Furious"));
        assert_eq!(normalise("千と千尋の神隠し"), "千と千尋の神隠し");
        assert_eq!(normalise("???"), "???");
    }

    #[test]
    fn a_provider_id_names_an_item_better_than_its_title() {
        let ids = ProviderIds { tmdb: Some(603), imdb: Some("tt0133093".into()), tvdb: None };
        let item = film("The Matrix", Some(1999), ids);
        assert_eq!(item.key().as_str(), "film:tmdb:603");
        let keys: Vec<String> = item.match_keys().iter().map(ToString::to_string).collect();
        let expected = [
            "film:the matrix:1999",
            "any:the matrix:1999",
            "film:tmdb:603",
            "film:imdb:tt0133093",
            "any:imdb:tt0133093",
        ];
        assert_eq!(keys, expected);
    }

    #[test]
    fn a_year_is_found_with_brackets_and_without() {
        let finds = |a: &Item, b: &Item| {
            let keys = b.match_keys();
            a.match_keys().iter().any(|key| keys.contains(key))
        };
        let item = |title: &str, year| film(title, year, ProviderIds::default());
        assert!(finds(&item("Tron 1982", None), &item("Tron", Some(1982))));
        assert!(!finds(&item("Tron 1982", None), &item("Tron", Some(2010))));
        assert!(!finds(&item("Tron 1982", None), &item("Tron", None)));
        assert_eq!(item("Blade Runner 2049", None).key().as_str(), "film:blade runner 2049");
        assert_eq!(item("1917", None).match_keys(), [item("1917", None).key()]);
    }

    #[test]
    fn a_title_of_any_length_has_a_short_key_and_its_own() {
        let named = |title: String, year| film(&title, year, ProviderIds::default());
        let long = |end: &str| named(format!("{}{end}", "é".repeat(4096)), Some(1999));
        for item in [long("a"), named("x ".repeat(9_000) + "1999", None)] {
            let keys = item.all_keys();
            assert!(keys.iter().all(|key| key.as_str().len() < 1_100), "{keys:?}");
        }
        let one = long("a").all_keys();
        assert_eq!(one, long("a").all_keys());
        assert!(long("b").all_keys().iter().all(|key| !one.contains(key)));
        assert_eq!(long("a").key().as_str().rsplit(' ').next().unwrap(), LONG_AS_A_KEY);
    }

    /// Stored: must never be another.
    const LONG_AS_A_KEY: &str = "36fe24bdfa629544d4c3f462353bc964:1999";

    #[test]
    fn titles_that_a_careless_hand_wrote_are_alike() {
        for (a, b) in [
            ("Amélie", "Ame\u{301}lie"),
            ("Amélie", "Amelie"),
            ("Thing, The", "The Thing"),
            ("S.W.A.T.", "SWAT"),
        ] {
            assert_eq!(alike(a), alike(b), "{a} {b}");
        }
        for (a, b) in [("The", "A"), ("Up", "Us"), ("Rocky II", "Rocky 2"), ("A", "")] {
            assert_ne!(alike(a), alike(b), "{a} {b}");
        }
        let item = |title: &str, year| film(title, year, ProviderIds::default());
        assert!(item("Heat", None).may_be(&item("Heat", Some(1995))));
        assert!(item("Heat", Some(1996)).may_be(&item("Heat", Some(1995))));
        assert!(!item("Heat", Some(1986)).may_be(&item("Heat", Some(1995))));
        assert!(!item("Heat", None).may_be(&item("Heat 2", None)));
    }

    #[test]
    fn ids_contradict_only_where_both_speak_of_one_provider() {
        let tmdb = |id| ProviderIds { tmdb: Some(id), ..ProviderIds::default() };
        let tvdb = ProviderIds { tvdb: Some(1), ..ProviderIds::default() };
        assert!(tmdb(1).contradict(&tmdb(2)));
        assert!(!tmdb(1).contradict(&tmdb(1)));
        assert!(!tmdb(1).contradict(&tvdb));
        assert!(!tmdb(1).contradict(&ProviderIds::default()));
    }
}

//! What a folder or file name says about its title: the title itself, the year, provider ids.

use crate::domain::{ProviderIds, shown};

/// The years that a number in a name may be.
const YEARS: std::ops::RangeInclusive<u16> = 1880..=2100;

/// Words that begin the technical part of a release name.
const TECHNICAL: &[&str] = &[
    "2160p", "1080p", "1080i", "720p", "576p", "480p", "4k", "uhd", "bluray", "blu-ray", "bdrip",
    "brrip", "web", "web-dl", "webdl", "webrip", "hdtv", "dvdrip", "dvd", "remux", "hdrip", "x264",
    "x265", "h264", "h265", "hevc", "av1", "xvid", "proper", "repack", "multi", "extended", "imax",
];

/// A name, read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The title, one line, never empty.
    pub title: String,
    /// The year of release.
    pub year: Option<u16>,
    /// Provider ids.
    pub ids: ProviderIds,
}

impl Parsed {
    /// Whether the name says more than a bare title: then the folder is a title's for certain.
    #[must_use]
    pub fn is_definite(&self) -> bool {
        self.year.is_some() || !self.ids.is_empty()
    }
}

/// Reads a folder name.
#[must_use]
pub fn parse_folder(name: &[u8]) -> Parsed {
    parse(&shown(name))
}

/// Reads the name of a loose file, with its extension.
#[must_use]
pub fn parse_file(name: &[u8]) -> Parsed {
    parse(&shown(stem(name)))
}

/// A file name without its extension.
#[must_use]
pub fn stem(name: &[u8]) -> &[u8] {
    match name.iter().rposition(|b| *b == b'.') {
        Some(dot) if dot > 0 => &name[..dot],
        _ => name,
    }
}

fn parse(name: &str) -> Parsed {
    let (mut rest, ids) = take_tags(name, true);
    if rest.is_empty() || rest.starts_with('(') && rest.ends_with(')') && rest.len() == 6 {
        // `[REC] (2007)`: the title itself stands in brackets.
        rest = take_tags(name, false).0;
    }
    let (title, year) = match bracketed_year(&rest) {
        Some((title, year)) => (title.to_owned(), Some(year)),
        None => release_name(&rest).unwrap_or_else(|| (rest.clone(), None)),
    };
    let title = tidy(&title);
    let title = if title.is_empty() { tidy(&rest) } else { title };
    Parsed { title: if title.is_empty() { name.trim().to_owned() } else { title }, year, ids }
}

/// Takes the `[…]` and `{…}` groups out: provider ids are read, the rest is about the encode and
/// taken out only if `all` are.
fn take_tags(name: &str, all: bool) -> (String, ProviderIds) {
    let mut rest = String::with_capacity(name.len());
    let mut ids = ProviderIds::default();
    let mut text = name;
    while let Some(open) = text.find(['[', '{']) {
        let close = if text[open..].starts_with('[') { ']' } else { '}' };
        let Some(length) = text[open..].find(close) else { break };
        rest.push_str(&text[..open]);
        rest.push(' ');
        let is_id = read_tag(&text[open + 1..open + length], &mut ids);
        if !is_id && !all {
            rest.push_str(&text[open..=open + length]);
        }
        text = &text[open + length + 1..];
    }
    rest.push_str(text);
    (rest.trim().to_owned(), ids)
}

/// `tmdbid-603`, `tmdb-603`, `tmdb=603`, `imdbid-tt0133093`, `imdb-tt…`, `tvdbid-…`.
fn read_tag(tag: &str, ids: &mut ProviderIds) -> bool {
    let lower = tag.trim().to_ascii_lowercase();
    let Some((provider, value)) = lower.split_once(['-', '=', ':']) else { return false };
    let value = value.trim();
    let provider = provider.trim();
    match provider.strip_suffix("id").unwrap_or(provider) {
        "tmdb" => ids.tmdb = value.parse().ok().or(ids.tmdb),
        "tvdb" => ids.tvdb = value.parse().ok().or(ids.tvdb),
        "imdb" => {
            let digits = value.strip_prefix("tt").unwrap_or_default();
            if !digits.is_empty()
                && digits.len() <= 12
                && digits.bytes().all(|b| b.is_ascii_digit())
            {
                ids.imdb = Some(value.to_owned());
            }
        }
        _ => return false,
    }
    true
}

/// The text before the last `(1995)` that has text before it.
fn bracketed_year(text: &str) -> Option<(&str, u16)> {
    text.match_indices('(').rev().find_map(|(open, _)| {
        let digits = text.get(open + 1..open + 5)?;
        let closed = text.get(open + 5..)?.starts_with(')');
        let title = text[..open].trim();
        let year = digits.parse().ok().filter(|year| YEARS.contains(year))?;
        (closed && !title.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
            .then_some((title, year))
    })
}

/// `Heat.1995.1080p.BluRay`: the text before the year that the technical words follow.
fn release_name(text: &str) -> Option<(String, Option<u16>)> {
    let dotted = !text.contains(' ') && text.contains(['.', '_']);
    let words: Vec<&str> = text.split([' ', '.', '_']).filter(|word| !word.is_empty()).collect();
    let technical = words
        .iter()
        .position(|word| TECHNICAL.contains(&word.to_lowercase().as_str()))
        .filter(|at| *at > 0);
    let end = technical.unwrap_or(words.len());
    let year_at = (1..end).rev().find(|at| {
        words[*at].len() == 4 && words[*at].parse().is_ok_and(|year| YEARS.contains(&year))
    });
    // A year inside a spaced name without any technical word is part of the title.
    match year_at.filter(|at| dotted || technical == Some(at + 1)) {
        Some(at) => Some((words[..at].join(" "), words[at].parse().ok())),
        None if dotted || technical.is_some() => Some((words[..end].join(" "), None)),
        None => None,
    }
}

/// Spaces made single, dangling dashes and dots taken off.
fn tidy(title: &str) -> String {
    let words: Vec<&str> = title.split_whitespace().collect();
    words.join(" ").trim_matches(|c: char| c == '-' || c == ' ').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, title: &str, year: Option<u16>) {
        let parsed = parse_folder(name.as_bytes());
        assert_eq!((parsed.title.as_str(), parsed.year), (title, year), "{name}");
    }

    #[test]
    fn names_tell_title_and_year() {
        check("Heat (1995)", "Heat", Some(1995));
        check("Blade Runner (1982) (Final Cut)", "Blade Runner", Some(1982));
        check("(500) Days of Summer (2009)", "(500) Days of Summer", Some(2009));
        check("2012 (2009)", "2012", Some(2009));
        check("1917 (2019) [1080p]", "1917", Some(2019));
        check("Blade Runner 2049", "Blade Runner 2049", None);
        check("Blade.Runner.2049.2017.1080p.BluRay", "Blade Runner 2049", Some(2017));
        check("Heat.1995.1080p.BluRay.x264-GRP", "Heat", Some(1995));
        check("Heat 1995 1080p", "Heat", Some(1995));
        check("Heat 1995", "Heat 1995", None);
        check("2001.A.Space.Odyssey.1968.2160p", "2001 A Space Odyssey", Some(1968));
        check("[Group] Cowboy Bebop [1080p]", "Cowboy Bebop", None);
        check("Mr. Robot", "Mr. Robot", None);
        check("WALL·E (2008)", "WALL·E", Some(2008));
        check("(1995)", "(1995)", None);
        check("[REC]", "[REC]", None);
        check("[REC] (2007)", "[REC]", Some(2007));
        check("[REC] {tmdb-8329}", "[REC]", None);
        check("   ", "", None);
    }

    #[test]
    fn tags_tell_provider_ids_in_each_common_spelling() {
        let check = |name: &str, tmdb: Option<u64>, tvdb: Option<u64>, imdb: Option<&str>| {
            let parsed = parse_folder(name.as_bytes());
            let expected = ProviderIds { tmdb, tvdb, imdb: imdb.map(str::to_owned) };
            assert_eq!(parsed.ids, expected, "{name}");
            assert_eq!(parsed.title, "Heat", "{name}");
        };
        check("Heat (1995) [tmdbid-949]", Some(949), None, None);
        check("Heat (1995) {tmdb-949}", Some(949), None, None);
        check("Heat (1995) [tmdbid=949]", Some(949), None, None);
        check("Heat {tvdb-12}", None, Some(12), None);
        check("Heat [tvdbid-12] [imdbid-tt0113277]", None, Some(12), Some("tt0113277"));
        check("Heat {imdb-tt0113277}", None, None, Some("tt0113277"));
        check("Heat {imdb-x} [tmdbid-x] {edition-Director's Cut}", None, None, None);
    }

    #[test]
    fn names_that_are_not_text_stay_apart() {
        assert_ne!(parse_file(b"\xff.mkv").title, parse_file(b"\xfe.mkv").title);
        assert_eq!(parse_file(b"Heat (1995).mkv").title, "Heat");
        assert_eq!(stem(b".mkv"), b".mkv");
    }
}

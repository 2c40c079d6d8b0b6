//! Which names are media, and which are none of our business.

use std::collections::BTreeSet;

/// A whole-name pattern in which `*` stands for any run of bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pattern(Vec<Vec<u8>>);

impl Pattern {
    /// Takes a pattern as it is written in the configuration.
    #[must_use]
    pub fn new(pattern: &str) -> Self {
        Self(pattern.as_bytes().split(|b| *b == b'*').map(<[u8]>::to_vec).collect())
    }

    /// Whether the whole name fits.
    #[must_use]
    pub fn fits(&self, name: &[u8]) -> bool {
        let [head, middle @ .., tail] = &self.0[..] else {
            return self.0.first().is_some_and(|only| only == name);
        };
        let Some(mut rest) = name.strip_prefix(&head[..]).and_then(|n| n.strip_suffix(&tail[..]))
        else {
            return false;
        };
        for part in middle.iter().filter(|part| !part.is_empty()) {
            match rest.windows(part.len()).position(|window| window == &part[..]) {
                Some(at) => rest = &rest[at + part.len()..],
                None => return false,
            }
        }
        true
    }
}

/// The rules of one root.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rules {
    extensions: BTreeSet<Vec<u8>>,
    ignore: Vec<Pattern>,
}

impl Rules {
    /// Rules from media extensions (without dot, any case) and names to ignore.
    #[must_use]
    pub fn new<'a>(
        extensions: impl IntoIterator<Item = &'a str>,
        ignore: impl IntoIterator<Item = &'a str>,
    ) -> Self {
        Self {
            extensions: extensions
                .into_iter()
                .map(|e| e.to_ascii_lowercase().into_bytes())
                .collect(),
            ignore: ignore.into_iter().map(Pattern::new).collect(),
        }
    }

    /// Whether a file or link of this name is media.
    #[must_use]
    pub fn is_media(&self, name: &[u8]) -> bool {
        let Some(dot) = name.iter().rposition(|b| *b == b'.').filter(|dot| *dot > 0) else {
            return false;
        };
        self.extensions.contains(&name[dot + 1..].to_ascii_lowercase()) && !self.is_ignored(name)
    }

    /// Whether a directory of this name is left out, with all below it. One that is named like a
    /// title, with a year or a provider id, never is.
    #[must_use]
    pub fn is_ignored_dir(&self, name: &[u8]) -> bool {
        self.is_ignored(name) && !is_titled(name)
    }

    fn is_ignored(&self, name: &[u8]) -> bool {
        self.ignore.iter().any(|pattern| pattern.fits(name))
    }
}

/// Whether a folder name has a `(year)` or a `[provider-id]` or `{provider-id}` in it.
fn is_titled(name: &[u8]) -> bool {
    let year = name
        .windows(6)
        .any(|w| w[0] == b'(' && w[5] == b')' && w[1..5].iter().all(u8::is_ascii_digit));
    let lower = name.to_ascii_lowercase();
    let id = ["tmdb", "tvdb", "imdb"].iter().any(|provider| {
        [b'[', b'{'].iter().any(|open| {
            let tag = [&[*open], provider.as_bytes()].concat();
            lower.windows(tag.len()).any(|window| window == &tag[..])
        })
    });
    year || id
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_fits_the_whole_name_or_not_at_all() {
        let check = |pattern: &str, name: &str, expected: bool| {
            assert_eq!(Pattern::new(pattern).fits(name.as_bytes()), expected, "{pattern} {name}");
        };
        check("sample", "sample", true);
        check("sample", "samples", false);
        check("sample", "a sample", false);
        check(".Trash-*", ".Trash-1000", true);
        check(".Trash-*", ".Trash", false);
        check("*.part", "x.part", true);
        check("*", "", true);
        check("a*b*c", "aXbYc", true);
        check("a*b*c", "abc", true);
        check("a*b*c", "ac", false);
        check("aa*aa", "aaa", false);
        check("", "a", false);
    }

    #[test]
    fn media_is_told_by_its_extension_in_any_case() {
        let rules = Rules::new(["mkv", "MP4"], ["sample.mkv"]);
        for name in ["a.mkv", "a.MKV", "a.b.mp4", "a\n.mkv"] {
            assert!(rules.is_media(name.as_bytes()), "{name}");
        }
        for name in ["mkv", ".mkv", "a.mkv.bak", "a.nfo", "", "a.", "sample.mkv"] {
            assert!(!rules.is_media(name.as_bytes()), "{name}");
        }
        assert!(rules.is_media(b"\xff.mkv"));
    }

    #[test]
    fn no_rule_hides_a_folder_that_is_named_like_a_title() {
        let rules = Rules::new(["mkv"], [".*", "Sample*"]);
        for name in [".hack (2002)", ".hack [tvdbid-79099]", ".x {TMDB-5}", "Sample (2020)"] {
            assert!(!rules.is_ignored_dir(name.as_bytes()), "{name}");
        }
        assert!(rules.is_ignored_dir(b".Trash-1000"));
        assert!(rules.is_ignored_dir(b"Sample"));
        assert!(!rules.is_ignored_dir(b"Film"));
    }
}

//! Which episode a file holds, as far as its name tells.

/// Season and episode number; anime is often numbered through, without a season.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Episode {
    /// The season, where the name says one; 0 for specials.
    pub season: Option<u16>,
    /// The number.
    pub number: u16,
}

/// The episodes that a file name speaks of: `S01E02`, `s01e02e03`, `S01E02-E04`, `1x02`,
/// ` - 02`, `E02`, `Episode 2`. Empty where it speaks of none.
#[must_use]
pub fn episodes(name: &str) -> Vec<Episode> {
    let lower = name.to_ascii_lowercase();
    let stem = lower.rsplit_once('.').map_or(&*lower, |(stem, _)| stem);
    let bytes = stem.as_bytes();
    seasoned(bytes)
        .or_else(|| crossed(bytes))
        .or_else(|| worded(stem))
        .or_else(|| dashed(stem))
        .unwrap_or_default()
}

/// `s01e02`, with more episodes behind it as `e03`, `-e03` or `-03`.
fn seasoned(bytes: &[u8]) -> Option<Vec<Episode>> {
    for start in (0..bytes.len()).filter(|at| bytes[*at] == b's' && is_border(bytes, *at)) {
        let Some((season, mut at)) = number(bytes, start + 1, 4) else { continue };
        while bytes.get(at).is_some_and(|b| b" ._-".contains(b)) {
            at += 1;
        }
        if bytes.get(at) != Some(&b'e') {
            continue;
        }
        let Some((first, mut at)) = number(bytes, at + 1, 4) else { continue };
        let mut found = vec![Episode { season: Some(season), number: first }];
        let mut last = first;
        loop {
            let dash = bytes.get(at) == Some(&b'-');
            let rest = at + usize::from(dash);
            let lettered = bytes.get(rest) == Some(&b'e');
            if !dash && !lettered {
                break;
            }
            let Some((next, end)) = number(bytes, rest + usize::from(lettered), 4) else { break };
            // `S01E02-1080p` is a resolution, not a range.
            if next <= last || next - last > 30 || bytes.get(end) == Some(&b'p') {
                break;
            }
            let from = if dash { last + 1 } else { next };
            found.extend((from..=next).map(|number| Episode { season: Some(season), number }));
            (last, at) = (next, end);
        }
        return Some(found);
    }
    None
}

/// `1x02`, but not `1920x1080` or the codec `x264`.
fn crossed(bytes: &[u8]) -> Option<Vec<Episode>> {
    for cross in (1..bytes.len()).filter(|at| bytes[*at] == b'x') {
        let digits = bytes[..cross].iter().rev().take_while(|b| b.is_ascii_digit()).count();
        let start = cross - digits;
        if !(1..=2).contains(&digits) || !is_border(bytes, start) {
            continue;
        }
        let (Some((season, _)), Some((number, end))) =
            (number(bytes, start, 2), number(bytes, cross + 1, 3))
        else {
            continue;
        };
        if end - cross > 2 && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
            return Some(vec![Episode { season: Some(season), number }]);
        }
    }
    None
}

/// `episode 2`, `ep02`, `e02`.
fn worded(stem: &str) -> Option<Vec<Episode>> {
    let bytes = stem.as_bytes();
    for word in ["episode", "ep", "e"] {
        for (start, _) in stem.match_indices(word) {
            let mut at = start + word.len();
            while word.len() > 1 && bytes.get(at).is_some_and(|b| b" ._-".contains(b)) {
                at += 1;
            }
            let Some((number, end)) = number(bytes, at, 4) else { continue };
            if is_border(bytes, start) && !bytes.get(end).is_some_and(u8::is_ascii_alphanumeric) {
                return Some(vec![Episode { season: None, number }]);
            }
        }
    }
    None
}

/// ` - 02`, as anime groups write, with a version behind it (`02v2`) or not.
fn dashed(stem: &str) -> Option<Vec<Episode>> {
    let bytes = stem.as_bytes();
    for (start, dash) in stem.match_indices(" - ") {
        let Some((number, end)) = number(bytes, start + dash.len(), 4) else { continue };
        let rest = &bytes[end..];
        let versioned = matches!(rest, [b'v', digit, ..] if digit.is_ascii_digit());
        if versioned || rest.is_empty() || b" [(".contains(&rest[0]) {
            return Some(vec![Episode { season: None, number }]);
        }
    }
    None
}

fn is_border(bytes: &[u8], at: usize) -> bool {
    at == 0 || !bytes[at - 1].is_ascii_alphanumeric()
}

/// The number that begins at `at`, of at most `most` digits, and where it ends.
fn number(bytes: &[u8], at: usize, most: usize) -> Option<(u16, usize)> {
    let digits = bytes.get(at..)?.iter().take_while(|b| b.is_ascii_digit()).count();
    if digits == 0 || digits > most {
        return None;
    }
    let text = std::str::from_utf8(&bytes[at..at + digits]).ok()?;
    Some((text.parse().ok()?, at + digits))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, expected: &[(Option<u16>, u16)]) {
        let found: Vec<_> = episodes(name).iter().map(|e| (e.season, e.number)).collect();
        assert_eq!(found, expected, "{name}");
    }

    #[test]
    fn names_tell_their_episodes() {
        check("Show - S01E02 - Title.mkv", &[(Some(1), 2)]);
        check("show.s01e02e03.720p.mkv", &[(Some(1), 2), (Some(1), 3)]);
        check("Show S01E02-E04.mkv", &[(Some(1), 2), (Some(1), 3), (Some(1), 4)]);
        check("Show S01E02-1080p.mkv", &[(Some(1), 2)]);
        check("Show S00E01.mkv", &[(Some(0), 1)]);
        check("Show S2021E105.mkv", &[(Some(2021), 105)]);
        check("show.1x02.avi", &[(Some(1), 2)]);
        check("show - 10x112 - title.avi", &[(Some(10), 112)]);
        check("[Group] Show - 07 [1080p].mkv", &[(None, 7)]);
        check("[Group] Show - 07v2.mkv", &[(None, 7)]);
        check("Show Episode 12.mp4", &[(None, 12)]);
        check("Show.E12.mp4", &[(None, 12)]);
    }

    #[test]
    fn names_of_films_tell_none() {
        for name in [
            "Heat (1995).mkv",
            "Heat.1995.1080p.x264.mkv",
            "Apollo 13 - 1920x1080.mkv",
            "Se7en.mkv",
            "Film (2020) - 4K.mkv",
            "",
            ".mkv",
            "E.T. the Extra-Terrestrial (1982).mkv",
            "District 9.mkv",
            "Ocean's Eleven.mkv",
            "Mission - Impossible.mkv",
        ] {
            check(name, &[]);
        }
    }
}

//! What is wrong with a configuration: where, which key, and the way out.
//!
//! Must never quote a line of the file or the value of an environment variable that was not
//! understood: it may hold a secret.

use std::fmt;

use crate::domain::shown;

/// Where a value was written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// The file as a whole, or the words that say that there is none.
    Source(String),
    /// A line and a column of the file, both counted from 1, columns in characters.
    File {
        /// The file's name.
        source: String,
        /// The line.
        line: usize,
        /// The column.
        column: usize,
    },
    /// An environment variable.
    Environment(String),
    /// An option of the command line, with its value.
    CommandLine(String),
}

impl Place {
    /// The place of the byte `offset` of `text`.
    pub(super) fn at(source: &str, text: &[u8], offset: usize) -> Self {
        let before = &text[..offset.min(text.len())];
        let line = before.iter().filter(|b| **b == b'\n').count() + 1;
        let start = before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1);
        let column = String::from_utf8_lossy(&before[start..]).chars().count() + 1;
        Self::File { source: source.to_owned(), line, column }
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::File { source, line, column } => {
                write!(f, "{}:{line}:{column}", shown(source.as_bytes()))
            }
            Self::Source(name) | Self::Environment(name) | Self::CommandLine(name) => {
                f.write_str(&shown(name.as_bytes()))
            }
        }
    }
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    /// Where it was written.
    pub place: Place,
    /// The key's full dotted name; `None` where no key is concerned.
    pub key: Option<String>,
    /// What is wrong and what to write instead, in one line.
    pub message: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.place)?;
        if let Some(key) = &self.key {
            write!(f, "{key}: ")?;
        }
        f.write_str(&self.message)
    }
}

/// A configuration that can't be used, with every problem that was found, one to a line, in the
/// order of the file, then of the environment, then of the command line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", lines(.problems))]
pub struct ConfigError {
    /// The problems; never empty.
    pub problems: Vec<Problem>,
}

impl ConfigError {
    /// An error with a single problem that concerns no key.
    pub(super) fn one(place: Place, message: String) -> Self {
        Self { problems: vec![Problem { place, key: None, message }] }
    }
}

fn lines(problems: &[Problem]) -> String {
    problems.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n")
}

/// The problems found so far.
#[derive(Debug, Default)]
pub(super) struct Problems(Vec<Problem>);

impl Problems {
    /// Adds a problem with `key`.
    pub(super) fn add(&mut self, place: &Place, key: impl Into<String>, message: String) {
        let key = Some(key.into());
        self.0.push(Problem { place: place.clone(), key, message });
    }

    /// Adds a problem that concerns no key.
    pub(super) fn add_plain(&mut self, place: &Place, message: String) {
        self.0.push(Problem { place: place.clone(), key: None, message });
    }

    /// `value` if nothing was wrong.
    pub(super) fn finish<T>(mut self, value: T) -> Result<T, ConfigError> {
        if self.0.is_empty() {
            return Ok(value);
        }
        self.0.sort();
        Err(ConfigError { problems: self.0 })
    }
}

/// The one of `known` that `word` was probably meant to be.
pub(super) fn nearest<'a>(word: &str, known: &[&'a str]) -> Option<&'a str> {
    let (distance, best) = known.iter().map(|k| (edits(word, k), *k)).min()?;
    // A third of the letters wrong is still a slip; more is another word.
    (distance <= (word.chars().count() / 3).max(1)).then_some(best)
}

/// How many letters to add, drop or change to turn `a` into `b`.
fn edits(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = i;
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let change = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = change.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_another_word_is_not() {
        let known = ["floor", "max", "share", "window"];
        let check = |word: &str, expected: Option<&str>| {
            assert_eq!(nearest(word, &known), expected, "{word}");
        };
        check("maxx", Some("max"));
        check("windov", Some("window"));
        check("flor", Some("floor"));
        check("limit", None);
        check("", None);
        assert_eq!(nearest("x", &[]), None);
    }

    #[test]
    fn lines_and_columns_count_from_one_and_in_characters() {
        let check = |offset: usize, expected: &str| {
            assert_eq!(Place::at("f", "ä b\nc".as_bytes(), offset).to_string(), expected);
        };
        check(0, "f:1:1");
        check(3, "f:1:3");
        check(5, "f:2:1");
        check(99, "f:2:2");
    }

    #[test]
    fn a_problem_stays_on_one_line() {
        let place = Place::Source("odd\nname".to_owned());
        assert_eq!(ConfigError::one(place, "wrong".to_owned()).to_string(), "odd\\nname: wrong");
    }
}

//! The file as written: a tree of values, each with the place it came from.
//!
//! Must never decide what a key means; it only knows TOML. Syntax errors and keys written twice
//! are found here.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::problem::{ConfigError, Place, Problem};

/// A table as written.
pub(super) type Table = BTreeMap<String, Entry>;

/// A value as written, and where.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// Where its key stands.
    pub(super) key_place: Place,
    /// Where the value stands.
    pub(super) place: Place,
    /// The value.
    pub(super) value: Value,
    /// The text of the environment variable that gave the value: what is meant where a text is
    /// expected and the value only happens to look like something else.
    pub(super) raw: Option<String>,
}

/// The kinds of value.
#[derive(Debug, Clone)]
pub(super) enum Value {
    /// Text.
    Text(String),
    /// A number as written; `whole` if it is a whole one of reasonable size.
    Number { text: String, whole: Option<i64> },
    /// True or false, which no key takes yet.
    Boolean,
    /// A list.
    List(Vec<Entry>),
    /// A table.
    Table(Table),
    /// A date or a time, which no key takes.
    Date,
}

impl Value {
    /// What this is, for an error.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::Number { .. } => "a number",
            Self::Boolean => "true or false",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Date => "a date",
        }
    }

    /// Takes over a value of the TOML parser; `place` tells where a span of it lies.
    pub(super) fn from_toml(value: DeValue<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Self {
        match value {
            DeValue::String(text) => Self::Text(text.into_owned()),
            DeValue::Integer(number) => Self::Number {
                text: number.to_string(),
                whole: i64::from_str_radix(number.as_str(), number.radix()).ok(),
            },
            DeValue::Float(number) => Self::Number { text: number.to_string(), whole: None },
            DeValue::Boolean(_) => Self::Boolean,
            DeValue::Datetime(_) => Self::Date,
            DeValue::Array(list) => Self::List(
                list.into_iter()
                    .map(|item| {
                        let here = place(item.span());
                        Entry {
                            key_place: here.clone(),
                            place: here,
                            value: Self::from_toml(item.into_inner(), place),
                            raw: None,
                        }
                    })
                    .collect(),
            ),
            DeValue::Table(table) => Self::Table(from_toml(table, place)),
        }
    }
}

fn from_toml(table: DeTable<'_>, place: &dyn Fn(Range<usize>) -> Place) -> Table {
    table
        .into_iter()
        .map(|(key, value): (Spanned<_>, Spanned<_>)| {
            let entry = Entry {
                key_place: place(key.span()),
                place: place(value.span()),
                value: Value::from_toml(value.into_inner(), place),
                raw: None,
            };
            (key.into_inner().into_owned(), entry)
        })
        .collect()
}

/// Reads the text of a file.
///
/// # Errors
/// Every syntax error and every key written twice.
pub(super) fn parse(text: &str, source: &str) -> Result<Table, ConfigError> {
    let place = |span: Range<usize>| Place::at(source, text.as_bytes(), span.start);
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        return Ok(from_toml(table.into_inner(), &place));
    }
    let mut problems: Vec<Problem> = errors
        .iter()
        .map(|error| {
            // The parser gives no place for what is missing at the end of the text.
            let span = error.span().unwrap_or(text.len()..text.len());
            let key = key_at(text, &span);
            let message = if error.message() == "duplicate key" {
                written_twice(text, &span, key.as_deref())
            } else {
                // Never the parser's own display: it quotes the line, which may hold a secret.
                format!("not valid TOML: {}", error.message())
            };
            Problem { place: place(span), key, message }
        })
        .collect();
    problems.sort();
    // One slip can make the parser stumble several times over the same line.
    problems.dedup_by(|next, first| line(next) == line(first));
    // Nor is it worth a word that the keys of a table written twice are written twice.
    problems.dedup_by(|next, first| is_below(next, first));
    Err(ConfigError { problems })
}

fn line(problem: &Problem) -> Option<usize> {
    match problem.place {
        Place::File { line, .. } => Some(line),
        _ => None,
    }
}

fn is_below(next: &Problem, first: &Problem) -> bool {
    let (Some(next), Some(first)) = (&next.key, &first.key) else { return false };
    next.strip_prefix(first.as_str()).is_some_and(|rest| rest.starts_with('.'))
}

fn written_twice(text: &str, span: &Range<usize>, key: Option<&str>) -> String {
    let is_header = line_of(text, span.start).trim_start().starts_with('[');
    match key.and_then(|key| key.strip_prefix("roots.")) {
        Some(name) if is_header && !name.contains('.') => {
            format!("two roots are named `{name}`; give each root a name of its own")
        }
        _ if is_header => "this table is written twice; join the two".to_owned(),
        _ => "this key is written twice; keep one of the two".to_owned(),
    }
}

/// The full dotted name of the key at `span`, read from the text because the parser, which stopped
/// there, does not tell it. Only for messages.
fn key_at(text: &str, span: &Range<usize>) -> Option<String> {
    let start = line_start(text, span.start);
    let written = text.get(start..span.end.max(start))?.trim();
    if let Some(header) = written.strip_prefix('[') {
        return bare(header.trim_start_matches('['));
    }
    let key = bare(written.split('=').next().unwrap_or_default())?;
    let table = text[..start].lines().rev().find_map(|line| line.trim().strip_prefix('['));
    match table.and_then(|header| header.trim_start_matches('[').split(']').next()) {
        Some(table) => Some(format!("{}.{key}", table.trim())),
        None => Some(key),
    }
}

/// `text` if it is a key in its plain form.
fn bare(text: &str) -> Option<String> {
    let text = text.trim();
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.' | '"');
    (!text.is_empty() && text.chars().all(plain)).then(|| text.to_owned())
}

fn line_start(text: &str, offset: usize) -> usize {
    let before = &text.as_bytes()[..offset.min(text.len())];
    before.iter().rposition(|b| *b == b'\n').map_or(0, |at| at + 1)
}

fn line_of(text: &str, offset: usize) -> &str {
    text[line_start(text, offset)..].lines().next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &str) {
        assert_eq!(parse(text, "f").unwrap_err().to_string(), expected, "{text:?}");
    }

    #[test]
    fn what_is_written_twice_is_named_with_its_place() {
        check(
            "[roots.a]\npath = \"/a\"\n[roots.a]\npath = \"/b\"\n",
            "f:3:8: roots.a: two roots are named `a`; give each root a name of its own",
        );
        check(
            "[watch]\nquiet = \"1s\"\n  quiet = \"2s\"\n",
            "f:3:3: watch.quiet: this key is written twice; keep one of the two",
        );
        check("[watch]\n[watch]\n", "f:2:2: watch: this table is written twice; join the two");
        check(
            "brake.max = 1\nbrake.max = 2\n",
            "f:2:7: brake.max: this key is written twice; keep one of the two",
        );
    }

    #[test]
    fn a_syntax_error_has_a_place_and_never_quotes_the_line() {
        for text in ["[a]\nkey = hunter2", "[a]\nkey = \"hunter2", "[a]\nkey \"hunter2\"", "[a"] {
            let error = parse(text, "f").unwrap_err().to_string();
            assert!(error.starts_with("f:") && error.contains("not valid TOML"), "{error}");
            assert!(!error.contains("hunter2"), "{error}");
            assert_eq!(error.lines().count(), 1, "{error}");
        }
    }

    #[test]
    fn every_line_with_a_syntax_error_is_reported() {
        let error = parse("a = \nb = 1\nc = \n", "f").unwrap_err();
        let lines: Vec<_> = error.problems.iter().filter_map(line).collect();
        assert_eq!(lines, [1, 3], "{error}");
    }
}

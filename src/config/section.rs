//! One table of the file being read: typed values out of it, and what is left over is unknown.
//!
//! Must never know which keys there are (`read` asks for them) nor keep a default.

use std::fmt::Display;
use std::str::FromStr;
use std::time::Duration;

use super::file::{Entry, Table, Value};
use super::problem::{Place, Problems, nearest};
use super::secret::SecretSource;
use super::value::{Range, Share, UnknownWord, duration, no_unit};
use crate::domain::shown;

/// A table being read.
pub(super) struct Section<'p> {
    /// Its dotted name; empty for the whole file.
    name: String,
    /// Where it was written.
    place: Place,
    table: Table,
    known: Vec<&'static str>,
    pub(super) problems: &'p mut Problems,
}

impl<'p> Section<'p> {
    /// The whole file.
    pub(super) fn top(table: Table, source: &str, problems: &'p mut Problems) -> Self {
        let place = Place::Source(source.to_owned());
        Self { name: String::new(), place, table, known: Vec::new(), problems }
    }

    /// The table `key`; an empty one if it is not written.
    pub(super) fn section(&mut self, key: &'static str) -> Section<'_> {
        let entry = self.take(key);
        let (name, place) = (self.full(key), self.place.clone());
        Section::of(entry, name, place, self.problems)
    }

    /// The tables in this one, whose keys are names that people choose.
    pub(super) fn named(self) -> (Vec<(String, Entry)>, &'p mut Problems) {
        (self.table.into_iter().collect(), self.problems)
    }

    /// The table in `entry`, called `name`.
    pub(super) fn of(
        entry: Option<Entry>,
        name: String,
        outer: Place,
        problems: &'p mut Problems,
    ) -> Self {
        let (place, table) = match entry {
            None => (outer, Table::new()),
            Some(Entry { key_place, value: Value::Table(table), .. }) => (key_place, table),
            Some(Entry { key_place, place, value, .. }) => {
                let message = format!("this is a table, not {}; write [{name}]", value.kind());
                problems.add(&place, name.clone(), message);
                (key_place, Table::new())
            }
        };
        Self { name, place, table, known: Vec::new(), problems }
    }

    /// The table's full dotted name.
    pub(super) fn name(&self) -> &str {
        &self.name
    }

    /// Where this table was written.
    pub(super) fn place(&self) -> &Place {
        &self.place
    }

    /// The full dotted name of `key`.
    pub(super) fn full(&self, key: &str) -> String {
        dotted(&self.name, key)
    }

    /// Whether `key` is written.
    pub(super) fn has(&self, key: &str) -> bool {
        self.table.contains_key(key)
    }

    /// Adds a problem with `key`.
    pub(super) fn problem(&mut self, place: &Place, key: &str, message: String) {
        self.problems.add(place, self.full(key), message);
    }

    /// What is written under `key`, which from now on is a known one.
    fn take(&mut self, key: &'static str) -> Option<Entry> {
        self.known.push(key);
        self.table.remove(key)
    }

    /// A text.
    pub(super) fn text(&mut self, key: &'static str) -> Option<(Place, String)> {
        let entry = self.take(key)?;
        match text_of(&entry) {
            Some(text) => Some((entry.place, text)),
            None => {
                let message = format!("expects a text in quotes, not {}", entry.value.kind());
                self.problem(&entry.place, key, message);
                None
            }
        }
    }

    /// A secret, in one of its forms.
    pub(super) fn secret(&mut self, key: &'static str) -> Option<SecretSource> {
        let entry = self.take(key)?;
        let read = match &entry.value {
            Value::Table(table) => {
                let table: Option<toml::Table> = table
                    .iter()
                    .map(|(key, inner)| Some((key.clone(), text_of(inner)?.into())))
                    .collect();
                table.map(toml::Value::Table)
            }
            _ => text_of(&entry).map(toml::Value::String),
        };
        // What can't be read is no secret, and neither is any other value: one word for both.
        match SecretSource::try_from(read.unwrap_or(toml::Value::Boolean(false))) {
            Ok(source) => Some(source),
            Err(error) => {
                self.problem(&entry.place, key, error.to_string());
                None
            }
        }
    }

    /// A list of texts.
    pub(super) fn texts(&mut self, key: &'static str) -> Option<Vec<(Place, String)>> {
        let entry = self.take(key)?;
        let wrong = |kind| format!("expects a list of texts like [\"a\", \"b\"], not {kind}");
        let Value::List(items) = entry.value else {
            self.problem(&entry.place, key, wrong(entry.value.kind()));
            return None;
        };
        let mut texts = Vec::with_capacity(items.len());
        for item in items {
            match text_of(&item) {
                Some(text) => texts.push((item.place, text)),
                None => {
                    let message = format!("{} in the list", wrong(item.value.kind()));
                    self.problem(&item.place, key, message);
                }
            }
        }
        Some(texts)
    }

    /// A duration within `range`.
    pub(super) fn duration(
        &mut self,
        key: &'static str,
        range: Range,
        default: Duration,
    ) -> Duration {
        let Some(entry) = self.take(key) else { return default };
        let read = match &entry.value {
            Value::Text(text) => duration(text).and_then(|value| range.check(value)),
            Value::Number { text, .. } => Err(no_unit(text)),
            other => Err(format!("expects a duration like \"60s\", not {}", other.kind())),
        };
        self.or_problem(read, &entry, key, default)
    }

    /// A whole number of at least `min`.
    pub(super) fn count(&mut self, key: &'static str, min: u32, default: u32) -> u32 {
        let Some(entry) = self.take(key) else { return default };
        let read = match &entry.value {
            Value::Number { text, whole } => whole
                .and_then(|number| u32::try_from(number).ok())
                .filter(|number| *number >= min)
                .ok_or_else(|| {
                    format!(
                        "{text} is out of range; write a whole number from {min} to {}",
                        u32::MAX
                    )
                }),
            other => Err(format!("expects a whole number like {default}, not {}", other.kind())),
        };
        self.or_problem(read, &entry, key, default)
    }

    /// A share.
    pub(super) fn share(&mut self, key: &'static str, default: Share) -> Share {
        let Some(entry) = self.take(key) else { return default };
        let read = match &entry.value {
            Value::Text(text) => Share::parse(text).ok_or_else(|| {
                let text = shown(text.as_bytes());
                format!("`{text}` is not a share; write a percentage from \"0%\" to \"100%\"")
            }),
            Value::Number { text, .. } => {
                Err(format!("{text} has no unit; write a share like \"{default}\""))
            }
            other => Err(format!("expects a share like \"{default}\", not {}", other.kind())),
        };
        self.or_problem(read, &entry, key, default)
    }

    /// One of several words.
    pub(super) fn word<T>(&mut self, key: &'static str, default: T) -> T
    where
        T: FromStr<Err = UnknownWord> + Display + Copy,
    {
        let Some((place, text)) = self.text(key) else { return default };
        text.parse().unwrap_or_else(|error: UnknownWord| {
            self.problem(&place, key, error.to_string());
            default
        })
    }

    /// What was read; else the problem is kept and the default lets the reading go on.
    fn or_problem<T>(
        &mut self,
        read: Result<T, String>,
        entry: &Entry,
        key: &str,
        default: T,
    ) -> T {
        read.unwrap_or_else(|message| {
            self.problem(&entry.place, key, message);
            default
        })
    }

    /// Says which keys are left over: nobody asked for them.
    pub(super) fn finish(mut self) {
        self.known.sort_unstable();
        for (key, entry) in std::mem::take(&mut self.table) {
            let meant = nearest(&key.to_lowercase(), &self.known)
                .map(|known| format!("; did you mean `{}`?", self.full(known)))
                .unwrap_or_default();
            let message = format!("unknown key{meant} (known keys: {})", self.known.join(", "));
            self.problem(&entry.key_place, &key, message);
        }
    }
}

/// The text that `entry` is. A variable's value is text even if it looks like something else.
fn text_of(entry: &Entry) -> Option<String> {
    match (&entry.value, &entry.raw) {
        (Value::Text(text), _) | (_, Some(text)) => Some(text.clone()),
        _ => None,
    }
}

/// `key` below `table`, quoted where TOML would need quotes.
pub(super) fn dotted(table: &str, key: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let key = if !key.is_empty() && key.chars().all(plain) {
        key.to_owned()
    } else {
        format!("\"{}\"", shown(key.as_bytes()))
    };
    if table.is_empty() { key } else { format!("{table}.{key}") }
}

//! Lays environment variables over the file.
//!
//! `OBITUARR__WATCH__QUIET=1s` sets `watch.quiet`: two underscores stand between the parts, and
//! names are lower-cased. The value is read as TOML where it is TOML (`25`, `true`, `["mkv"]`,
//! `{ path = "/x" }`), else taken as text. A variable replaces what the file says under its key,
//! tables included. The name of a variable can't hold a `-`: an underscore stands for it where the
//! file has a table or key of that name (`[roots.tv-4k]`: `OBITUARR__ROOTS__TV_4K__PATH`).
//!
//! Must never read the environment itself, so that a test can give one.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

use toml::de::DeValue;

use super::file::{Entry, Table, Value};
use super::problem::{Place, Problems};
use crate::domain::shown;

/// What the names of obituarr's variables begin with.
const PREFIX: &str = "OBITUARR__";

/// Sets what the variables of `environment` say in `table`.
pub(super) fn lay_over(
    table: &mut Table,
    environment: impl IntoIterator<Item = (OsString, OsString)>,
    problems: &mut Problems,
) {
    // Sorted, so that a variable for a whole table comes before one for a key in it.
    let mut variables: Vec<_> = environment
        .into_iter()
        .filter(|(name, _)| name.as_bytes().starts_with(PREFIX.as_bytes()))
        .collect();
    variables.sort();
    let mut set_by: BTreeMap<String, String> = BTreeMap::new();
    for (name, value) in variables {
        let place = Place::Environment(shown(name.as_bytes()));
        let (Some(name), Some(value)) = (name.to_str(), value.to_str()) else {
            problems.add_plain(&place, "the variable is not UTF-8; write it as UTF-8".to_owned());
            continue;
        };
        let path = name[PREFIX.len()..].to_ascii_lowercase();
        if let Some(other) = set_by.insert(path.clone(), name.to_owned()) {
            let message = format!("sets the same key as {other}; keep one of the two");
            problems.add_plain(&place, message);
            continue;
        }
        let parts: Vec<&str> = path.split("__").collect();
        if let Err(message) = set(table, &parts, value, &place) {
            problems.add_plain(&place, message);
        }
    }
}

fn set(table: &mut Table, parts: &[&str], value: &str, place: &Place) -> Result<(), String> {
    let (last, outer) = parts.split_last().unwrap_or((&"", &[]));
    if parts.iter().any(|part| part.is_empty()) {
        return Err("names no key; write one like OBITUARR__WATCH__QUIET".to_owned());
    }
    let mut table = table;
    for part in outer {
        let key = key_for(table, part)?;
        let entry = table.entry(key).or_insert_with(|| Entry {
            key_place: place.clone(),
            place: place.clone(),
            value: Value::Table(Table::new()),
            raw: None,
        });
        let kind = entry.value.kind();
        let Value::Table(inner) = &mut entry.value else {
            let at = &entry.place;
            return Err(format!("`{part}` is not a table but {kind} at {at}; remove one of them"));
        };
        table = inner;
    }
    let key = key_for(table, last)?;
    let entry = Entry {
        key_place: place.clone(),
        place: place.clone(),
        value: read(value, place),
        raw: Some(value.to_owned()),
    };
    table.insert(key, entry);
    Ok(())
}

/// The key of `table` that `part` stands for.
fn key_for(table: &Table, part: &str) -> Result<String, String> {
    if table.contains_key(part) {
        return Ok(part.to_owned());
    }
    let mut alike = table.keys().filter(|key| key.replace('-', "_") == part);
    match (alike.next(), alike.next()) {
        (Some(one), Some(other)) => {
            Err(format!("`{part}` may stand for `{one}` or for `{other}`; set the key in the file"))
        }
        (Some(key), None) => Ok(key.clone()),
        (None, _) => Ok(part.to_owned()),
    }
}

fn read(text: &str, place: &Place) -> Value {
    match DeValue::parse(text) {
        Ok(value) => Value::from_toml(value.into_inner(), &|_| place.clone()),
        Err(_) => Value::Text(text.to_owned()),
    }
}

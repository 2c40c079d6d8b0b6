//! Reads the roots and what counts as media in them.
//!
//! Must never let two roots share a directory: a file would be counted, and mourned, twice.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::file::{Entry, Value};
use super::problem::{Place, Problems};
use super::section::{Section, dotted};
use super::settings::{Overrides, RootSettings, WatchSettings};
use crate::domain::{RootName, shown};

/// The longest name that a directory on the command line is given, so that `-2` fits behind it.
const LONGEST_NAME: usize = 56;

/// A root and how to speak of it in an error.
struct Placed {
    root: RootSettings,
    place: Place,
    key: Option<String>,
}

/// Reads the roots of the file, or takes those of the command line in their stead.
pub(super) fn read(
    section: Section<'_>,
    watch: &WatchSettings,
    overrides: &Overrides,
    cwd: &Path,
) -> Vec<RootSettings> {
    let source = section.place().clone();
    let (entries, problems) = section.named();
    let is_empty = entries.is_empty();
    // Read even where the command line replaces them: a mistake in the file stays a mistake.
    let mut roots: Vec<Placed> = entries
        .into_iter()
        .filter_map(|(name, entry)| one(&name, entry, watch, problems))
        .collect();
    if !overrides.roots.is_empty() {
        roots = from_command_line(&overrides.roots, watch, cwd);
    } else if is_empty {
        let message = "no root is configured, so there is nothing to watch; add [roots.movies] with \
                       path = \"/mnt/movies\" to the file, or start with --root DIR";
        problems.add(&source, "roots", message.to_owned());
    }
    apart(&roots, problems);
    let mut roots: Vec<_> = roots.into_iter().map(|placed| placed.root).collect();
    roots.sort_by(|a, b| a.name.cmp(&b.name));
    roots
}

fn one(name: &str, entry: Entry, watch: &WatchSettings, problems: &mut Problems) -> Option<Placed> {
    let key = dotted("roots", name);
    let place = entry.key_place.clone();
    let is_table = matches!(entry.value, Value::Table(_));
    // A colon is how the watcher names the mounts that it finds below a root.
    let parsed = RootName::parse(name).ok().filter(|_| !name.contains(':'));
    if parsed.is_none() {
        let message = "not a name for a root; use 1 to 64 of a-z, 0-9, `-` and `_`".to_owned();
        problems.add(&place, key.clone(), message);
    }
    let mut section = Section::of(Some(entry), key.clone(), place.clone(), problems);
    if is_table && !section.has("path") {
        let message = format!("has no path; add path = \"/mnt/{name}\" below [{key}]");
        section.problem(&place, "path", message);
    }
    let path = path(&mut section);
    let extensions = extensions(&mut section).unwrap_or_else(|| watch.extensions.clone());
    let ignore = ignore(&mut section).unwrap_or_else(|| watch.ignore.clone());
    let marker = marker(&mut section);
    section.finish();
    let ((place, path), name) = (path?, parsed?);
    let root = RootSettings { name, path, extensions, ignore, marker };
    Some(Placed { root, place, key: Some(dotted(&key, "path")) })
}

fn path(section: &mut Section<'_>) -> Option<(Place, PathBuf)> {
    let (place, text) = section.text("path")?;
    let path = full(section, &place, "path", &text)?;
    Some((place, path))
}

/// A full path of one line, in its plain form.
pub(super) fn full(
    section: &mut Section<'_>,
    place: &Place,
    key: &str,
    text: &str,
) -> Option<PathBuf> {
    let path = Path::new(text);
    let wrong = if !path.is_absolute() {
        "is not a full path; write it from the `/` on, like /mnt/movies"
    } else if text.contains(char::is_control) {
        "has a control character; a path is one line of text"
    } else if path.components().any(|part| part == Component::ParentDir) {
        "goes up with `..`; write the directory that is meant"
    } else {
        return Some(resolved(path));
    };
    section.problem(place, key, format!("`{}` {wrong}", shown(text.as_bytes())));
    None
}

/// An absolute path without `.`, `..` and superfluous slashes. `..` goes up by name, as a shell
/// does, and not through symbolic links.
fn resolved(path: &Path) -> PathBuf {
    let mut plain = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => plain.push(name),
            Component::ParentDir => {
                plain.pop();
            }
            Component::RootDir | Component::CurDir | Component::Prefix(_) => {}
        }
    }
    plain
}

/// `extensions` of this table, in the form in which they are compared.
pub(super) fn extensions(section: &mut Section<'_>) -> Option<BTreeSet<String>> {
    let here = section.place().clone();
    let list = section.texts("extensions")?;
    if list.is_empty() {
        let message = "is empty, so nothing would be media; name at least one, like [\"mkv\"]";
        section.problem(&here, "extensions", message.to_owned());
    }
    let mut extensions = BTreeSet::new();
    for (place, text) in list {
        let extension = text.strip_prefix('.').unwrap_or(&text).to_ascii_lowercase();
        let odd = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '.' | '/' | '*');
        if extension.is_empty() || extension.contains(odd) {
            let text = shown(text.as_bytes());
            let message = format!(
                "`{text}` is not an extension; write what stands behind the last dot, like \"mkv\""
            );
            section.problem(&place, "extensions", message);
        }
        extensions.insert(extension);
    }
    Some(extensions)
}

/// `ignore` of this table.
pub(super) fn ignore(section: &mut Section<'_>) -> Option<Vec<String>> {
    let mut rules = Vec::new();
    for (place, rule) in section.texts("ignore")? {
        let wrong = if rule.contains('/') {
            "has a `/`; ignore rules are names, not paths"
        } else if rule.is_empty() || rule == "." || rule == ".." || rule.contains('\0') {
            "is not a name"
        } else if rule.chars().all(|c| c == '*') {
            "would ignore everything; leave it out, or leave the root out"
        } else {
            if !rules.contains(&rule) {
                rules.push(rule);
            }
            continue;
        };
        section.problem(&place, "ignore", format!("`{}` {wrong}", shown(rule.as_bytes())));
    }
    Some(rules)
}

fn marker(section: &mut Section<'_>) -> Option<String> {
    let (place, name) = section.text("marker")?;
    if name.is_empty() || name == "." || name == ".." || name.contains(['/', '\0']) {
        let message = format!(
            "`{}` is not the name of a file directly below the root; write one like \".mounted\"",
            shown(name.as_bytes())
        );
        section.problem(&place, "marker", message);
    }
    Some(name)
}

fn from_command_line(directories: &[PathBuf], watch: &WatchSettings, cwd: &Path) -> Vec<Placed> {
    let mut roots: Vec<Placed> = Vec::with_capacity(directories.len());
    for directory in directories {
        let path = resolved(&cwd.join(directory));
        let Some(name) = free_name(&path, &roots) else { continue };
        let root = RootSettings {
            name,
            path,
            extensions: watch.extensions.clone(),
            ignore: watch.ignore.clone(),
            marker: None,
        };
        let place = Place::CommandLine(format!("--root {}", directory.display()));
        roots.push(Placed { root, place, key: None });
    }
    roots
}

/// A name made from the last part of `path` that none of `roots` has.
fn free_name(path: &Path, roots: &[Placed]) -> Option<RootName> {
    let last = path.file_name().unwrap_or_default().as_bytes();
    let mut name = String::new();
    for c in String::from_utf8_lossy(last).to_lowercase().chars() {
        if c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_' {
            name.push(c);
        } else if !name.is_empty() && !name.ends_with('-') {
            name.push('-');
        }
    }
    name.truncate(LONGEST_NAME);
    let name = match name.trim_end_matches('-') {
        "" => "root",
        name => name,
    };
    std::iter::once(name.to_owned())
        .chain((2..=roots.len() + 2).map(|number| format!("{name}-{number}")))
        .find(|free| roots.iter().all(|placed| placed.root.name.as_str() != free))
        .and_then(|free| RootName::parse(&free).ok())
}

/// Says which roots are the same directory or lie one inside another.
fn apart(roots: &[Placed], problems: &mut Problems) {
    for (at, inner) in roots.iter().enumerate() {
        for (other_at, outer) in roots.iter().enumerate() {
            let is_same = inner.root.path == outer.root.path;
            // The same directory is said once, of the later root.
            if at == other_at || (is_same && at < other_at) {
                continue;
            }
            if !inner.root.path.starts_with(&outer.root.path) {
                continue;
            }
            let relation = if is_same { "is the same directory as" } else { "lies inside" };
            let message = format!(
                "`{}` {relation} `{}` ({}); a root already covers all that is below it, so leave \
                 one of the two out",
                inner.name(),
                outer.name(),
                shown(outer.root.path.as_os_str().as_bytes()),
            );
            match &inner.key {
                Some(key) => problems.add(&inner.place, key.clone(), message),
                None => problems.add_plain(&inner.place, message),
            }
        }
    }
}

impl Placed {
    /// What the person who wrote it calls it.
    fn name(&self) -> String {
        match self.key {
            Some(_) => format!("roots.{}", self.root.name),
            None => self.place.to_string(),
        }
    }
}

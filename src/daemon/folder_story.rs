//! The story of a folder that is no title's: which titles are in it.

use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::folders::{Around, Stored};
use super::roots::RootSpec;
use crate::catalog::{Folders, TitleAt};
use crate::control::Story;
use crate::domain::{RelPath, shown};
use crate::store::{Storage, StoreError};

/// How many titles are named.
const MOST_NAMED: usize = 20;
/// How many files are looked at: who asks for a folder wants to know what it is, not all of it.
const MOST_FILES: usize = 20_000;

/// The story of the folder at a path; `None` where the path is a file, a title or not known.
///
/// # Errors
/// When the store can't be read.
pub(super) fn folder_story<'a, S: Storage>(
    store: &S,
    roots: impl Iterator<Item = &'a RootSpec>,
    query: &str,
) -> Result<Option<Story>, StoreError> {
    for spec in roots {
        let Ok(rel) = Path::new(query).strip_prefix(&spec.path) else { continue };
        let Ok(rel) = RelPath::parse(rel.as_os_str().as_bytes()) else { continue };
        let known = Stored { root: &spec.name, inventory: store };
        if !rel.is_root() && known.folder(&rel).is_none() {
            continue;
        }
        let title = spec.title();
        let around = Around::new(&known, store, spec.within.as_ref());
        let placer = around.placer(&spec.name, &title);
        let here = placer.place(&rel.join(b"x.mkv")).title.place;
        if !here.loose && rel.is_within(&here.folder) {
            continue;
        }
        let mut titles: BTreeMap<TitleAt, String> = BTreeMap::new();
        let mut files = 0;
        store.within(&spec.name, &rel, &mut |dir, record| {
            for file in &record.files {
                files += 1;
                let path = dir.join(&file.name);
                let title = placer.place(&path).title;
                let folder = title.place.folder.clone();
                let shows = if title.place.loose { path } else { folder };
                let shows = shown(shows.under(&spec.path).as_os_str().as_bytes());
                titles.entry(title).or_insert(shows);
            }
            if files > MOST_FILES { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
        let path = shown(rel.under(&spec.path).as_os_str().as_bytes());
        let count = titles.len();
        let more = if files > MOST_FILES { "more than " } else { "" };
        let summary = match count {
            0 => format!("{path} is a folder in which no media is known"),
            1 => format!("{path} is a folder with 1 title in it"),
            n => format!("{path} is a folder with {more}{n} titles in it; ask for one of them"),
        };
        return Ok(Some(Story {
            key: format!("folder:{path}"),
            title: path,
            state: "folder".to_owned(),
            summary,
            places: titles.into_values().take(MOST_NAMED).collect(),
            lines: Vec::new(),
        }));
    }
    Ok(None)
}

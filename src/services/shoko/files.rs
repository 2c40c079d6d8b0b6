//! Where files are, and whether a folder of which some can't be seen is there at all.

use std::collections::BTreeSet;

use super::state::{self, State};
use super::wire::{File, Folder, Location, Page};
use crate::domain::{Failure, Listed, ServiceFile, ServiceFolder, ServicePath};
use crate::services::http::{Call, Talk};

/// How many files of a folder are looked at to find one that can be seen.
const WITNESSES: u32 = 200;

/// The place of a file in our words.
pub(super) fn place(location: &Location, folders: &[Folder]) -> ServiceFile {
    let below = || {
        let folder = folders.iter().find(|folder| folder.id == location.folder);
        join(folder.and_then(|folder| folder.path.as_deref()), &location.relative)
    };
    let whole = location.absolute.clone().filter(|path| !path.is_empty());
    ServiceFile {
        path: ServicePath(whole.unwrap_or_else(below)),
        season: None,
        accessible: Some(location.accessible),
        folder: Some(location.folder.to_string()),
    }
}

/// A folder and a path below it, with the separators of its host.
fn join(folder: Option<&str>, relative: &str) -> String {
    let is_separator = |c| c == '/' || c == '\\';
    let relative = relative.trim_start_matches(is_separator);
    let Some(folder) = folder else { return relative.to_owned() };
    let separator = if folder.contains('\\') && !folder.contains('/') { '\\' } else { '/' };
    format!("{}{separator}{relative}", folder.trim_end_matches(is_separator))
}

/// Adds each place of a file to a title.
pub(super) fn add(title: &mut Listed, file: &File, folders: &[Folder]) {
    title.files.extend(file.locations.iter().map(|location| place(location, folders)));
    title.file_count = u32::try_from(title.files.len()).unwrap_or(u32::MAX);
}

/// The folders in our words.
pub(super) fn told(folders: &[Folder]) -> Vec<ServiceFolder> {
    let told = |folder: &Folder| {
        Some(ServiceFolder {
            id: Some(folder.id.to_string()),
            path: ServicePath(folder.path.clone()?),
            accessible: None,
            free: None,
        })
    };
    folders.iter().filter_map(told).collect()
}

/// Marks the folders of files as seen into, once each was found to have a file that can be seen.
pub(super) fn mark_seen(folders: &mut [ServiceFolder], titles: &[Listed]) {
    let files = titles.iter().flat_map(|title| &title.files);
    let seen: BTreeSet<&String> = files.filter_map(|file| file.folder.as_ref()).collect();
    for folder in folders {
        if folder.id.as_ref().is_some_and(|id| seen.contains(id)) {
            folder.accessible = Some(true);
        }
    }
}

/// Whether a file that Shoko can't see may be there all the same, because no file of its folder can be
/// seen: then the folder is not mounted.
pub(super) async fn unmounted(
    talk: &Talk,
    state: &State,
    titles: &[Listed],
) -> Result<Option<String>, Failure> {
    let files = || titles.iter().flat_map(|title| &title.files);
    let folders = |accessible| -> BTreeSet<&String> {
        let of = |file: &&ServiceFile| file.accessible == Some(accessible);
        files().filter(of).filter_map(|file| file.folder.as_ref()).collect()
    };
    for folder in folders(false).difference(&folders(true)) {
        let path = format!("{}/{folder}/File", state.dialect.folders());
        let call = state.dialect.detailed(Call::to(&path).with("pageSize", &WITNESSES)).bulk();
        let reply = state::get(talk, call).await?;
        let alive = if reply.status.as_u16() == 404 {
            false
        } else {
            let page: Page<File> = reply.json()?;
            let mut places = page.list.iter().flat_map(|file| &file.locations);
            places.any(|place| place.accessible && place.folder.to_string() == **folder)
        };
        if !alive {
            return Ok(Some(format!(
                "{} can't see any file in its folder {folder}: is it mounted there?",
                talk.http.instance
            )));
        }
    }
    Ok(None)
}

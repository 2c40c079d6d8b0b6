//! From what one look at the disk brought to what the disk says.

use std::collections::HashSet;

use crate::domain::{
    DiskLook, Episode, Evidence, FileState, Found, FoundFile, Item, Kind, LostFile, Timestamp,
    Witness, episodes, shown,
};

/// What the disk says of an item that lost files.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum DiskAnswer {
    /// It is there.
    Alive {
        /// How it lives on, for people.
        how: String,
    },
    /// Some episodes are gone.
    Partial {
        /// The files that are.
        gone: Vec<LostFile>,
        /// How many are left.
        left: usize,
    },
    /// Nothing but extras or specials is left.
    OnlyExtras {
        /// How many files.
        left: usize,
    },
    /// Nothing is there.
    Absent,
    /// It had no file below any root.
    NoSay,
    /// Can't tell.
    Unknown {
        /// For people.
        why: String,
    },
}

/// Reads a look. `lost` are the files that it was about.
pub(super) fn answer(item: &Item, lost: &[LostFile], look: &DiskLook) -> DiskAnswer {
    if lost.is_empty() {
        return nothing_lost(look);
    }
    if lost.iter().all(|file| file.extra) {
        return DiskAnswer::Alive { how: "only extras of it went".to_owned() };
    }
    let main: Vec<&FoundFile> = look.found.iter().filter(|file| !file.extra).collect();
    let returned: Vec<&LostFile> =
        lost.iter().filter(|file| has_state(look, file, &FileState::Present)).collect();
    let whole = returned.iter().any(|file| !file.extra) || !main.is_empty();
    if whole {
        let gone = gone_episodes(item, lost, look, &main);
        return if gone.is_empty() {
            DiskAnswer::Alive { how: how_it_lives(lost, &returned, look) }
        } else if let Some(why) = doubt(look) {
            DiskAnswer::Unknown { why }
        } else {
            DiskAnswer::Partial { gone, left: main.len().max(returned.len()) }
        };
    }
    let extras = look.found.len() + returned.len();
    if let Some(why) = doubt(look) {
        return DiskAnswer::Unknown { why };
    }
    if extras > 0 {
        return DiskAnswer::OnlyExtras { left: extras };
    }
    DiskAnswer::Absent
}

/// Of an item that lost nothing, as far as is known: a service made somebody look.
fn nothing_lost(look: &DiskLook) -> DiskAnswer {
    match (look.found.iter().find(|file| !file.extra), doubt(look)) {
        (Some(file), _) => DiskAnswer::Alive { how: format!("it is there: {}", file.shown) },
        (None, Some(why)) => DiskAnswer::Unknown { why },
        (None, None) if look.found.is_empty() => DiskAnswer::NoSay,
        (None, None) => DiskAnswer::OnlyExtras { left: look.found.len() },
    }
}

/// The facts of a look, one line a path.
pub(super) fn evidence(lost: &[LostFile], look: &DiskLook, at: Timestamp) -> Vec<Evidence> {
    let line = |answer: &str, path, detail| Evidence {
        witness: Witness::Disk,
        answer: answer.to_owned(),
        path: Some(path),
        detail,
        at,
    };
    let mut lines = Vec::new();
    for file in &look.files {
        let seen = lost.iter().find(|known| known.path == file.path).map(|known| known.looked);
        let seen = seen.map_or_else(String::new, |seen| format!("; it was there at {seen}"));
        lines.push(match &file.state {
            FileState::Absent if is_retired(lost, &file.path) => line(
                "absent",
                file.shown.clone(),
                format!("what it lay on was retired by a person{seen}"),
            ),
            FileState::Absent => line(
                "absent",
                file.shown.clone(),
                format!("no such file, and its folder can be read{seen}"),
            ),
            FileState::Present => line("present", file.shown.clone(), "it is there".to_owned()),
            FileState::Unknown { why } => line("unknown", file.shown.clone(), why.clone()),
        });
    }
    for file in &look.found {
        let how = match file.how {
            Found::InPlace => "a media file in the title's own folder",
            Found::ByName => "a media file under the same title or provider id",
            Found::ByInode => "the same file under another name",
            Found::Since => {
                "the same file was seen under this name; what became of it since is told of that title"
            }
        };
        let answer = if file.how == Found::Since { "moved" } else { "present" };
        lines.push(line(answer, file.shown.clone(), how.to_owned()));
    }
    if let Some((path, when)) = &look.written {
        lines.push(line("unknown", path.clone(), format!("written at {when}, after the loss")));
    }
    for (path, why) in &look.unseen {
        lines.push(line("unknown", path.clone(), why.clone()));
    }
    lines
}

fn is_retired(lost: &[LostFile], path: &crate::domain::FilePath) -> bool {
    lost.iter().any(|known| known.path == *path && known.retired)
}

/// What makes absence in this look unbelievable.
fn doubt(look: &DiskLook) -> Option<String> {
    let path = look.files.iter().find_map(|file| match &file.state {
        FileState::Unknown { why } => Some(format!("{}: {why}", file.shown)),
        _ => None,
    });
    let unseen = || look.unseen.first().map(|(path, why)| format!("{path}: {why}"));
    let behind = || {
        look.behind.first().map(|root| format!("root {root} has changes that are not listed yet"))
    };
    path.or_else(unseen).or_else(behind)
}

fn has_state(look: &DiskLook, file: &LostFile, state: &FileState) -> bool {
    look.files.iter().any(|seen| seen.path == file.path && seen.state == *state)
}

/// The lost episodes of a series that nothing alive takes the place of. A film has none: any file
/// of it is the film.
fn gone_episodes(
    item: &Item,
    lost: &[LostFile],
    look: &DiskLook,
    alive: &[&FoundFile],
) -> Vec<LostFile> {
    if item.kind == Kind::Film {
        return Vec::new();
    }
    let name = |path: &crate::domain::FilePath| shown(path.rel.name().unwrap_or_default());
    let covered: HashSet<Episode> =
        alive.iter().flat_map(|file| episodes(&name(&file.path))).collect();
    let moved: HashSet<_> = alive.iter().map(|file| file.id).collect();
    let stems: HashSet<Vec<u8>> =
        alive.iter().map(|file| stem(file.path.rel.name().unwrap_or_default())).collect();
    let is_gone = |file: &&LostFile| {
        let numbers = episodes(&name(&file.path));
        let replaced = !numbers.is_empty() && numbers.iter().all(|number| covered.contains(number));
        !file.extra
            && !has_state(look, file, &FileState::Present)
            && !moved.contains(&file.id)
            && !replaced
            && !stems.contains(&stem(file.path.rel.name().unwrap_or_default()))
    };
    lost.iter().filter(is_gone).cloned().collect()
}

fn stem(name: &[u8]) -> Vec<u8> {
    let end = name.iter().rposition(|b| *b == b'.').unwrap_or(name.len());
    name[..end].to_ascii_lowercase()
}

/// The plainest sign first.
fn rank(how: Found) -> u8 {
    match how {
        Found::ByInode => 0,
        Found::InPlace | Found::ByName => 1,
        Found::Since => 2,
    }
}

fn how_it_lives(lost: &[LostFile], returned: &[&LostFile], look: &DiskLook) -> String {
    let shown_at = |file: &LostFile| {
        look.files.iter().find(|seen| seen.path == file.path).map(|seen| seen.shown.to_string())
    };
    if let Some(place) = returned.first().and_then(|file| shown_at(file)) {
        return format!("still there: {place}");
    }
    let Some(file) = look.found.iter().min_by_key(|file| (file.extra, rank(file.how))) else {
        return "still there".to_owned();
    };
    let same_root = lost.iter().any(|known| known.path.root == file.path.root);
    match file.how {
        Found::ByInode => format!("moved or renamed to {}", file.shown),
        Found::Since => format!(
            "moved or renamed to {}, and from there on: what became of it is told of that title",
            file.shown
        ),
        Found::InPlace => format!("another file of it is there: {}", file.shown),
        Found::ByName if same_root => format!("found elsewhere in its root: {}", file.shown),
        Found::ByName => format!("found in root {}: {}", file.path.root, file.shown),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        AbsPath, FileId, FileLook, FilePath, FsId, ProviderIds, RelPath, RootName,
    };

    fn at(path: &str) -> (FilePath, AbsPath) {
        let rel = RelPath::parse(path.as_bytes()).unwrap();
        let shown = AbsPath::new(&std::path::Path::new("/media").join(path));
        (FilePath::new(RootName::parse("media").unwrap(), rel), shown)
    }

    fn found(path: &str, how: Found) -> FoundFile {
        let ((path, shown), id) = (at(path), FileId { fs: FsId(1), inode: 7 });
        FoundFile { path, shown, id, how, extra: false }
    }

    #[test]
    fn what_went_on_under_another_title_lives_and_the_plainest_sign_is_told() {
        let item = Item {
            kind: Kind::Film,
            title: "Heat".into(),
            year: None,
            ids: ProviderIds::default(),
        };
        let (path, shown) = at("Heat/heat.mkv");
        let lost = LostFile {
            path: path.clone(),
            id: FileId { fs: FsId(1), inode: 7 },
            looked: Timestamp::default(),
            extra: false,
            retired: false,
            sought: false,
        };
        let files = vec![FileLook { path, shown, state: FileState::Absent }];
        let mut look = DiskLook { files, ..DiskLook::default() };
        let lost = [lost];
        let how = |look: &DiskLook| match answer(&item, &lost, look) {
            DiskAnswer::Alive { how } => how,
            other => panic!("{other:?}"),
        };
        assert_eq!(answer(&item, &lost, &look), DiskAnswer::Absent);
        look.found = vec![found("Hitze/h.mkv", Found::Since)];
        assert!(
            how(&look).starts_with("moved or renamed to /media/Hitze/h.mkv, and from there on")
        );
        let lines = evidence(&lost, &look, Timestamp::default());
        assert_eq!(lines[1].answer, "moved", "nobody says that it is there");
        look.found.push(found("b/Heat.mkv", Found::ByName));
        assert!(how(&look).contains("/media/b/Heat.mkv"));
    }
}

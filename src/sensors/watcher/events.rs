//! What an event of notify means for us: hints about directories.
//!
//! Pure. Must never read a path out of an event without asking first whether events were lost, and
//! must never let an event speak of anything but where to look.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use notify::event::{EventKind, ModifyKind, RemoveKind, RenameMode};
use notify::{Event, EventKindMask};

use super::Move;
use crate::domain::RelPath;

/// What is asked of the kernel: names that come, go and move. No opens and no reads, so that our
/// own listing makes no events. That a watched directory itself was removed, renamed or unmounted
/// is told in any case; `MODIFY_NAME` lets notify hand on renames.
pub(super) fn kinds() -> EventKindMask {
    EventKindMask::CREATE | EventKindMask::REMOVE | EventKindMask::MODIFY_NAME
}

/// What an event hints at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Hint {
    /// Events were lost; which is not known.
    Lost,
    /// Names changed in this directory.
    Changed(RelPath),
    /// What was known of a directory of this name, and below it, may be another directory now: its
    /// watch is worth nothing.
    Void(RelPath),
    /// One half of a rename.
    Moved(Move),
    /// The root's own directory was removed, renamed or unmounted.
    Root,
    /// A cookie file of this name was made.
    Cookie(Vec<u8>),
}

/// Says what an event hints at.
pub(super) fn translate(root: &Path, cookies: &Path, event: &Event, each: &mut dyn FnMut(Hint)) {
    if event.need_rescan() {
        each(Hint::Lost);
        return;
    }
    let Some(path) = event.paths.first() else { return };
    if let Some(cookie) = below(path, cookies) {
        if event.kind.is_create() {
            each(Hint::Cookie(cookie.to_vec()));
        }
        return;
    }
    let Some(Ok(path)) = below(path, root).map(RelPath::parse) else { return };
    let Some(parent) = path.parent() else {
        if !event.kind.is_create() {
            each(Hint::Root);
        }
        return;
    };
    match event.kind {
        EventKind::Create(kind) => {
            if kind == notify::event::CreateKind::Folder {
                each(Hint::Void(path));
            }
        }
        EventKind::Remove(RemoveKind::File) => {}
        EventKind::Remove(_) => each(Hint::Void(path)),
        EventKind::Modify(ModifyKind::Name(mode @ (RenameMode::From | RenameMode::To))) => {
            // Without a cookie it is the watched directory itself that says it was moved.
            if let Some(cookie) = event.tracker() {
                let to = mode == RenameMode::To;
                each(Hint::Moved(Move { cookie, path: path.clone(), to }));
            }
            each(Hint::Void(path));
        }
        // The third event of a rename says nothing new.
        _ => return,
    }
    each(Hint::Changed(parent));
}

fn below<'a>(path: &'a Path, base: &Path) -> Option<&'a [u8]> {
    let rest = path.as_os_str().as_bytes().strip_prefix(base.as_os_str().as_bytes())?;
    match rest.split_first() {
        None => Some(rest),
        Some((b'/', rest)) => Some(rest),
        Some(_) => base.as_os_str().as_bytes().ends_with(b"/").then_some(rest),
    }
}

#[cfg(test)]
mod tests {
    use notify::event::{CreateKind, Flag};

    use super::*;

    fn rel(path: &str) -> RelPath {
        RelPath::parse(path.as_bytes()).unwrap()
    }

    fn hints(event: &Event) -> Vec<Hint> {
        let mut hints = Vec::new();
        let (root, cookies) = (Path::new("/m"), Path::new("/s/c"));
        translate(root, cookies, event, &mut |hint| hints.push(hint));
        hints
    }

    fn check(kind: EventKind, path: &str, expected: &[Hint]) {
        let event = Event::new(kind).add_path(path.into());
        assert_eq!(hints(&event), expected, "{kind:?} {path}");
    }

    #[test]
    fn each_event_is_a_hint_about_a_directory() {
        use Hint::{Changed, Cookie, Root, Void};
        let name = |mode| EventKind::Modify(ModifyKind::Name(mode));
        let file = EventKind::Create(CreateKind::File);
        check(file, "/m/a/x.mkv", &[Changed(rel("a"))]);
        check(file, "/m/x.mkv", &[Changed(rel(""))]);
        let removed = EventKind::Remove(RemoveKind::File);
        check(removed, "/m/a/x\n.mkv", &[Changed(rel("a"))]);
        let folder = [Void(rel("a/b")), Changed(rel("a"))];
        check(EventKind::Create(CreateKind::Folder), "/m/a/b", &folder);
        check(EventKind::Remove(RemoveKind::Folder), "/m/a/b", &folder);
        check(EventKind::Remove(RemoveKind::Other), "/m/a/b", &folder);
        check(name(RenameMode::From), "/m/a/b", &folder);
        check(name(RenameMode::Both), "/m/a/b", &[]);
        for kind in [EventKind::Remove(RemoveKind::Folder), name(RenameMode::From)] {
            check(kind, "/m", &[Root]);
        }
        check(EventKind::Remove(RemoveKind::Other), "/m", &[Root]);
        check(file, "/s/c/17", &[Cookie(b"17".to_vec())]);
        check(removed, "/s/c/17", &[]);
        check(file, "/mm/x", &[]);
        check(EventKind::Access(notify::event::AccessKind::Any), "/m/a", &[]);
    }

    #[test]
    fn the_halves_of_a_rename_keep_their_cookie() {
        for (mode, to) in [(RenameMode::From, false), (RenameMode::To, true)] {
            let event = Event::new(EventKind::Modify(ModifyKind::Name(mode)))
                .add_path("/m/a/x".into())
                .set_tracker(7);
            let half = Move { cookie: 7, path: rel("a/x"), to };
            let expected = [Hint::Moved(half), Hint::Void(rel("a/x")), Hint::Changed(rel("a"))];
            assert_eq!(hints(&event), expected);
        }
    }

    #[test]
    fn lost_events_are_noticed_although_they_name_no_path() {
        let event = Event::new(EventKind::Other).set_flag(Flag::Rescan);
        assert_eq!(hints(&event), [Hint::Lost]);
    }

    #[test]
    fn a_root_that_is_the_whole_machine_has_paths_below_it() {
        assert_eq!(below(Path::new("/a/b"), Path::new("/")), Some(&b"a/b"[..]));
        assert_eq!(below(Path::new("/a"), Path::new("/a")), Some(&b""[..]));
    }
}

//! Odd names, odd trees.

use std::ffi::OsStr;
use std::os::unix::fs::symlink;

use super::*;

#[test]
fn names_that_are_no_text_are_watched_like_others() {
    let mut world = World::new(|root| {
        write(&root.join(OsStr::from_bytes(b"\xff\xfe/a\nb.mkv")));
        write(&root.join(OsStr::from_bytes(b"new\nline\t/\xc3.mkv")));
    });
    assert_eq!(world.inventory.files().len(), 2);
    world.agrees();
    fs::remove_dir_all(world.root.join(OsStr::from_bytes(b"\xff\xfe"))).unwrap();
    fs::remove_file(world.root.join(OsStr::from_bytes(b"new\nline\t/\xc3.mkv"))).unwrap();
    world.until("the losses", |world| world.lost.len() == 2);
    assert_eq!(world.lost_sorted(), ["\\xff\\xfe/a\\nb.mkv", "new\\nline\\t/\\xc3.mkv"]);
}

#[test]
fn links_are_neither_followed_nor_lost() {
    let outside = tempfile::tempdir().unwrap();
    write(&outside.path().join("outside/film.mkv"));
    let mut world = World::new(|root| {
        films(root, 1);
        symlink(".", root.join("loop")).unwrap();
        symlink(outside.path(), root.join("out")).unwrap();
        symlink(outside.path().join("outside/film.mkv"), root.join("link.mkv")).unwrap();
        symlink("nowhere", root.join("dangling.mkv")).unwrap();
    });
    world.agrees();
    assert_eq!(world.inventory.files().len(), 3);
    fs::remove_file(outside.path().join("outside/film.mkv")).unwrap();
    world.sync();
    assert!(world.lost.is_empty());
    fs::remove_file(world.path("link.mkv")).unwrap();
    world.until("the link", |world| world.lost == ["link.mkv"]);
}

#[test]
fn a_folder_replaced_by_a_link_is_lost_by_its_parent_s_listing() {
    let mut world = World::new(|root| films(root, 2));
    let dir = world.path("film 00001 (2001)");
    fs::rename(&dir, world.outer.path().join("moved")).unwrap();
    symlink(world.outer.path().join("moved"), &dir).unwrap();
    world.sync();
    assert_eq!(world.lost, ["film 00001 (2001)/film.mkv"]);
}

#[test]
fn two_hundred_levels_are_watched_to_the_bottom() {
    let deep = (0..200).map(|n| n.to_string()).collect::<Vec<_>>().join("/");
    let mut world = World::new(|root| write(&root.join(&deep).join("film.mkv")));
    world.agrees();
    fs::remove_file(world.path(&deep).join("film.mkv")).unwrap();
    world.until("the loss", |world| world.lost.len() == 1);
}

#[test]
fn a_tree_too_deep_for_inotify_is_still_listed() {
    let mut world = World::new(|_| ());
    let name = "n".repeat(200);
    // The kernel takes no path that long at once.
    let top = world.path("deep");
    fs::create_dir(&top).unwrap();
    let mut dir = fs::File::open(&top).unwrap();
    for _ in 0..25 {
        rustix::fs::mkdirat(&dir, &*name, rustix::fs::Mode::RWXU).unwrap();
        let flags = rustix::fs::OFlags::DIRECTORY;
        dir = rustix::fs::openat(&dir, &*name, flags, rustix::fs::Mode::empty()).unwrap().into();
    }
    let film =
        |flags| rustix::fs::openat(&dir, "film.mkv", flags, rustix::fs::Mode::RWXU).map(drop);
    film(rustix::fs::OFlags::CREATE).unwrap();
    world.sync();
    assert_eq!(world.inventory.files().len(), 1);
    rustix::fs::unlinkat(&dir, "film.mkv", rustix::fs::AtFlags::empty()).unwrap();
    world.sync();
    assert_eq!(world.lost.len(), 1);
    fs::remove_dir_all(&top).unwrap();
    world.sync();
}

#[test]
fn a_folder_that_can_t_be_read_is_named_and_loses_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let mut world = World::new(|root| films(root, 3));
    let dir = world.path("film 00001 (2001)");
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o000)).unwrap();
    if fs::read_dir(&dir).is_ok() {
        println!("SKIPPED: root may read everything");
        return;
    }
    world.handle.rescan(Why::Requested);
    world.until("a walk", |world| world.walks() == 2);
    let named = world.said.iter().rev().find_map(|report| match report {
        Report::Unseen { dirs, more: 0 } => Some(dirs.clone()),
        _ => None,
    });
    let [(at, why)] = &named.unwrap()[..] else { panic!("not named") };
    assert_eq!((at.to_string(), &**why), ("film 00001 (2001)".into(), "permission denied"));
    assert!(world.lost.is_empty());
    fs::set_permissions(&dir, fs::Permissions::from_mode(0o755)).unwrap();
    world.sync();
    world.agrees();
    world.handle.rescan(Why::Requested);
    let nothing = Report::Unseen { dirs: vec![], more: 0 };
    world.until("all is seen", |world| world.said.contains(&nothing));
}

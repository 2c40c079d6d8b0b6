//! File systems that tell of no changes, and that show another's word.

use std::fs;

use super::fuse::Fuse;
use super::rig::{film, films, wait_health, with_mounts};
use crate::e2e::daemon::{Home, LONG};
use crate::e2e::wait::until;

#[test]
fn on_a_fuse_file_system_a_deletion_is_told_only_after_a_second_look() {
    with_mounts("two looks", &[], |rig| {
        let source = rig.beside("source");
        films(&source, 0..30);
        let fuse = Fuse::mount(rig, &source, &rig.media());
        let mut home = Home::bare();
        let path = rig.media();
        let path = path.display();
        let root = format!("[roots.media]\npath = \"{path}\"\n[remote]\nconfirm = \"4s\"\n");
        home.configure(&root);
        let daemon = home.start();
        wait_health(&daemon, "online", LONG);
        for lost in [3, 4] {
            fs::remove_dir_all(source.join(film(lost))).unwrap();
        }
        // No event tells of it.
        home.look();
        let once = until("the first look", LONG, || {
            let candidates = home.json(&["candidates"])?;
            let first = candidates.as_array()?.first()?;
            let reason = first["reason"].as_str()?.to_owned();
            reason.contains("second time").then_some(reason)
        });
        assert!(once.contains("remote.confirm"), "{once}");
        assert!(home.ledger().is_empty());
        let story = daemon.story("Film 003").unwrap();
        assert!(story["summary"].as_str().unwrap().contains("second time"), "{story}");
        // One of the two was only away.
        fs::create_dir(source.join(film(4))).unwrap();
        fs::write(source.join(film(4)).join(format!("{}.mkv", film(4))), "back").unwrap();
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Film 003"]);
        daemon.wait_decided("Film 004", "retracted");
        drop(daemon);
        drop(fuse);
    });
}

//! A disk that does not tell when a file came into being: then its number alone says that it may be
//! the one that is missed, and nothing is told until that is decided.

use std::fs;

use super::rig::{Rig, films, with_mounts};
use crate::e2e::daemon::Daemon;
use crate::e2e::make;

/// Moves a film to another title while nobody is there.
fn moved_while_stopped<'a>(rig: &'a Rig, daemon: Daemon<'a>) -> Daemon<'a> {
    daemon.stop();
    let media = rig.media();
    fs::rename(media.join("Heat (1995)"), media.join("Hitze (1996)")).unwrap();
    fs::rename(media.join("Hitze (1996)/heat.mkv"), media.join("Hitze (1996)/h.mkv")).unwrap();
    rig.start()
}

fn library(rig: &Rig) {
    films(&rig.media(), 0..20);
    make(&rig.media(), "Heat (1995)/heat.mkv");
}

#[test]
fn where_no_birth_times_are_kept_a_loss_is_held_while_its_number_lives_under_another_title() {
    with_mounts("no birth times", &["mkfs.ext4", "/dev/loop-control"], |rig| {
        rig.run("truncate -s 64M @image");
        rig.run("mkfs.ext4 -q -F -I 128 -O ^has_journal @image");
        rig.run("mount -o loop @image @media");
        library(rig);
        let daemon = moved_while_stopped(rig, rig.start());
        let story = daemon.wait_decided("Heat", "held").to_string();
        assert!(story.contains("the number that media:Heat (1995)/heat.mkv had"), "{story}");
        rig.nothing_is_told(&daemon);
        // With that one gone too there is nothing left to wait for.
        fs::remove_dir_all(rig.media().join("Hitze (1996)")).unwrap();
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Hitze"]);
        daemon.check();
        daemon.wait_deletions(2);
        assert_eq!(daemon.dead(), ["Heat", "Hitze"]);
    });
}

#[test]
fn a_birth_time_that_is_yet_to_come_proves_nothing() {
    with_mounts("a birth to come", &["mkfs.ext4", "debugfs", "/dev/loop-control"], |rig| {
        rig.image("image", "ext4");
        rig.run("mount -o loop @image @media");
        library(rig);
        rig.run("umount @media");
        let commands = rig.beside("fields").join("commands");
        let command = "set_inode_field \"/Heat (1995)/heat.mkv\" crtime 20990101000000\n";
        fs::write(commands, command).unwrap();
        rig.run("debugfs -w -f @fields/commands @image");
        rig.run("mount -o loop @image @media");
        let daemon = moved_while_stopped(rig, rig.start());
        let story = daemon.wait_decided("Heat", "held").to_string();
        assert!(story.contains("is yet to come"), "{story}");
        rig.nothing_is_told(&daemon);
    });
}

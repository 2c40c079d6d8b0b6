//! A root whose disk is lost and comes back: never a deletion, the right health, and a reason.

use std::fs;

use super::rig::{SOON, film, films, wait_health, with_mounts};

#[test]
fn a_tmpfs_taken_away_is_offline_and_online_when_it_is_back() {
    with_mounts("a tmpfs taken away", &[], |rig| {
        rig.beside("disk");
        rig.run("mount -t tmpfs ram @disk");
        rig.run("mount --bind @disk @media");
        films(&rig.media(), 0..300);
        let daemon = rig.start();
        rig.run("umount @media");
        let reason = wait_health(&daemon, "offline", SOON);
        assert!(reason.contains("another file system"), "{reason}");
        rig.nothing_is_told(&daemon);
        fs::remove_dir_all(rig.beside("disk").join(film(7))).unwrap();
        rig.run("mount --bind @disk @media");
        wait_health(&daemon, "online", SOON);
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Film 007"]);
    });
}

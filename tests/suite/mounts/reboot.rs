//! After a restart of the machine nothing has the numbers that it had: a disk is known again by
//! what it says of itself, and what was deleted on it meanwhile is told once.

use std::fs;
use std::path::Path;

use super::fuse::Fuse;
use super::rig::{Case, Rig, SOON, film, films, root, side_by_side, wait_health};

#[test]
fn after_a_reboot_a_disk_is_online_whatever_its_device_is_called() {
    let cases: Vec<Case<'_>> = vec![
        ("ext4 after a reboot".to_owned(), Box::new(|rig| on_another_device(rig, "ext4", false))),
        ("xfs after a reboot".to_owned(), Box::new(|rig| on_another_device(rig, "xfs", true))),
        ("xfs without udev after a reboot".to_owned(), Box::new(|rig| without_udev(rig))),
        ("a bind mount after a reboot".to_owned(), Box::new(|rig| a_bind_mount(rig))),
        ("a FUSE file system after a reboot".to_owned(), Box::new(|rig| a_fuse_file_system(rig))),
    ];
    side_by_side(&["mkfs.ext4", "mkfs.xfs", "losetup", "/dev/loop-control", "/dev/fuse"], cases);
}

/// The kernel that runs from now on is another one.
fn reboot(rig: &Rig) {
    let id = rig.home.path().join("boot_id");
    fs::write(&id, "00000000-1111-2222-3333-444444444444\n").unwrap();
    rig.run("mount --bind @boot_id /proc/sys/kernel/random/boot_id");
}

/// What udev would have noted about a device, where its file system can't say it itself.
fn note(rig: &Rig, device: &str) {
    let numbers = rig.say(&format!("lsblk --nodeps --noheadings --output MAJ:MIN {device}"));
    let notes = format!("/run/udev/data/b{}", numbers.trim());
    fs::create_dir_all("/run/udev/data").unwrap();
    fs::write(notes, "E:ID_FS_UUID=11111111-2222-3333-4444-555555555555\n").unwrap();
}

fn on_another_device(rig: &Rig, fs_type: &str, udev: bool) {
    rig.image("image", fs_type);
    // Both at a time, so that they differ for sure; only one is mounted at a time.
    let (before, after) = (rig.loop_device("image"), rig.loop_device("image"));
    if udev {
        rig.run("mount -t tmpfs run /run");
        note(rig, &before);
        note(rig, &after);
    }
    rig.run(&format!("mount {before} @media"));
    films(&rig.media(), 0..300);
    let daemon = rig.start();
    assert!(root(&daemon).unwrap()["reason"].as_str().unwrap().contains(&before));
    assert_eq!(daemon.stop(), 0);
    rig.run("umount @media");
    reboot(rig);
    rig.run(&format!("mount {after} @media"));
    fs::remove_dir_all(rig.media().join(film(7))).unwrap();
    let daemon = rig.home.start();
    let reason = wait_health(&daemon, "online", SOON);
    assert!(reason.contains(&after), "{reason}");
    rig.the_one_deletion_is_told_once(daemon);
}

/// A file system that can't say who it is: only the birth of the root tells it from another.
fn without_udev(rig: &Rig) {
    for known in ["/run/udev", "/dev/disk"].iter().filter(|path| Path::new(path).is_dir()) {
        rig.run(&format!("mount -t tmpfs none {known}"));
    }
    rig.image("image", "xfs");
    rig.image("another", "xfs");
    let (before, after) = (rig.loop_device("image"), rig.loop_device("image"));
    let another = rig.loop_device("another");
    rig.run(&format!("mount {before} @media"));
    films(&rig.media(), 0..300);
    assert_eq!(rig.start().stop(), 0);
    rig.run("umount @media");
    reboot(rig);
    rig.run(&format!("mount {another} @media"));
    films(&rig.media(), 0..295);
    let daemon = rig.home.start();
    let reason = wait_health(&daemon, "offline", SOON);
    assert!(reason.contains(&format!("xfs on {another}, was xfs on {before}")), "{reason}");
    daemon.check();
    rig.nothing_is_told(&daemon);
    rig.run("umount @media");
    rig.run(&format!("mount {after} @media"));
    let reason = wait_health(&daemon, "online", SOON);
    assert!(reason.contains(&after), "{reason}");
    fs::remove_dir_all(rig.media().join(film(7))).unwrap();
    rig.the_one_deletion_is_told_once(daemon);
}

fn a_bind_mount(rig: &Rig) {
    let source = rig.beside("source");
    rig.run("mount --bind @source @media");
    films(&source, 0..300);
    let daemon = rig.start();
    assert_eq!(daemon.stop(), 0);
    rig.run("umount @media");
    fs::remove_dir_all(source.join(film(7))).unwrap();
    reboot(rig);
    // It starts before what is bound is there, as after a hasty boot.
    let daemon = rig.home.start();
    let reason = wait_health(&daemon, "offline", SOON);
    assert!(reason.contains("another one than the one adopted"), "{reason}");
    rig.nothing_is_told(&daemon);
    rig.run("mount --bind @source @media");
    wait_health(&daemon, "online", SOON);
    rig.the_one_deletion_is_told_once(daemon);
}

fn a_fuse_file_system(rig: &Rig) {
    let source = rig.beside("source");
    films(&source, 0..300);
    let fuse = Fuse::mount(rig, &source, &rig.media());
    let daemon = rig.start();
    assert_eq!(daemon.stop(), 0);
    rig.run("umount @media");
    drop(fuse);
    reboot(rig);
    fs::remove_dir_all(source.join(film(7))).unwrap();
    let _fuse = Fuse::mount(rig, &source, &rig.media());
    let daemon = rig.home.start();
    wait_health(&daemon, "online", SOON);
    rig.the_one_deletion_is_told_once(daemon);
}

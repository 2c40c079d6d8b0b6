//! A root whose disk is lost and comes back: never a deletion, the right health, a reason that
//! names what is mounted, and the one title that was really deleted meanwhile told once.

use std::fs::{self, File};
use std::path::Path;
use std::time::Duration;

use super::fuse::Fuse;
use super::rig::{Case, Rig, SOON, film, films, side_by_side, wait_health, wait_reason};
use crate::e2e::daemon::Home;
use crate::e2e::wait::throughout;

/// What the root lies on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Disk {
    Tmpfs,
    Bind,
    Ext4,
}

impl Disk {
    /// Makes it, with 300 films on it, and mounts it as the root.
    fn make(self, rig: &Rig) {
        rig.beside("disk");
        match self {
            Self::Tmpfs => rig.run("mount -t tmpfs ram @disk"),
            Self::Bind => {}
            Self::Ext4 => drop(rig.image("image", "ext4")),
        }
        self.attach(rig);
        films(&rig.media(), 0..300);
    }

    /// Mounts it as the root.
    fn attach(self, rig: &Rig) {
        match self {
            Self::Tmpfs | Self::Bind => rig.run("mount --bind @disk @media"),
            Self::Ext4 => rig.run("mount -o loop @image @media"),
        }
    }

    /// Deletes a film behind the daemon's back, whether the root is mounted or not.
    fn delete_aside(self, rig: &Rig, number: usize) {
        if self == Self::Ext4 {
            rig.run("mount -o loop @image @disk");
        }
        fs::remove_dir_all(rig.beside("disk").join(film(number))).unwrap();
        if self == Self::Ext4 {
            rig.run("umount @disk");
        }
    }

    /// Mounts another one of the same kind, with so many films on it, as the root.
    fn attach_another(self, rig: &Rig, count: usize) {
        match self {
            Self::Tmpfs => rig.run("mount -t tmpfs ram @media"),
            Self::Bind => {
                rig.beside("another");
                rig.run("mount --bind @another @media");
            }
            Self::Ext4 => {
                rig.image("another", "ext4");
                rig.run("mount -o loop @another @media");
            }
        }
        films(&rig.media(), 0..count);
    }

    /// What a reason must name: the mount that was lost.
    fn name(self) -> &'static str {
        match self {
            Self::Tmpfs => "tmpfs on ram",
            Self::Bind => "tmpfs on home",
            Self::Ext4 => "ext4 on /dev/loop",
        }
    }
}

/// How a disk is lost, and how it comes back.
struct Loss {
    name: &'static str,
    take: fn(&Rig, Disk),
    give_back: fn(&Rig, Disk),
}

const LOSSES: &[Loss] = &[
    Loss {
        name: "unmounted",
        take: |rig, _| rig.run("umount @media"),
        give_back: |rig, disk| disk.attach(rig),
    },
    Loss {
        name: "covered by another file system",
        take: |rig, _| rig.run("mount -t tmpfs cover @media"),
        give_back: |rig, _| rig.run("umount @media"),
    },
    Loss {
        name: "mounted empty",
        take: |rig, disk| {
            rig.run("umount @media");
            disk.attach_another(rig, 0);
        },
        give_back: |rig, disk| {
            rig.run("umount @media");
            disk.attach(rig);
        },
    },
    Loss {
        name: "another mounted with most of the films",
        take: |rig, disk| {
            rig.run("umount @media");
            disk.attach_another(rig, 210);
        },
        give_back: |rig, disk| {
            rig.run("umount @media");
            disk.attach(rig);
        },
    },
];

fn lost_and_back(rig: &Rig, disk: Disk, loss: &Loss) {
    disk.make(rig);
    let daemon = rig.start();
    (loss.take)(rig, disk);
    let reason = wait_health(&daemon, "offline", SOON);
    assert!(reason.contains(disk.name()), "{reason}");
    daemon.check();
    rig.nothing_is_told(&daemon);
    disk.delete_aside(rig, 7);
    (loss.give_back)(rig, disk);
    wait_health(&daemon, "online", SOON);
    rig.the_one_deletion_is_told_once(daemon);
}

fn each_loss_of(disk: Disk, more: Vec<Case<'_>>) {
    let mut cases: Vec<Case<'_>> = LOSSES
        .iter()
        .map(|loss| -> Case<'_> {
            let name = format!("{disk:?} {}", loss.name);
            (name, Box::new(move |rig| lost_and_back(rig, disk, loss)))
        })
        .collect();
    cases.push(case(disk, "unmounted lazily while in use", lazily_unmounted));
    cases.push(case(disk, "the root renamed away", renamed_away));
    cases.push(case(disk, "remounted read-only", remounted_read_only));
    cases.push(case(disk, "a contact that comes and goes", comes_and_goes));
    cases.extend(more);
    let needs: &[&str] = &["mkfs.ext4", "blockdev", "/dev/loop-control"];
    side_by_side(if disk == Disk::Ext4 { needs } else { &[] }, cases);
}

fn case<'a>(disk: Disk, name: &str, run: fn(&Rig, Disk)) -> Case<'a> {
    (format!("{disk:?} {name}"), Box::new(move |rig| run(rig, disk)))
}

/// Someone plays a film while the disk is detached: the file system lives on, out of sight.
fn lazily_unmounted(rig: &Rig, disk: Disk) {
    disk.make(rig);
    let daemon = rig.start();
    let played = File::open(rig.media().join(film(1)).join(format!("{}.mkv", film(1)))).unwrap();
    rig.run("umount -l @media");
    let reason = wait_health(&daemon, "offline", SOON);
    assert!(reason.contains(disk.name()), "{reason}");
    disk.delete_aside(rig, 7);
    rig.nothing_is_told(&daemon);
    disk.attach(rig);
    wait_health(&daemon, "online", SOON);
    drop(played);
    rig.the_one_deletion_is_told_once(daemon);
}

/// The root is a directory on the disk, since a mount point can't be renamed.
fn renamed_away(rig: &Rig, disk: Disk) {
    disk.make(rig);
    let (root, away) = (rig.media().join("library"), rig.media().join("away"));
    films(&root, 0..300);
    let mut home = Home::bare();
    home.options = vec!["--root".into(), root.display().to_string()];
    let daemon = home.start();
    wait_health(&daemon, "online", SOON);
    fs::rename(&root, &away).unwrap();
    let reason = wait_health(&daemon, "offline", SOON);
    assert!(reason.contains(&format!("no directory {}", root.display())), "{reason}");
    // Its like in its place is not the one that was adopted.
    films(&root, 0..200);
    let reason = wait_reason(&daemon, "another one than the one adopted");
    assert!(reason.contains(disk.name()), "{reason}");
    rig.nothing_is_told(&daemon);
    assert!(home.ledger().is_empty() && daemon.deletions().is_empty());
    fs::remove_dir_all(&root).unwrap();
    fs::remove_dir_all(away.join(film(7))).unwrap();
    fs::rename(&away, &root).unwrap();
    wait_health(&daemon, "online", SOON);
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Film 007"]);
}

/// As after an error of the disk; it can still be read, and nothing is missing.
fn remounted_read_only(rig: &Rig, disk: Disk) {
    disk.make(rig);
    let daemon = rig.start();
    let how = if disk == Disk::Ext4 { "remount" } else { "remount,bind" };
    rig.run(&format!("mount -o {how},ro @media"));
    assert!(fs::remove_dir_all(rig.media().join(film(7))).is_err());
    daemon.check();
    rig.nothing_is_told(&daemon);
    wait_health(&daemon, "online", SOON);
    rig.run(&format!("mount -o {how},rw @media"));
    fs::remove_dir_all(rig.media().join(film(7))).unwrap();
    rig.the_one_deletion_is_told_once(daemon);
}

/// Mounted and unmounted all the time, while it is looked at again and again.
fn comes_and_goes(rig: &Rig, disk: Disk) {
    disk.make(rig);
    let daemon = rig.start();
    let mut round = 0_u32;
    throughout(Duration::from_secs(8), || {
        round += 1;
        match round % 16 {
            4 => rig.run("umount -l @media"),
            9 => disk.attach(rig),
            2 | 7 | 12 => daemon.signal(rustix::process::Signal::USR1),
            _ => {}
        }
        assert!(rig.home.ledger().is_empty(), "{:?}", daemon.dead());
    });
    rig.try_run("umount -l @media").ok();
    disk.delete_aside(rig, 7);
    disk.attach(rig);
    wait_health(&daemon, "online", SOON);
    rig.the_one_deletion_is_told_once(daemon);
}

#[test]
fn a_tmpfs_that_is_lost_is_offline_and_nothing_on_it_is_dead() {
    each_loss_of(Disk::Tmpfs, Vec::new());
}

#[test]
fn a_bind_mount_that_is_lost_is_offline_and_nothing_on_it_is_dead() {
    each_loss_of(Disk::Bind, Vec::new());
}

#[test]
fn an_ext4_disk_that_is_lost_is_offline_and_nothing_on_it_is_dead() {
    let more = vec![
        case(Disk::Ext4, "an older copy of the disk", an_older_copy),
        case(Disk::Ext4, "an emptied copy of the disk", an_emptied_copy),
        case(Disk::Ext4, "the image cut short", cut_short),
    ];
    each_loss_of(Disk::Ext4, more);
}

/// The same UUID, but the last 90 films are not on it yet.
fn an_older_copy(rig: &Rig, disk: Disk) {
    a_copy_without(rig, disk, 210..300, "suspect", "210 of 300 media files");
}

fn an_emptied_copy(rig: &Rig, disk: Disk) {
    a_copy_without(rig, disk, 0..300, "suspect", "0 of 300 media files");
}

fn a_copy_without(rig: &Rig, disk: Disk, gone: std::ops::Range<usize>, health: &str, says: &str) {
    disk.make(rig);
    let daemon = rig.start();
    rig.run("umount @media");
    rig.run("cp --sparse=always @image @copy");
    rig.run("mount -o loop @copy @disk");
    for number in gone {
        fs::remove_dir_all(rig.beside("disk").join(film(number))).unwrap();
    }
    rig.run("umount @disk");
    rig.run("mount -o loop @copy @media");
    let reason = wait_health(&daemon, health, SOON);
    assert!(reason.contains(says), "{reason}");
    daemon.check();
    rig.nothing_is_told(&daemon);
    rig.run("umount @media");
    disk.delete_aside(rig, 7);
    disk.attach(rig);
    wait_health(&daemon, "online", SOON);
    rig.the_one_deletion_is_told_once(daemon);
}

/// What the kernel still remembers can be listed; all else is an error of the disk.
fn cut_short(rig: &Rig, disk: Disk) {
    disk.make(rig);
    rig.run("umount @media");
    rig.run("cp --sparse=always @image @copy");
    rig.run("mount -o loop @copy @media");
    let daemon = rig.start();
    File::options()
        .write(true)
        .open(rig.home.path().join("copy"))
        .unwrap()
        .set_len(1 << 20)
        .unwrap();
    forget_buffers(rig, &rig.media());
    daemon.check();
    let reason = wait_health(&daemon, "offline", SOON);
    assert!(reason.contains(&*rig.media().to_string_lossy()), "{reason}");
    rig.nothing_is_told(&daemon);
    disk.delete_aside(rig, 7);
    rig.run("umount @media");
    disk.attach(rig);
    wait_health(&daemon, "online", SOON);
    rig.the_one_deletion_is_told_once(daemon);
}

/// Lets the kernel forget what it has read of the disk that is mounted there.
fn forget_buffers(rig: &Rig, mounted: &Path) {
    let table = fs::read_to_string("/proc/thread-self/mountinfo").unwrap();
    let line = table.lines().find(|line| line.contains(&format!(" {} ", mounted.display())));
    let device = line.and_then(|line| line.split(' ').find(|word| word.starts_with("/dev/loop")));
    rig.run(&format!("blockdev --flushbufs {}", device.unwrap()));
}

#[test]
fn a_file_system_whose_server_dies_is_offline_and_nothing_on_it_is_dead() {
    let run = |rig: &mut Rig| {
        let source = rig.beside("source");
        films(&source, 0..300);
        let fuse = Fuse::mount(rig, &source, &rig.media());
        let daemon = rig.start();
        fuse.die();
        let reason = wait_health(&daemon, "offline", SOON);
        assert!(reason.contains(&*rig.media().to_string_lossy()), "{reason}");
        daemon.check();
        rig.nothing_is_told(&daemon);
        fs::remove_dir_all(source.join(film(7))).unwrap();
        rig.run("umount @media");
        // Where nothing is mounted, it is not this file system.
        let reason = wait_reason(&daemon, "was fuse.shown on shown");
        assert!(reason.contains("another file system"), "{reason}");
        let _again = Fuse::mount(rig, &source, &rig.media());
        wait_health(&daemon, "online", SOON);
        rig.the_one_deletion_is_told_once(daemon);
    };
    side_by_side(&["/dev/fuse"], vec![("a FUSE server that dies".to_owned(), Box::new(run))]);
}

#[test]
fn an_xfs_that_shuts_down_is_offline_and_nothing_on_it_is_dead() {
    let run = |rig: &mut Rig| {
        rig.image("image", "xfs");
        let device = rig.loop_device("image");
        rig.run(&format!("mount {device} @media"));
        films(&rig.media(), 0..300);
        rig.run("sync -f @media");
        let daemon = rig.start();
        rig.run("xfs_io -x -c shutdown @media");
        let reason = wait_health(&daemon, "offline", SOON);
        assert!(reason.contains(&*rig.media().to_string_lossy()), "{reason}");
        daemon.check();
        rig.nothing_is_told(&daemon);
        rig.run("umount @media");
        rig.beside("disk");
        rig.run(&format!("mount {device} @disk"));
        fs::remove_dir_all(rig.beside("disk").join(film(7))).unwrap();
        rig.run("umount @disk");
        rig.run(&format!("mount {device} @media"));
        wait_health(&daemon, "online", SOON);
        rig.the_one_deletion_is_told_once(daemon);
    };
    let name = "xfs that shuts down".to_owned();
    side_by_side(
        &["mkfs.xfs", "xfs_io", "losetup", "/dev/loop-control"],
        vec![(name, Box::new(run))],
    );
}

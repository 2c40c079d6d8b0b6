//! A root on an automount. The kernel's side is real; the daemon that would mount is played by the
//! test, which hears each time that somebody's look wants something mounted.

use std::fs;
use std::io::PipeReader;
use std::os::fd::AsRawFd;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command};

use nix::mount::{MsFlags, mount};
use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::rig::{Rig, SOON, film, films, skip, wait_health, with_mounts};
use crate::e2e::daemon::{LONG, SETTLE};
use crate::e2e::wait::throughout;

/// The automount daemon: processes of its group mount and unmount without asking for it.
struct Automount {
    wanted: PipeReader,
    group: Child,
}

impl Automount {
    /// `None` where the kernel has no automounts.
    fn new(at: &Path) -> Option<Self> {
        let (wanted, kernel) = std::io::pipe().unwrap();
        let group = Command::new("sleep").arg("300").process_group(0).spawn().unwrap();
        let (fd, pgrp) = (kernel.as_raw_fd(), group.id());
        let options = format!("fd={fd},pgrp={pgrp},minproto=5,maxproto=5,direct");
        let mounted = mount(Some("test"), at, Some("autofs"), MsFlags::empty(), Some(&*options));
        let automount = Self { wanted, group };
        mounted.is_ok().then_some(automount)
    }

    /// Mounts or unmounts, as the automount daemon does.
    #[track_caller]
    fn run(&self, program: &str, args: &[&Path]) {
        let group = i32::try_from(self.group.id()).unwrap();
        let status = Command::new(program).args(args).process_group(group).status().unwrap();
        assert!(status.success(), "{program} {args:?}");
    }

    /// Nobody's look has wanted anything mounted.
    fn is_quiet(&self) -> bool {
        let mut polled = [PollFd::new(&self.wanted, PollFlags::IN)];
        poll(&mut polled, Some(&Timespec::default())).unwrap() == 0
    }
}

impl Drop for Automount {
    fn drop(&mut self) {
        drop(self.group.kill());
        drop(self.group.wait());
    }
}

#[test]
fn a_root_on_an_automount_is_idle_while_nothing_is_mounted_and_no_look_mounts_it() {
    with_mounts("a root on an automount", &[], |rig| {
        let disk = rig.beside("disk");
        films(&disk, 0..30);
        let Some(automount) = Automount::new(&rig.media()) else {
            return skip("a root on an automount", "the kernel has none");
        };
        let daemon = rig.home.start();
        let reason = wait_health(&daemon, "waiting", SOON);
        assert!(reason.contains("automount"), "{reason}");
        quiet(rig, &automount);
        automount.run("mount", &[Path::new("--bind"), &disk, &rig.media()]);
        wait_health(&daemon, "online", LONG);
        assert!(automount.is_quiet());

        automount.run("umount", &[&rig.media()]);
        let reason = wait_health(&daemon, "idle", SOON);
        assert!(reason.contains("media"), "{reason}");
        daemon.check();
        quiet(rig, &automount);
        fs::remove_dir_all(disk.join(film(3))).unwrap();
        automount.run("mount", &[Path::new("--bind"), &disk, &rig.media()]);
        wait_health(&daemon, "online", SOON);
        daemon.wait_deletions(1);
        assert_eq!(daemon.dead(), ["Film 003"]);
        assert!(automount.is_quiet());
    });
}

#[test]
fn an_automount_below_the_root_is_left_alone_and_nothing_in_it_dies_when_it_is_let_go() {
    with_mounts("an automount below the root", &[], |rig| {
        let (disk, place) = (rig.beside("disk"), rig.beside("media/nas"));
        films(&rig.media(), 0..30);
        films(&disk, 100..120);
        let Some(automount) = Automount::new(&place) else {
            return skip("an automount below the root", "the kernel has none");
        };
        let daemon = rig.start();
        quiet(rig, &automount);
        let of_inner = |health: &str| {
            crate::e2e::wait::until(health, SOON, || {
                let status = daemon.status()?;
                let roots = status["roots"].as_array()?.clone();
                let is = |root: &&serde_json::Value| root["name"] == "media:nas";
                roots.iter().find(is).filter(|root| root["health"] == health).map(|_| ())
            });
        };
        automount.run("mount", &[Path::new("--bind"), &disk, &place]);
        of_inner("online");
        automount.run("umount", &[&place]);
        of_inner("idle");
        daemon.check();
        rig.nothing_is_told(&daemon);
        quiet(rig, &automount);
        wait_health(&daemon, "online", SOON);
    });
}

/// For a while nothing is wanted and nothing is told.
#[track_caller]
fn quiet(rig: &Rig, automount: &Automount) {
    throughout(SETTLE * 3, || {
        assert!(automount.is_quiet(), "a look of ours wants it mounted");
        assert!(rig.home.ledger().is_empty());
    });
}

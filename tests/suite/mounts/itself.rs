//! The rig itself: what it mounts is what the tests believe it to be.

use std::fs;
use std::io::ErrorKind;
use std::thread;

use super::fuse::{Fuse, Mood};
use super::rig::{films, with_mounts};

#[test]
fn an_image_of_each_kind_can_be_mounted() {
    with_mounts("images", &["mkfs.ext4", "mkfs.xfs"], |rig| {
        for fs_type in ["ext4", "xfs"] {
            rig.image("image", fs_type);
            rig.run("mount -o loop @image @media");
            films(&rig.media(), 0..3);
            rig.run("umount @media");
            assert_eq!(fs::read_dir(rig.media()).unwrap().count(), 0, "{fs_type}");
        }
        assert!(rig.try_run("mount -o loop @nothing @media").is_err());
    });
}

#[test]
fn the_file_system_of_ours_does_as_it_is_told() {
    with_mounts("a file system of ours", &[], |rig| {
        let source = rig.beside("source");
        films(&source, 0..30);
        let fuse = Fuse::mount(rig, &source, &rig.media());
        let names = || fs::read_dir(rig.media()).unwrap().count();
        assert_eq!(names(), 30);
        fuse.be(Mood::ListsHalf);
        assert_eq!(names(), 15);
        fuse.be(Mood::FailsPartly);
        let failing = fs::read_dir(rig.media()).unwrap().flatten();
        let failing = failing.filter(|entry| entry.metadata().is_err()).count();
        assert!((5..=15).contains(&failing), "{failing} of 30 fail");
        fuse.be(Mood::Hangs);
        thread::scope(|scope| {
            let look = scope.spawn(|| fs::read_dir(rig.media()).map(Iterator::count));
            assert!(!look.is_finished());
            fuse.be(Mood::Well);
            assert_eq!(look.join().unwrap().unwrap(), 30);
        });
        fuse.die();
        let error = fs::read_dir(rig.media()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotConnected);
    });
}

//! The first start comes before the disk does: what is adopted is the disk, and not the place that
//! waits for it.

use std::fs;

use super::rig::{Case, Rig, SOON, film, films, root, side_by_side, wait_health, wait_reason};

#[test]
fn before_the_disk_is_mounted_nothing_is_adopted_and_nothing_is_missing() {
    let cases: Vec<Case<'_>> = vec![
        ("an empty mount point".to_owned(), Box::new(|rig| waits_for_the_disk(rig, |_| ()))),
        (
            "a mount point with folders but no media".to_owned(),
            Box::new(|rig| {
                waits_for_the_disk(rig, |rig| {
                    let stray = rig.media().join("Film 001 (2000)");
                    fs::create_dir_all(&stray).unwrap();
                    fs::write(stray.join("poster.jpg"), "").unwrap();
                });
            }),
        ),
        ("no mount point".to_owned(), Box::new(no_mount_point)),
    ];
    side_by_side(&[], cases);
}

fn waits_for_the_disk(rig: &Rig, prepare: impl Fn(&Rig)) {
    rig.beside("disk");
    rig.run("mount -t tmpfs ram @disk");
    films(&rig.beside("disk"), 0..300);
    prepare(rig);
    let daemon = rig.home.start();
    let reason = wait_health(&daemon, "waiting", SOON);
    assert!(reason.contains("no media file was seen in it yet"), "{reason}");
    let view = daemon.check();
    assert_eq!(view["missing"].as_array().unwrap().len(), 0, "{view}");
    assert!(view["could_not_tell"][0].as_str().unwrap().contains("waiting"), "{view}");
    // A restart makes no difference.
    assert_eq!(daemon.stop(), 0);
    let daemon = rig.home.start();
    wait_health(&daemon, "waiting", SOON);
    rig.run("mount --bind @disk @media");
    let reason = wait_health(&daemon, "online", SOON);
    assert!(reason.contains("tmpfs on ram"), "{reason}");
    daemon.check();
    assert_eq!(root(&daemon).unwrap()["files"], 300);
    rig.nothing_is_told(&daemon);
    fs::remove_dir_all(rig.media().join(film(7))).unwrap();
    rig.the_one_deletion_is_told_once(daemon);
}

fn no_mount_point(rig: &mut Rig) {
    rig.configure();
    fs::remove_dir(rig.media()).unwrap();
    let daemon = rig.home.start();
    wait_health(&daemon, "waiting", SOON);
    wait_reason(&daemon, &format!("no directory {}", rig.media().display()));
    fs::create_dir(rig.media()).unwrap();
    rig.run("mount -t tmpfs ram @media");
    wait_reason(&daemon, "no media file was seen");
    films(&rig.media(), 0..300);
    wait_health(&daemon, "online", SOON);
    rig.nothing_is_told(&daemon);
    fs::remove_dir_all(rig.media().join(film(7))).unwrap();
    rig.the_one_deletion_is_told_once(daemon);
}

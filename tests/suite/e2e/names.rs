//! Names that are not text, links, depth, and what can't be seen.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};

use super::daemon::{Home, LONG};
use super::make;
use super::wait::until;

fn name(bytes: &[u8]) -> &OsStr {
    OsStr::from_bytes(bytes)
}

#[test]
fn names_that_are_not_text_or_have_line_ends_die_like_others() {
    let home = Home::new();
    let names: [&[u8]; 4] =
        [b"Caf\xe9 (2001)", b"Two\nLines (2002)", b"\xff\xfe", "\u{202e}tfel (2003)".as_bytes()];
    for folder in names {
        let dir = home.media().join(name(folder));
        fs::create_dir(&dir).unwrap();
        fs::write(dir.join(name(b"a\xff\n.mkv")), folder).unwrap();
    }
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    for folder in names {
        fs::remove_dir_all(home.media().join(name(folder))).unwrap();
    }
    let list = daemon.wait_deletions(4);
    let latin = list.iter().find(|d| d["item"]["title"] == "Caf\\xe9").unwrap();
    assert!(latin["evidence"][0]["path_hex"].as_str().unwrap().ends_with("61ff0a2e6d6b76"));
    assert!(!home.log().contains("Two\nLines"), "a name can't begin a line of the log");
}

#[test]
fn links_neither_loop_nor_lead_out_of_the_root() {
    let home = Home::new();
    let outside = home.path().join("outside");
    make(&outside, "Secret (2000)/Secret.mkv");
    make(&home.media(), "Heat (1995)/Heat.mkv");
    symlink(home.media(), home.media().join("loop")).unwrap();
    symlink(&outside, home.media().join("out")).unwrap();
    symlink(outside.join("Secret (2000)/Secret.mkv"), home.media().join("Linked (2001).mkv"))
        .unwrap();
    symlink("nowhere", home.media().join("Dangling (2002).mkv")).unwrap();
    let daemon = home.start();
    assert_eq!(daemon.status().unwrap()["roots"][0]["files"], 3);
    // What a link points to is not below the root; the link itself is.
    fs::remove_dir_all(outside.join("Secret (2000)")).unwrap();
    fs::remove_file(home.media().join("Linked (2001).mkv")).unwrap();
    fs::remove_file(home.media().join("loop")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Linked"]);
}

#[test]
fn two_hundred_levels_deep_nothing_is_missed() {
    let home = Home::new();
    let mut deep = String::new();
    for level in 0..200 {
        deep.push_str(&format!("level {level:03}/"));
    }
    make(&home.media(), &format!("{deep}Deep (2005)/Deep.mkv"));
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    fs::remove_dir_all(home.media().join(format!("{deep}Deep (2005)"))).unwrap();
    daemon.wait_deletions(1);
    make(&home.media(), &format!("{deep}Again (2006)/Again.mkv"));
    until("it is seen", LONG, || daemon.story("Again").filter(|s| s["state"] == "alive"));
    fs::remove_dir_all(home.media().join("level 000")).unwrap();
    daemon.wait_deletions(2);
    assert_eq!(daemon.dead(), ["Again", "Deep"]);
}

#[test]
fn a_folder_that_can_not_be_read_is_named_and_nothing_in_it_is_told() {
    let mut home = Home::new();
    home.hand_to_nobody();
    make(&home.media(), "Locked (2000)/Locked.mkv");
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let locked = home.media().join("Locked (2000)");
    let mode = |mode| fs::set_permissions(&locked, fs::Permissions::from_mode(mode)).unwrap();
    let daemon = home.start();
    mode(0o000);
    daemon.check();
    let status = daemon.status().unwrap();
    assert!(
        status["roots"][0]["unseen"][0]["path"].as_str().unwrap().contains("Locked"),
        "{status}"
    );
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    // It may have been moved there.
    let story = daemon.wait_decided("Heat", "held");
    assert!(story.to_string().contains("Locked"), "{story}");
    mode(0o755);
    daemon.check();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["Heat"]);
}

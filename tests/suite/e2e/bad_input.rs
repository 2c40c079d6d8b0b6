//! Bad input gets one clear message and its own exit code, and nothing is lost.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::daemon::{Home, LONG, binary};
use super::make;
use super::wait::until;

/// Runs `run` to its end: exit code and what was said.
fn refused(home: &Home) -> (i32, String) {
    let before = home.log().len();
    let code = home.spawn().wait();
    (code, home.log()[before..].to_owned())
}

fn check(home: &mut Home, config: &str, code: i32, words: &[&str]) {
    home.configure(config);
    let (found, said) = refused(home);
    assert_eq!(found, code, "{config}\n{said}");
    for word in words {
        assert!(said.contains(word), "{word:?} is missing in: {said}");
    }
    assert_eq!(said.lines().count(), 1, "one message: {said}");
    let checked = home.ask(&["check-config", "--config", home.options[1].as_str()]);
    assert_eq!(checked.status.code(), Some(code), "check-config agrees");
}

#[test]
fn a_wrong_configuration_names_file_line_and_key() {
    let mut home = Home::bare();
    let (a, b) = (home.path().join("a"), home.path().join("b"));
    fs::create_dir(&a).unwrap();
    fs::create_dir(&b).unwrap();
    let root = format!("[roots.a]\npath = {:?}\n", a.display().to_string());
    let file = "obituarr.toml:";
    check(
        &mut home,
        &format!("{root}[brake]\nmaxx = 3\n"),
        78,
        &[file, ":4:1", "brake.maxx", "brake.max"],
    );
    check(&mut home, &format!("{root}[brake]\nmax = \"3\"\n"), 78, &[file, ":4:", "brake.max"]);
    check(&mut home, &format!("{root}[confirm]\nsettle = 60\n"), 78, &["confirm.settle", "60s"]);
    check(&mut home, "[roots.a]\npath = \"media\"\n", 78, &["roots.a", "media"]);
    check(&mut home, &format!("{root}{root}"), 78, &[file, ":3:"]);
    check(&mut home, "", 78, &["--root"]);
}

#[test]
fn one_directory_under_two_names_is_refused_and_both_are_named() {
    let mut home = Home::bare();
    let (a, link) = (home.path().join("a"), home.path().join("link"));
    fs::create_dir_all(a.join("inner")).unwrap();
    std::os::unix::fs::symlink(&a, &link).unwrap();
    let both = |b: &Path| format!("[roots.a]\npath = {a:?}\n[roots.b]\npath = {b:?}\n");
    check(&mut home, &both(&link), 78, &["roots.b", "roots.a", "is the same directory as"]);
    check(&mut home, &both(&link.join("inner")), 78, &["roots.b", "roots.a", "lies inside"]);
}

#[test]
fn a_directory_that_becomes_another_root_while_it_runs_is_not_read_twice() {
    let mut home = Home::bare();
    let (a, link) = (home.path().join("a"), home.path().join("link"));
    make(&a, "Heat (1995)/heat.mkv");
    home.configure(&format!("[roots.a]\npath = {a:?}\n[roots.b]\npath = {link:?}\n"));
    let daemon = home.start();
    std::os::unix::fs::symlink(&a, &link).unwrap();
    let reason = |status: &serde_json::Value| {
        let root = status["roots"].as_array()?.iter().find(|root| root["name"] == "b")?;
        root["reason"].as_str().map(str::to_owned)
    };
    until("it is refused", LONG, || {
        daemon
            .status()
            .as_ref()
            .and_then(reason)
            .filter(|why| why.contains("same directory as root a"))
    });
    fs::remove_file(&link).unwrap();
    make(&link, "Ronin (1998)/ronin.mkv");
    until("it is read", LONG, || {
        let status = daemon.status()?;
        let roots = status["roots"].as_array()?;
        roots.iter().all(|root| root["health"] == "online").then_some(())
    });
}

#[test]
fn nothing_is_ever_kept_below_a_root_by_whatever_way_it_is_named() {
    let home = Home::new();
    let (media, link) = (home.media(), home.path().join("link"));
    fs::create_dir(media.join("shelf")).unwrap();
    std::os::unix::fs::symlink(media.join("shelf"), &link).unwrap();
    let elsewhere = home.path().join("elsewhere");
    let up = media.join("shelf/../state");
    let root = |path: &Path| ["--root".to_owned(), path.display().to_string()];
    let ask = |command: &str, root: &[String], state: &Path, sockets: &Path| {
        // Where it is not refused it would run on.
        let mut run = Command::new("timeout");
        run.args(["10", binary(), command]).args(root).env_clear().env("HOME", home.path());
        run.arg("--state-dir").arg(state).arg("--runtime-dir").arg(sockets);
        run.env("PATH", std::env::var_os("PATH").unwrap_or_default());
        let output = run.output().unwrap();
        (output.status.code(), String::from_utf8_lossy(&output.stderr).into_owned())
    };
    let own = root(&media);
    for command in ["run", "check-config"] {
        for (state, sockets, option) in [
            (media.join("state"), elsewhere.clone(), "--state-dir"),
            (media.clone(), elsewhere.clone(), "--state-dir"),
            (link.clone(), elsewhere.clone(), "--state-dir"),
            (link.join("a/b"), elsewhere.clone(), "--state-dir"),
            (up.clone(), elsewhere.clone(), "--state-dir"),
            (elsewhere.clone(), link.join("run"), "--runtime-dir"),
        ] {
            let (code, said) = ask(command, &own, &state, &sockets);
            assert_eq!(code, Some(78), "{command} {state:?} {sockets:?}: {said}");
            let of_root = said.contains("roots.media") && said.contains("lies below");
            assert!(said.contains(option) && of_root, "{said}");
        }
        // The other way round the state would be taken for media.
        let (code, said) = ask(command, &root(&link), &media, &elsewhere);
        assert_eq!(code, Some(78), "{said}");
        assert!(said.contains("roots.") && said.contains("lies in"), "{said}");
    }
    assert_eq!(files_below(&media), Vec::<PathBuf>::new());
    assert!(!elsewhere.exists());
    let names: Vec<_> = fs::read_dir(&media).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert_eq!(names, ["shelf"]);
}

#[test]
fn roots_that_come_to_hold_the_state_are_not_taken_over_while_it_runs() {
    let mut home = Home::bare();
    fs::create_dir(home.media()).unwrap();
    make(&home.media(), "Heat (1995)/heat.mkv");
    home.configure(&format!("[roots.media]\npath = {:?}\n", home.media()));
    let daemon = home.start();
    let around = format!("[roots.media]\npath = {:?}\n", home.path());
    fs::write(home.path().join("obituarr.toml"), around).unwrap();
    daemon.signal(rustix::process::Signal::HUP);
    until("it is refused", LONG, || {
        home.log().contains("nothing may be written among media").then_some(())
    });
    assert_eq!(daemon.status().unwrap()["roots"][0]["path"], home.media().to_str().unwrap());
}

#[test]
fn what_names_nothing_is_refused_with_what_to_name() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let _daemon = home.start();
    for (args, code, part) in [
        (["accept", "", "--yes"], 2, "name the root"),
        (["accept", "..", "--yes"], 2, "name the root"),
        (["retire", "", "--yes"], 2, "name the root, or the full path"),
        (["retire", "/", "--yes"], 1, "/ is not a branch"),
        (["retire", "//", "--yes"], 1, "/ is not a branch"),
    ] {
        let output = home.ask(&args);
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{args:?}: {said}");
        assert!(said.contains(part), "{args:?}: {said}");
    }
}

#[test]
fn a_root_named_on_the_command_line_that_is_not_there_is_said() {
    let mut home = Home::bare();
    let missing = home.path().join("nowhere");
    home.options = vec!["--root".into(), missing.display().to_string()];
    let (code, said) = refused(&home);
    assert_eq!(code, 66, "{said}");
    assert!(said.contains("nowhere") && said.contains("no such directory"), "{said}");
}

#[test]
fn a_root_of_the_file_that_is_not_there_yet_is_waited_for() {
    let mut home = Home::bare();
    let later = home.path().join("later");
    home.configure(&format!("[roots.later]\npath = {:?}\n", later.display().to_string()));
    let checked = home.ask(&["check-config", "--config", home.options[1].as_str()]);
    assert_eq!(checked.status.code(), Some(66));
    assert!(String::from_utf8_lossy(&checked.stderr).contains("roots.later.path"));
    let daemon = home.start();
    let status = daemon.status().unwrap();
    assert_eq!(status["roots"][0]["health"], "waiting", "{status}");
    assert!(status["roots"][0]["reason"].as_str().unwrap().contains("later"), "{status}");
    make(&later, "Heat (1995)/Heat.mkv");
    until("the root is adopted", LONG, || {
        daemon.status().filter(|status| status["roots"][0]["health"] == "online")
    });
    fs::remove_dir_all(later.join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
}

#[test]
fn a_state_directory_that_can_not_be_written_is_said() {
    let home = Home::new();
    // A file in the way stops root too, whom permissions don't.
    fs::write(home.state(), "mine").unwrap();
    let (code, said) = refused(&home);
    assert_eq!(code, 73, "{said}");
    assert!(said.contains(&home.state().display().to_string()), "{said}");
    assert_eq!(fs::read_to_string(home.state()).unwrap(), "mine");
}

#[test]
fn a_state_directory_without_permission_is_said() {
    let home = Home::new();
    fs::create_dir(home.state()).unwrap();
    fs::set_permissions(home.state(), fs::Permissions::from_mode(0o500)).unwrap();
    if fs::write(home.state().join("x"), "").is_ok() {
        println!("skipped: this user may write everywhere");
        return;
    }
    assert_eq!(refused(&home).0, 73);
}

#[test]
fn a_second_instance_on_the_same_state_is_refused_and_the_first_goes_on() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    let (code, said) = refused(&home);
    assert_eq!(code, 75, "{said}");
    assert!(said.contains(&home.state().display().to_string()), "{said}");
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
}

fn files_below(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![dir.to_path_buf()];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() { folders.push(path) } else { found.push(path) }
        }
    }
    found
}

/// A home with one deletion told, stopped.
fn one_told() -> Home {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    make(&home.media(), "Ronin (1998)/Ronin.mkv");
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.stop(), 0);
    home
}

/// The daemon starts, says what was wrong, still knows its deletion and still watches.
fn goes_on(home: &Home, words: &str) {
    let daemon = home.start();
    let status = daemon.status().unwrap();
    let said = format!("{status}{}", home.log());
    assert!(said.contains(words), "{words:?} is missing in: {said}");
    assert_eq!(daemon.dead(), ["Heat"]);
    fs::remove_dir_all(home.media().join("Ronin (1998)")).unwrap();
    daemon.wait_deletions(2);
    assert_eq!(home.ledger().len(), 2);
}

#[test]
fn a_store_with_flipped_bytes_is_set_aside_and_nothing_is_lost() {
    let home = one_told();
    for file in files_below(&home.state().join("store")) {
        let mut bytes = fs::read(&file).unwrap();
        for byte in bytes.iter_mut().step_by(3) {
            *byte ^= 0x55;
        }
        fs::write(&file, bytes).unwrap();
    }
    goes_on(&home, "store.corrupt-");
    let aside = fs::read_dir(home.state()).unwrap().filter(|entry| {
        entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("store.corrupt-")
    });
    assert_eq!(aside.count(), 1);
}

#[test]
fn a_half_written_snapshot_of_the_store_does_no_harm() {
    let home = one_told();
    fs::write(home.state().join("store/snap.FFFFFFFF.generating"), "half").unwrap();
    goes_on(&home, "snap.FFFFFFFF.generating");
}

#[test]
fn a_torn_last_line_of_the_ledger_is_set_aside() {
    let home = one_told();
    let ledger = home.state().join("ledger.jsonl");
    let mut text = fs::read_to_string(&ledger).unwrap();
    text.push_str("{\"v\":1,\"event\":\"deletion\",\"ent");
    fs::write(&ledger, text).unwrap();
    goes_on(&home, "ledger");
}

#[test]
fn a_ledger_cut_in_its_only_line_is_written_again_from_the_store() {
    let home = one_told();
    let ledger = home.state().join("ledger.jsonl");
    let text = fs::read_to_string(&ledger).unwrap();
    fs::write(&ledger, &text[..text.len() / 2]).unwrap();
    let daemon = home.start();
    assert_eq!(daemon.dead(), ["Heat"]);
    assert!(home.log().contains("ledger"), "{}", home.log());
}

#[test]
fn a_store_of_a_newer_version_is_refused_and_left_alone() {
    let home = one_told();
    let db = sled::open(home.state().join("store")).unwrap();
    db.open_tree("meta").unwrap().insert("schema", "99").unwrap();
    db.flush().unwrap();
    drop(db);
    let (code, said) = refused(&home);
    assert_eq!(code, 76, "{said}");
    assert!(said.contains("99") && said.contains("newer"), "{said}");
    assert_eq!(home.ledger().len(), 1);
}

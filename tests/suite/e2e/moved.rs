//! Moves that a tester thought of: none of these films is dead, and those that die later are told.

use std::fs;
use std::path::{Path, PathBuf};

use super::daemon::{Daemon, Home, LONG, SETTLE};
use super::make;
use super::wait::{throughout, until};

/// A home with a second root on another file system, and films in both.
struct Library {
    home: Home,
    other: PathBuf,
    _shm: Option<tempfile::TempDir>,
}

impl Library {
    fn new(files: &[&str]) -> Self {
        let mut home = Home::new();
        let shm = tempfile::tempdir_in("/dev/shm").ok();
        let other = shm.as_ref().map_or_else(|| home.path().join("other"), |dir| dir.path().into());
        make(&other, "Zed (1984)/z.mkv");
        for number in 1..6 {
            make(&home.media(), &format!("Filler {number} (197{number})/f.mkv"));
        }
        for file in files {
            make(&home.media(), file);
        }
        home.options.extend(["--root".into(), other.display().to_string()]);
        Self { home, other, _shm: shm }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.home.media().join(path)
    }

    /// Puts a film alone into a folder of its own, made for it just now, and removes the old one.
    fn resettle(&self, from: &str, to: &str) {
        self.rename(from, to);
        fs::remove_dir(self.at(from).parent().unwrap()).unwrap();
    }

    fn rename(&self, from: &str, to: &str) {
        fs::create_dir_all(self.at(to).parent().unwrap()).unwrap();
        fs::rename(self.at(from), self.at(to)).unwrap();
    }
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to.parent().unwrap()).unwrap();
    fs::copy(from, to).unwrap();
    fs::remove_file(from).unwrap();
}

#[track_caller]
fn nothing_died(daemon: &Daemon<'_>) {
    only_died(daemon, &[]);
}

#[track_caller]
fn only_died(daemon: &Daemon<'_>, titles: &[&str]) {
    throughout(SETTLE * 3, || ());
    until("all is decided", LONG, || {
        daemon.status().filter(|status| status["candidates"]["settling"] == 0)
    });
    assert_eq!(daemon.dead(), titles);
    assert_eq!(daemon.status().unwrap()["candidates"]["held"], 0);
}

#[test]
fn into_new_folders_under_names_that_are_no_media_file_s() {
    let library = Library::new(&["A (2001)/a.mkv", "B (2002)/b.mkv", "C (2003)/c.mkv"]);
    let daemon = library.home.start();
    library.rename("A (2001)/a.mkv", "backup/a.bak");
    library.rename("B (2002)", "Bb (2002)");
    library.rename("Bb (2002)/b.mkv", "Bb (2002)/b.mkv.bak");
    library.rename("C (2003)", "t");
    library.rename("t/c.mkv", "C (2003).bin");
    fs::remove_dir(library.at("t")).unwrap();
    nothing_died(&daemon);
    fs::remove_file(library.at("backup/a.bak")).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.dead(), ["A"]);
}

#[test]
fn under_a_working_name_that_was_used_before() {
    let library = Library::new(&["Heat (1995)/Heat.mkv", "Ronin (1998)/Ronin.mkv", "work/x.nfo"]);
    let daemon = library.home.start();
    library.rename("Heat (1995)/Heat.mkv", "work/in.tmp");
    nothing_died(&daemon);
    library.rename("work/in.tmp", "Heat (1995)/Heat.mkv");
    nothing_died(&daemon);
    library.rename("Ronin (1998)/Ronin.mkv", "work/in.tmp");
    nothing_died(&daemon);
}

#[test]
fn its_folder_renamed_while_stopped_after_it_got_another_kind_of_name() {
    let library = Library::new(&["Heat (1995)/Heat.mkv", "Ronin (1998)/Ronin.mkv", "bk/x.nfo"]);
    let daemon = library.home.start();
    library.rename("Heat (1995)/Heat.mkv", "Heat (1995)/Heat.mkv.bak");
    library.rename("Ronin (1998)/Ronin.mkv", "bk/Ronin.bak");
    nothing_died(&daemon);
    daemon.stop();
    library.rename("Heat (1995)", "Hitze (1995)");
    library.rename("bk/Ronin.bak", "bk/Ronin.orig");
    nothing_died(&library.home.start());
}

#[test]
fn to_another_file_system_under_a_better_name() {
    let library = Library::new(&[
        "tv/Dark/Season 1/Dark S01E01.mkv",
        "Heat/Heat.mkv",
        "Amélie (2001)/x.mkv",
        "Maxi [imdbid-tt0000009]/Maxi.mkv",
        "Ran (1985)/Ran.mkv",
    ]);
    let daemon = library.home.start();
    for (from, to) in [
        ("tv/Dark/Season 1/Dark S01E01.mkv", "tv/Dark (2017)/Season 1/Dark S01E01.mkv"),
        ("Heat/Heat.mkv", "movies/Heat (1995)/Heat.mkv"),
        ("Amélie (2001)/x.mkv", "movies/Ame\u{301}lie (2001)/x.mkv"),
        ("Maxi [imdbid-tt0000009]/Maxi.mkv", "tv/Maxi [imdbid-tt0000009]/Season 1/Maxi S01E01.mkv"),
        ("Ran (1985)/Ran.mkv", "movies/Ran (1986)/Ran.mkv"),
    ] {
        copy(&library.at(from), &library.other.join(to));
    }
    nothing_died(&daemon);
}

#[test]
fn loose_films_encoded_anew() {
    let pairs = [
        ("Jaws.mkv", "Jaws (converted).mkv"),
        ("Up.mkv", "Up_new.mkv"),
        ("Dogma.mkv", "Dogma-1.mkv"),
        ("Blade.Runner.2049.1080p.mkv", "Blade Runner 2049 (2017).mkv"),
        ("Thing, The (1983).mkv", "The Thing (1983).mkv"),
    ];
    let files: Vec<String> = pairs.iter().map(|(old, _)| format!("movies/{old}")).collect();
    let library = Library::new(&files.iter().map(String::as_str).collect::<Vec<_>>());
    let daemon = library.home.start();
    for (old, new) in pairs {
        copy(&library.at("movies").join(old), &library.at("movies").join(new));
    }
    nothing_died(&daemon);
    // A film that lay there all along is not the one that goes.
    make(&library.home.media(), "movies/Up in the Air (2009).mkv");
    nothing_died(&daemon);
}

#[test]
fn there_and_back_and_deleted_later_it_is_told() {
    let library = Library::new(&["Heat (1995)/Heat.mkv"]);
    let daemon = library.home.start();
    library.rename("Heat (1995)", "Heat (1996)");
    nothing_died(&daemon);
    library.rename("Heat (1996)", "Heat (1995)");
    nothing_died(&daemon);
    fs::remove_dir_all(library.at("Heat (1995)")).unwrap();
    daemon.wait_decided("film:heat:1995", "forwarded");
}

#[test]
fn upgraded_by_way_of_an_old_name_and_deleted_later_it_is_told() {
    let library = Library::new(&["Heat (1995)/Heat.mkv"]);
    let daemon = library.home.start();
    library.rename("Heat (1995)/Heat.mkv", "Heat (1995)/Heat.mkv.old");
    copy(&library.at("Heat (1995)/Heat.mkv.old"), &library.at("Heat (1995)/Heat.mkv"));
    nothing_died(&daemon);
    fs::remove_dir_all(library.at("Heat (1995)")).unwrap();
    daemon.wait_deletions(1);
}

/// Longer than it takes until a new folder is listed.
const SLOW: &str = "6s";

/// Waits until titles are known, so that they were seen where they are.
#[track_caller]
fn known(daemon: &Daemon<'_>, titles: &[&str]) {
    for title in titles {
        until(&format!("{title} is known"), LONG, || daemon.story(title));
    }
}

#[test]
fn into_a_folder_made_for_it_and_on_from_there() {
    let mut library = Library::new(&[
        "Heat (1995)/heat.mkv",
        "Ronin (1998)/r.mkv",
        "Alien (1979)/a.mkv",
        "Jaws (1975)/j.mkv",
        "Dark (2017)/Season 1/Dark S01E01.mkv",
        "Dark (2017)/Season 1/Dark S01E02.mkv",
    ]);
    library.home.settle = SLOW;
    let daemon = library.home.start();
    library.resettle("Heat (1995)/heat.mkv", "Hitze (1996)/heat.mkv");
    library.resettle("Ronin (1998)/r.mkv", "Samurai (1999)/r.mkv");
    library.resettle("Alien (1979)/a.mkv", "Fremd (1980)/a.mkv");
    library.resettle("Jaws (1975)/j.mkv", "Hai (1976)/j.mkv");
    library.resettle("Dark (2017)/Season 1", "Dunkel (2018)/Season 1");
    known(&daemon, &["Hitze", "Samurai", "Fremd", "Hai", "Dunkel"]);
    copy(&library.at("Hitze (1996)/heat.mkv"), &library.other.join("Hitze (1996)/heat.mkv"));
    // Upgraded, encoded anew under its name, and given another kind of name.
    make(&library.home.media(), "Samurai (1999)/better.mkv");
    fs::remove_file(library.at("Samurai (1999)/r.mkv")).unwrap();
    make(&library.home.media(), "Fremd (1980)/a.tmp");
    library.rename("Fremd (1980)/a.tmp", "Fremd (1980)/a.mkv");
    library.rename("Hai (1976)/j.mkv", "Hai (1976)/j.bak");
    for episode in ["Season 1/Dark S01E01.mkv", "Season 1/Dark S01E02.mkv"] {
        let show = Path::new("Dunkel (2018)").join(episode);
        copy(&library.home.media().join(&show), &library.other.join(&show));
    }
    nothing_died(&daemon);
    let story = daemon.story("Heat").unwrap().to_string();
    assert!(story.contains("Hitze (1996)/heat.mkv, and from there on"), "{story}");
}

#[test]
fn linked_under_another_title_removed_and_on_from_there() {
    let mut library = Library::new(&["Heat (1995)/heat.mkv"]);
    library.home.settle = SLOW;
    let daemon = library.home.start();
    make(&library.home.media(), "Hitze (1996)/x.nfo");
    fs::hard_link(library.at("Heat (1995)/heat.mkv"), library.at("Hitze (1996)/h.mkv")).unwrap();
    known(&daemon, &["Hitze"]);
    fs::remove_dir_all(library.at("Heat (1995)")).unwrap();
    copy(&library.at("Hitze (1996)/h.mkv"), &library.other.join("Hitze (1996)/h.mkv"));
    nothing_died(&daemon);
}

#[test]
fn on_after_a_restart_from_where_it_was_put_before() {
    let mut library = Library::new(&["Heat (1995)/heat.mkv", "Ronin (1998)/r.mkv"]);
    library.home.settle = SLOW;
    let daemon = library.home.start();
    library.resettle("Heat (1995)/heat.mkv", "Hitze (1996)/heat.mkv");
    known(&daemon, &["Hitze"]);
    daemon.kill();
    library.rename("Ronin (1998)", "Samurai (1999)");
    let daemon = library.home.start();
    known(&daemon, &["Hitze", "Samurai"]);
    for film in ["Hitze (1996)/heat.mkv", "Samurai (1999)/r.mkv"] {
        copy(&library.at(film), &library.other.join(film));
    }
    nothing_died(&daemon);
}

#[test]
fn put_under_another_title_and_deleted_there_it_is_told_once_and_under_that_title() {
    let mut library = Library::new(&["Heat (1995)/heat.mkv"]);
    library.home.settle = SLOW;
    let daemon = library.home.start();
    library.resettle("Heat (1995)/heat.mkv", "Hitze (1996)/heat.mkv");
    known(&daemon, &["Hitze"]);
    fs::remove_dir_all(library.at("Hitze (1996)")).unwrap();
    daemon.wait_deletions(1);
    only_died(&daemon, &["Hitze"]);
}

#[test]
fn there_and_back_and_deleted_at_once_it_is_told_once_and_under_its_own_title() {
    let mut library = Library::new(&["Heat (1995)/heat.mkv", "Hitze (1996)/x.nfo"]);
    library.home.settle = SLOW;
    let daemon = library.home.start();
    library.rename("Heat (1995)/heat.mkv", "Hitze (1996)/heat.mkv");
    known(&daemon, &["Hitze"]);
    library.rename("Hitze (1996)/heat.mkv", "Heat (1995)/Heat again.mkv");
    until("its new loss is seen", LONG, || {
        daemon.story("Hitze").filter(|story| story.to_string().contains("lost"))
    });
    fs::remove_file(library.at("Heat (1995)/Heat again.mkv")).unwrap();
    daemon.wait_deletions(1);
    only_died(&daemon, &["Heat"]);
}

#[test]
fn rules_changed_while_losses_are_under_review() {
    let mut home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    make(&home.media(), "Ronin (1998)/Ronin.mkv");
    make(&home.media(), "Zed (1984)/z.mkv");
    let text = |ignore: &str| {
        let path = home.media().display().to_string();
        format!("[watch]\nignore = [{ignore:?}]\n[roots.media]\npath = {path:?}\n")
    };
    let (first, second) = (text("x"), text("y"));
    home.configure(&first);
    home.settle = "3s";
    let daemon = home.start();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    fs::rename(home.media().join("Ronin (1998)"), home.media().join("Samurai (1998)")).unwrap();
    until("both are under review", LONG, || {
        daemon.status().filter(|status| status["candidates"]["settling"] == 2)
    });
    fs::write(home.path().join("obituarr.toml"), second).unwrap();
    daemon.signal(rustix::process::Signal::HUP);
    // No change of the configuration is a deletion: nobody knows any more where they would be found.
    until("both are held", LONG, || {
        daemon.status().filter(|status| status["candidates"]["held"] == 2)
    });
    fs::rename(home.media().join("Samurai (1998)"), home.media().join("Ronin (1998)")).unwrap();
    daemon.wait_decided("Ronin", "retracted");
    assert_eq!(daemon.dead(), Vec::<String>::new());
}

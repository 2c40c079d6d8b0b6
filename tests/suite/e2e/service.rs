//! What a service manager hears: a stand-in for systemd's notify socket.

use std::collections::VecDeque;
use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;

use rustix::process::Signal;

use super::daemon::{Daemon, Home, LONG};
use super::make;
use super::wait::{now, throughout, until};

/// The socket that systemd names in `NOTIFY_SOCKET`.
struct ServiceManager {
    socket: UnixDatagram,
    unread: VecDeque<String>,
    heard: Vec<String>,
}

impl ServiceManager {
    /// Listens for the daemons of this home.
    fn of(home: &mut Home) -> Self {
        let path = home.path().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        home.environment.push(("NOTIFY_SOCKET", path.display().to_string()));
        Self { socket, unread: VecDeque::new(), heard: Vec::new() }
    }

    /// The next assignment, in the order in which they were sent; `None` when none comes soon.
    fn next(&mut self) -> Option<String> {
        if self.unread.is_empty() {
            let mut message = [0; 4096];
            match self.socket.recv(&mut message) {
                Ok(length) => {
                    assert!(length < message.len(), "systemd takes no message that long");
                    let text = String::from_utf8(message[..length].to_vec()).unwrap();
                    self.unread.extend(text.lines().map(str::to_owned));
                }
                Err(error) => assert!(
                    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut),
                    "{error}"
                ),
            }
        }
        let next = self.unread.pop_front()?;
        self.heard.push(next.clone());
        Some(next)
    }

    /// Waits for an assignment that begins so.
    #[track_caller]
    fn hear(&mut self, start: &str) -> String {
        until(&format!("systemd hears {start}"), LONG, || {
            self.next().filter(|next| next.starts_with(start))
        })
    }

    /// Everything that was said, also what is still under way.
    fn all(&mut self) -> &[String] {
        while self.next().is_some() {}
        &self.heard
    }
}

/// Where in `heard` the first assignment stands that begins so.
#[track_caller]
fn place(heard: &[String], start: &str) -> usize {
    let at = heard.iter().position(|said| said.starts_with(start));
    at.unwrap_or_else(|| panic!("{start} was not said: {heard:#?}"))
}

fn count(heard: &[String], start: &str) -> usize {
    heard.iter().filter(|said| said.starts_with(start)).count()
}

#[track_caller]
fn in_order(heard: &[String], starts: &[&str]) {
    let places: Vec<usize> = starts.iter().map(|start| place(heard, start)).collect();
    assert!(places.is_sorted(), "{starts:?} are at {places:?} of {heard:#?}");
}

/// Enough directories that walking them takes a while.
fn many(home: &Home) {
    for shelf in 0..40 {
        for film in 0..250 {
            let film = format!("{shelf}/Film {film} ({})", 1960 + shelf);
            fs::create_dir_all(home.media().join(film)).unwrap();
        }
    }
    make(&home.media(), "39/Heat (1995)/Heat.mkv");
}

#[test]
fn it_is_ready_when_a_long_walk_is_over_and_asks_for_time_until_then() {
    let mut home = Home::new();
    many(&home);
    let mut systemd = ServiceManager::of(&mut home);
    let daemon = home.spawn();
    systemd.hear("STATUS=walking root media: 0");
    // The disk may be fast: while the process stands still the clock goes on.
    daemon.signal(Signal::STOP);
    throughout(Duration::from_millis(700), || {});
    daemon.signal(Signal::CONT);
    systemd.hear("READY=1");
    let heard = systemd.heard.clone();
    in_order(
        &heard,
        &[
            "EXTEND_TIMEOUT_USEC=60000000",
            "STATUS=opening the store",
            "STATUS=walking root media: ",
            "READY=1",
        ],
    );
    let progress = |said: &&String| {
        let so_far = said.strip_prefix("STATUS=walking root media: ")?;
        so_far.strip_suffix(" directories so far")?.parse::<u64>().ok()
    };
    let counts: Vec<u64> = heard.iter().filter_map(|said| progress(&said)).collect();
    assert!(counts.is_sorted() && counts.iter().any(|count| *count > 0), "{heard:#?}");
    assert!(count(&heard, "EXTEND") <= 3, "not at each turn: {heard:#?}");
    assert!(daemon.status().unwrap()["ready"] == true);
    systemd.hear("STATUS=all is well");

    // What comes later is said too.
    fs::remove_dir_all(home.media().join("39/Heat (1995)")).unwrap();
    systemd.hear("STATUS=all is well; 1 possible deletion is being looked at");
    daemon.wait_deletions(1);
    assert_eq!(daemon.stop(), 0);
    let heard = systemd.all();
    assert_eq!(count(heard, "READY=1"), 1, "{heard:#?}");
    assert_eq!(count(heard, "WATCHDOG=1"), 0, "nobody asked for it: {heard:#?}");
    let ends = ["STOPPING=1".to_owned(), "STATUS=stopping".to_owned()];
    assert!(heard.ends_with(&ends), "{heard:#?}");
}

#[test]
fn it_is_ready_with_a_root_that_is_not_there_and_says_which() {
    let mut home = Home::bare();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let away = home.path().join("away");
    let media = home.media();
    let config = format!("[roots.movies]\npath = {media:?}\n[roots.away]\npath = {away:?}\n");
    home.configure(&config);
    let mut systemd = ServiceManager::of(&mut home);
    let daemon = home.spawn();
    systemd.hear("READY=1");
    let line = systemd.hear("STATUS=");
    assert!(line.contains("away") && !line.contains("movies"), "{line}");
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_reload_is_begun_and_ended_with_a_good_and_with_a_bad_configuration() {
    let mut home = Home::bare();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let good = format!("[roots.movies]\npath = {:?}\n", home.media());
    home.configure(&good);
    let mut systemd = ServiceManager::of(&mut home);
    let daemon = home.spawn();
    systemd.hear("READY=1");
    let status = |daemon: &Daemon<'_>| daemon.status().unwrap()["summary"].to_string();
    for (text, line) in [
        (good.clone(), "STATUS=all is well"),
        ("nonsense = 1".to_owned(), "STATUS=the configuration is wrong"),
        (good, "STATUS=all is well"),
    ] {
        fs::write(home.path().join("obituarr.toml"), text).unwrap();
        systemd.all();
        systemd.heard.clear();
        daemon.signal(Signal::HUP);
        systemd.hear(line);
        let heard = systemd.heard.clone();
        let order =
            ["RELOADING=1", "MONOTONIC_USEC=", "STATUS=reading the configuration", "READY=1", line];
        in_order(&heard, &order);
        let time = heard[place(&heard, "MONOTONIC_USEC=")].split_once('=').unwrap().1;
        assert!(time.parse::<u64>().is_ok_and(|time| time > 0), "{heard:#?}");
        assert!(status(&daemon).contains(line.trim_start_matches("STATUS=")), "{heard:#?}");
    }
    assert_eq!(daemon.stop(), 0);
    in_order(systemd.all(), &["READY=1", "STOPPING=1"]);
}

#[test]
fn a_daemon_that_can_not_start_says_why() {
    let mut home = Home::new();
    let mut systemd = ServiceManager::of(&mut home);
    let first = home.start();
    systemd.all();
    systemd.heard.clear();
    let second = home.spawn();
    assert_eq!(second.wait(), 75);
    let heard = systemd.all();
    assert!(heard.last().unwrap().contains("another"), "{heard:#?}");
    assert_eq!(count(heard, "READY=1"), 0, "{heard:#?}");
    drop(first);
}

/// What the watchdog is fed within a time, as moments since its start.
fn meals(systemd: &mut ServiceManager, time: Duration) -> Vec<Duration> {
    let start = now();
    let mut meals = Vec::new();
    while start.elapsed() < time {
        if systemd.next().is_some_and(|said| said == "WATCHDOG=1") {
            meals.push(start.elapsed());
        }
    }
    meals
}

#[test]
fn the_watchdog_is_fed_at_half_its_time_however_little_happens() {
    let mut home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let mut systemd = ServiceManager::of(&mut home);
    home.environment.push(("WATCHDOG_USEC", "1000000".into()));
    // Only a daemon that is built for tests can be broken so.
    if !cfg!(feature = "test-hooks") {
        home.environment.push(("OBITUARR_TEST_WEDGE", "1".into()));
    }
    let daemon = home.spawn();
    systemd.hear("READY=1");
    let meals = meals(&mut systemd, Duration::from_secs(4));
    assert!((6..=9).contains(&meals.len()), "every half second: {meals:?}");
    let gaps = meals.windows(2).map(|two| two[1] - two[0]);
    assert!(gaps.max().unwrap() < Duration::from_secs(1), "never too late: {meals:?}");
    assert_eq!(daemon.stop(), 0);
}

#[cfg(feature = "test-hooks")]
#[test]
fn a_loop_that_stands_still_is_not_fed_for_though_the_sockets_answer() {
    let mut home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let mut systemd = ServiceManager::of(&mut home);
    home.environment.push(("WATCHDOG_USEC", "1000000".into()));
    home.environment.push(("OBITUARR_TEST_WEDGE", "3".into()));
    let daemon = home.spawn();
    systemd.hear("READY=1");
    systemd.hear("WATCHDOG=1");
    let meals = meals(&mut systemd, Duration::from_secs(6));
    let last = meals.last().copied().unwrap_or_default();
    assert!(last < Duration::from_millis(3_500), "{meals:?}");
    assert!(daemon.status().unwrap()["ready"] == true, "the sockets still answer");
    daemon.kill();
}

/// Mounts a file system on `$HANG` that nobody serves: whoever looks at it waits. The daemon holds
/// it, so that it ends with the daemon.
#[cfg(feature = "test-hooks")]
const HANG: &str = r#"
exec 9<>/dev/fuse
mount -i -t fuse -o fd=9,rootmode=40000,user_id=0,group_id=0 hang "$HANG" && exec "$@"
"#;

#[cfg(feature = "test-hooks")]
#[test]
fn a_root_that_does_not_answer_holds_up_the_start_for_a_while_and_is_named() {
    if !rustix::process::geteuid().is_root() || !std::path::Path::new("/dev/fuse").exists() {
        println!("SKIPPED: a root that hangs; a mount that hangs needs root and /dev/fuse");
        return;
    }
    let mut home = Home::bare();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let (media, hanging) = (home.media(), home.path().join("hanging"));
    fs::create_dir(&hanging).unwrap();
    home.configure(&format!("[roots.movies]\npath = {media:?}\n[roots.far]\npath = {hanging:?}\n"));
    let mut systemd = ServiceManager::of(&mut home);
    home.within = Some(HANG);
    home.environment.push(("HANG", hanging.display().to_string()));
    home.environment.push(("OBITUARR_TEST_STALLED", "3".into()));
    home.environment.push(("WATCHDOG_USEC", "1000000".into()));
    let daemon = home.spawn();
    systemd.hear("STATUS=walking root far: ");
    systemd.hear("WATCHDOG=1");
    // The sockets answer all the while.
    assert_eq!(daemon.status().unwrap()["ready"], false);
    systemd.hear("READY=1");
    systemd.hear("STATUS=stalled: far; nothing under it is reported");
    let heard = systemd.heard.clone();
    in_order(&heard, &["EXTEND_TIMEOUT_USEC=", "STATUS=walking", "READY=1", "STATUS=stalled"]);
    let until_ready = &heard[..place(&heard, "READY=1")];
    assert!(count(until_ready, "WATCHDOG=1") >= 5, "fed at each half second: {heard:#?}");
    assert_eq!(daemon.stop(), 0);
    let ends = ["STOPPING=1".to_owned(), "STATUS=stopping".to_owned()];
    assert!(systemd.all().ends_with(&ends), "{:#?}", systemd.heard);
}

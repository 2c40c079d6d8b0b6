//! Every answer of the sockets, held against `docs/openapi.json`.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use serde_json::Value;

use super::daemon::{Home, LONG};
use super::make;
use super::wait::until;
use crate::openapi::{Document, Judgement};
use crate::services::answers::of_services;

/// What no answer below shows: a machine without inotify watches left, directories that even root
/// can't read.
const UNSHOWN: &[&str] = &["RootStatus.watch_note", "Unseen.path", "Unseen.why"];

/// Asks one socket of a home, and holds the answers against the document.
pub(crate) struct Asker<'a> {
    home: &'a Home,
    document: Document,
    pub(crate) seen: BTreeSet<String>,
}

impl<'a> Asker<'a> {
    pub(crate) fn new(home: &'a Home, seen: BTreeSet<String>) -> Self {
        Self { home, document: Document::read(), seen }
    }

    /// The status code and the body of an answer.
    fn ask(&self, socket: &str, method: &str, target: &str) -> (u16, Value) {
        let path = self.home.state().join("run").join(socket);
        let mut stream = UnixStream::connect(path).unwrap();
        let headers = "Host: localhost\r\nConnection: close\r\n\r\n";
        write!(stream, "{method} {target} HTTP/1.1\r\n{headers}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        assert!(head.to_lowercase().contains("content-type: application/json"), "{answer}");
        let code = head.split(' ').nth(1).unwrap().parse().unwrap();
        (code, serde_json::from_str(body).unwrap_or_else(|error| panic!("{error}: {answer}")))
    }

    /// Asks, and wants a documented answer with this code.
    #[track_caller]
    pub(crate) fn want(&mut self, code: u16, method: &str, target: &str) -> Value {
        let (plain, _) = target.split_once('?').unwrap_or((target, ""));
        let path = match plain.rsplit_once('/') {
            Some(("/v1/explain", _)) => "/v1/explain/{item}",
            Some(("/v1/accept", _)) => "/v1/accept/{root}",
            Some(("/v1/retire", _)) => "/v1/retire/{what}",
            _ => plain,
        };
        let (found, answer) = self.ask("control.sock", method, target);
        assert_eq!(found, code, "{method} {target}: {answer}");
        let judgement = self.document.judge(method, path, code, &answer);
        self.take(judgement, &format!("{method} {target}"), &answer);
        answer
    }

    /// Asks what no operation answers, and wants an error with this code.
    #[track_caller]
    pub(crate) fn want_error(&mut self, code: u16, socket: &str, method: &str, target: &str) {
        let (found, answer) = self.ask(socket, method, target);
        assert_eq!(found, code, "{method} {target}: {answer}");
        let judgement = self.document.judge_as("Error", &answer);
        self.take(judgement, &format!("{method} {target}"), &answer);
    }

    /// Begins a full look whose answer comes line by line; each line is held against the document
    /// and given to `each`.
    #[track_caller]
    pub(crate) fn want_lines(&mut self, mut each: impl FnMut(&mut Self, &Value)) {
        let path = self.home.state().join("run/control.sock");
        let mut stream = UnixStream::connect(path).unwrap();
        stream.set_read_timeout(Some(LONG)).unwrap();
        // As HTTP/1.0, so that the lines come without chunks.
        let accept = "Accept: application/x-ndjson";
        write!(stream, "POST /v1/check HTTP/1.0\r\nHost: localhost\r\n{accept}\r\n\r\n").unwrap();
        let mut lines = BufReader::new(stream).lines().map(Result::unwrap);
        let head: Vec<String> = lines.by_ref().take_while(|line| !line.is_empty()).collect();
        assert!(head[0].ends_with(" 200 OK"), "{head:?}");
        assert!(
            head.iter().any(|line| line.to_lowercase() == "content-type: application/x-ndjson")
        );
        for line in lines {
            let line: Value = serde_json::from_str(&line).unwrap();
            let judgement = self.document.judge_line("POST", "/v1/check", &line);
            self.take(judgement, "a line of POST /v1/check", &line);
            each(self, &line);
        }
    }

    #[track_caller]
    fn take(&mut self, judgement: Judgement, what: &str, answer: &Value) {
        assert!(judgement.wrong.is_empty(), "{what}:\n{:#?}\n{answer:#}", judgement.wrong);
        self.seen.extend(judgement.seen);
    }
}

#[test]
fn every_answer_is_the_documented_one() {
    let mut home = Home::bare();
    let media = home.media();
    make(&media, "Heat (1995) {tmdb-949}/Heat.mkv");
    make(&media, "Ran (1985)/Ran.mkv");
    let odd = media.join(OsStr::from_bytes(b"Odd\xff (2001)"));
    fs::create_dir(&odd).unwrap();
    fs::write(odd.join("Odd.mkv"), "odd").unwrap();
    for number in 0..30 {
        make(&media, &format!("Film {number} (2000)/Film.mkv"));
    }
    home.configure(&format!("[roots.movies]\npath = {media:?}\n"));
    let seen = of_a_death(&home, &odd);
    // A root that was never there holds up all the others; so it comes late.
    let away = home.path().join("away");
    home.configure(&format!("[roots.movies]\npath = {media:?}\n[roots.away]\npath = {away:?}\n"));
    home.settle = "10m";
    let seen = of_a_doubt(&home, seen);
    let seen = of_services(seen);

    // What is documented was also seen, so that no field is only on paper.
    let unseen: Vec<String> = Document::read().properties().difference(&seen).cloned().collect();
    assert_eq!(unseen, sorted(UNSHOWN), "documented and never seen");
}

/// Asks a daemon under which a title was deleted, and one whose name is not text.
fn of_a_death(home: &Home, odd: &Path) -> BTreeSet<String> {
    let daemon = home.start();
    let mut asker = Asker::new(home, BTreeSet::new());
    asker.want(200, "GET", "/v1/status");
    asker.want(200, "GET", "/v1/candidates");
    asker.want(200, "GET", "/v1/deletions");
    asker.want(200, "POST", "/v1/check");
    fs::remove_dir_all(home.media().join("Heat (1995) {tmdb-949}")).unwrap();
    fs::remove_dir_all(odd).unwrap();
    daemon.wait_deletions(2);
    asker.want(200, "GET", "/v1/status");
    assert_eq!(asker.want(200, "GET", "/v1/deletions").as_array().map(Vec::len), Some(2));
    assert_eq!(asker.want(200, "GET", "/v1/deletions?limit=1").as_array().map(Vec::len), Some(1));
    for what in ["Heat", "Ran", "root:movies", "movies", "nothing%20at%20all"] {
        asker.want(200, "GET", &format!("/v1/explain/{what}"));
    }
    asker.want(400, "GET", "/v1/explain/%2Fx%FF");
    asker.want(400, "GET", "/v1/deletions?limit=many");
    for method in ["GET", "POST"] {
        for (code, root) in [(409, "movies"), (409, "nothing%20at%20all"), (400, "%FF")] {
            asker.want(code, method, &format!("/v1/accept/{root}"));
        }
    }
    for (code, socket, method, target) in [
        (404, "status.sock", "POST", "/v1/check"),
        (404, "status.sock", "GET", "/v1/accept/movies"),
        (404, "status.sock", "GET", "/"),
        (404, "control.sock", "GET", "/v1/explain"),
        (405, "status.sock", "POST", "/v1/status"),
        (405, "control.sock", "GET", "/v1/check"),
        (405, "control.sock", "PUT", "/v1/check"),
        (405, "control.sock", "DELETE", "/v1/accept/movies"),
    ] {
        asker.want_error(code, socket, method, target);
    }
    assert_eq!(daemon.stop(), 0);
    asker.seen
}

/// Asks a daemon that reviews a loss, holds it because too much went with it, and is told by a
/// person that it is right so.
fn of_a_doubt(home: &Home, seen: BTreeSet<String>) -> BTreeSet<String> {
    let daemon = home.start();
    let mut asker = Asker::new(home, seen);
    fs::remove_dir_all(home.media().join("Ran (1985)")).unwrap();
    let in_state = |asker: &mut Asker<'_>, state: &str| {
        until(&format!("Ran is {state}"), LONG, || {
            let list = asker.want(200, "GET", "/v1/candidates");
            let is_ran = |candidate: &&Value| candidate["item"]["title"] == "Ran";
            let ran = list.as_array()?.iter().find(is_ran)?;
            asker.want(200, "GET", "/v1/status");
            (ran["state"] == state).then_some(())
        });
    };
    in_state(&mut asker, "settling");
    for number in 0..25 {
        fs::remove_dir_all(home.media().join(format!("Film {number} (2000)"))).unwrap();
    }
    in_state(&mut asker, "held");
    asker.want(200, "GET", "/v1/explain/Ran");
    let check = asker.want(200, "POST", "/v1/check");
    assert_eq!(check["missing"].as_array().map(Vec::len), Some(26), "{check}");
    assert_eq!(asker.want(200, "GET", "/v1/accept/movies")["accepted"], false);
    let done = asker.want(200, "POST", "/v1/accept/movies");
    assert_eq!((&done["accepted"], &done["health"]), (&true.into(), &"suspect".into()), "{done}");
    let story = asker.want(200, "GET", "/v1/explain/root:movies");
    let lines = story["stories"][0]["lines"].as_array().unwrap();
    assert!(lines.iter().any(|line| line["kind"] == "accepted"), "{story}");
    asker.want(200, "GET", "/v1/explain/root:away");
    asker.want(409, "GET", "/v1/retire/movies");
    fs::rename(home.media(), home.path().join("elsewhere")).unwrap();
    let asked = until("the root is away", LONG, || {
        let (code, _) = asker.ask("control.sock", "GET", "/v1/retire/movies");
        (code == 200).then(|| asker.want(200, "GET", "/v1/retire/movies"))
    });
    assert_eq!(
        (&asked["retired"], asked["titles"].as_array().map(Vec::len)),
        (&false.into(), Some(5))
    );
    assert_eq!(asker.want(200, "POST", "/v1/retire/movies")["retired"], true);
    assert_eq!(daemon.stop(), 0);
    asker.seen
}

fn sorted(names: &[&str]) -> Vec<String> {
    let set: BTreeSet<String> = names.iter().map(|name| (*name).to_owned()).collect();
    set.into_iter().collect()
}

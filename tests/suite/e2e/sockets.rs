//! The sockets: who may ask what, and whose they are.

use std::fs;
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::process::{Command, Output};
use std::time::Duration;

use super::daemon::{Home, LONG, binary};
use super::make;
use super::wait::{now, until};

/// Runs the binary's `status` or `check` as the user nobody; `None` where this user may not become
/// another.
fn as_nobody(home: &Home, command: &str) -> Option<Output> {
    // The binary must be where nobody may go.
    let copy = home.path().join("obituarr");
    fs::copy(binary(), &copy).unwrap();
    fs::set_permissions(home.path(), fs::Permissions::from_mode(0o755)).unwrap();
    let mut as_other = Command::new(copy);
    as_other.args([command, "--json", "--runtime-dir"]).arg(home.state().join("run"));
    as_other.uid(65_534).gid(65_534).current_dir("/").output().ok()
}

#[test]
fn another_user_may_read_the_status_and_may_not_control() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    // State belongs to the daemon alone, sockets are where others may reach them.
    fs::set_permissions(home.state(), fs::Permissions::from_mode(0o711)).unwrap();
    let Some(status) = as_nobody(&home, "status") else {
        println!("skipped: only root can become another user");
        return;
    };
    assert_eq!(status.status.code(), Some(0), "{}", String::from_utf8_lossy(&status.stderr));
    let check = as_nobody(&home, "check").unwrap();
    assert_eq!(check.status.code(), Some(77));
    assert!(String::from_utf8_lossy(&check.stderr).contains("control.sock"));
    drop(daemon);
}

#[test]
fn plain_http_over_the_status_socket_answers() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    let ask = |socket: &str, request: &str| {
        let mut stream = UnixStream::connect(home.state().join("run").join(socket)).unwrap();
        let host = "Host: localhost\r\nConnection: close\r\n\r\n";
        write!(stream, "{request} HTTP/1.1\r\n{host}").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    };
    let status = ask("status.sock", "GET /v1/status");
    assert!(status.starts_with("HTTP/1.1 200 OK"), "{status}");
    assert!(status.contains("application/json") && status.contains("\"ready\":true"), "{status}");
    for (socket, request, code) in [
        ("status.sock", "GET /v1/candidates", "200"),
        ("status.sock", "GET /v1/deletions?limit=1", "200"),
        ("status.sock", "GET /v1/deletions?limit=x", "400"),
        ("status.sock", "GET /v1/explain/Heat", "200"),
        ("status.sock", "POST /v1/check", "404"),
        ("status.sock", "POST /v1/status", "405"),
        ("status.sock", "GET /nothing", "404"),
        ("control.sock", "GET /v1/status", "200"),
        ("control.sock", "POST /v1/check", "200"),
        ("control.sock", "GET /v1/check", "405"),
    ] {
        let answer = ask(socket, request);
        assert!(answer.starts_with(&format!("HTTP/1.1 {code}")), "{request}: {answer}");
    }
    // The same with the tool that people use, where it is installed.
    let curl = Command::new("curl")
        .args(["--silent", "--show-error", "--unix-socket"])
        .arg(home.state().join("run/status.sock"))
        .arg("http://localhost/v1/status")
        .output();
    match curl {
        Ok(output) => assert!(String::from_utf8_lossy(&output.stdout).contains("\"ready\":true")),
        Err(_) => println!("skipped in part: curl is not installed"),
    }
    drop(daemon);
}

#[test]
fn a_stale_socket_is_replaced_and_a_live_one_is_not_stolen() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let run = home.state().join("run");
    fs::create_dir_all(&run).unwrap();
    drop(UnixListener::bind(run.join("status.sock")).unwrap());
    home.start().kill();
    assert!(run.join("status.sock").exists(), "a killed daemon leaves its socket");
    let daemon = home.start();
    // Another one, with a state of its own but the same runtime directory.
    let other = Home::new();
    let output = other
        .command(&["run", "--log", "text"])
        .arg("--root")
        .arg(other.media())
        .arg("--runtime-dir")
        .arg(&run)
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(75));
    assert!(String::from_utf8_lossy(&output.stderr).contains("status.sock"));
    assert!(daemon.status().is_some(), "the first still answers");
    assert_eq!(daemon.stop(), 0);
    assert!(!run.join("status.sock").exists(), "a stopped daemon takes its sockets with it");
}

#[test]
fn a_client_without_a_daemon_says_so() {
    let home = Home::new();
    for command in ["status", "candidates", "deletions", "check"] {
        let output = home.ask(&[command]);
        assert_eq!(output.status.code(), Some(69), "{command}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("not running"), "{command}");
    }
}

#[test]
fn callers_who_begin_to_ask_and_stop_keep_nobody_out() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    for socket in ["status.sock", "control.sock"] {
        let path = home.state().join("run").join(socket);
        let begun: Vec<UnixStream> = (0..300)
            .map_while(|_| {
                let mut stream = UnixStream::connect(&path).ok()?;
                stream.write_all(b"GET /v1/st").ok()?;
                Some(stream)
            })
            .collect();
        assert_eq!(begun.len(), 300);
        let began = now();
        let mut stream = UnixStream::connect(&path).unwrap();
        stream.write_all(b"GET /v1/status HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 200 OK"), "{answer}");
        // A machine under load is slow; the time to ask is two seconds.
        assert!(began.elapsed() < Duration::from_millis(1_500), "{:?}", began.elapsed());
        drop(begun);
    }
    assert_eq!(daemon.stop(), 0);
}

#[test]
fn a_daemon_that_is_stopped_in_its_tracks_is_not_waited_for_for_ever() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    daemon.signal(rustix::process::Signal::STOP);
    let mut asked = home.command(&["status"]);
    let mut asked = asked.stderr(std::process::Stdio::piped()).spawn().unwrap();
    let ended = until("it gives up", LONG, || asked.try_wait().unwrap());
    daemon.signal(rustix::process::Signal::CONT);
    assert_eq!(ended.code(), Some(69));
    let mut said = String::new();
    asked.stderr.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(said.contains("has not answered in 15 s"), "{said}");
}

#[test]
fn sockets_that_are_taken_away_are_made_again_and_it_is_said() {
    let home = Home::new();
    make(&home.media(), "Heat (1995)/Heat.mkv");
    let daemon = home.start();
    let run = home.state().join("run");
    for number in 1..3 {
        match number {
            1 => fs::remove_dir_all(&run).unwrap(),
            _ => fs::remove_file(run.join("control.sock")).unwrap(),
        }
        until("they are there again", LONG, || {
            let both = run.join("status.sock").exists() && run.join("control.sock").exists();
            daemon.status().filter(|_| both)
        });
        daemon.check();
        let said = || home.log().matches("were taken away; they are made again").count();
        until("it is said", LONG, || (said() == number).then_some(()));
    }
    // Where they can't be, the work goes on.
    fs::remove_dir_all(&run).unwrap();
    fs::write(&run, "in the way").unwrap();
    fs::remove_dir_all(home.media().join("Heat (1995)")).unwrap();
    until("it is decided", LONG, || home.ledger().first().cloned());
    let said = home.log().matches("can't be made again").count();
    assert_eq!(said, 1, "{}", home.log());
    fs::remove_file(&run).unwrap();
    daemon.wait_deletions(1);
    assert_eq!(daemon.stop(), 0);
}

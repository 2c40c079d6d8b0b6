//! The built binary, run as a person would run it, in directories of its own.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::Duration;

use serde_json::Value;
use tempfile::TempDir;

use super::wait::until;

/// Long enough for a slow machine; nothing takes this long when it works.
pub(crate) const LONG: Duration = Duration::from_secs(60);
/// The settle time of most tests.
pub(crate) const SETTLE: Duration = Duration::from_secs(1);

/// A user who owns nothing.
const NOBODY: u32 = 65_534;

/// The binary under test.
pub(crate) fn binary() -> &'static str {
    env!("CARGO_BIN_EXE_obituarr")
}

/// A place for a daemon: media, state and sockets. Outlives restarts.
pub(crate) struct Home {
    dir: TempDir,
    /// Options given to each `run`.
    pub(crate) options: Vec<String>,
    /// What `run` is started through: a program and its arguments, which runs what follows.
    pub(crate) through: Vec<String>,
    /// What must be done before a daemon that is left over can be killed.
    pub(crate) before_kill: Option<Box<dyn Fn() + Send + Sync>>,
    /// The user that everything runs as, when not the one that runs the tests.
    user: Option<u32>,
    /// Variables that each `run` finds in its environment.
    pub(crate) environment: Vec<(&'static str, String)>,
    /// A shell script that each `run` goes through, in a mount namespace of its own. It ends by
    /// `exec "$@"`.
    pub(crate) within: Option<&'static str>,
    /// The form of the log.
    pub(crate) log_format: &'static str,
    /// The settle time.
    pub(crate) settle: &'static str,
}

impl Home {
    /// A home whose only root is `media`, with a settle time of one second.
    pub(crate) fn new() -> Self {
        let home = Self::bare();
        fs::create_dir(home.media()).unwrap();
        Self { options: vec!["--root".into(), home.media().display().to_string()], ..home }
    }

    /// A home without any root.
    pub(crate) fn bare() -> Self {
        Self {
            dir: tempfile::tempdir().unwrap(),
            options: Vec::new(),
            through: Vec::new(),
            environment: Vec::new(),
            before_kill: None,
            within: None,
            log_format: "text",
            settle: "1s",
            user: None,
        }
    }

    /// Hands this home and all in it to a user who may not read what others keep to themselves, if
    /// the tests run as root. Files made later belong to root, and anyone may read them.
    pub(crate) fn hand_to_nobody(&mut self) {
        if !rustix::process::geteuid().is_root() {
            return;
        }
        // A program that this process has written can't be run while another thread is starting one.
        let copied = Command::new("cp").arg(binary()).arg(self.path().join("obituarr")).status();
        assert!(copied.unwrap().success());
        let hand_over = |path: &Path| std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY));
        hand_over(self.path()).unwrap();
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o755)).unwrap();
        self.user = Some(NOBODY);
    }

    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// The root.
    pub(crate) fn media(&self) -> PathBuf {
        self.dir.path().join("media")
    }

    /// Where store and ledger are.
    pub(crate) fn state(&self) -> PathBuf {
        self.dir.path().join("state")
    }

    /// What the daemon logged, over all its runs.
    pub(crate) fn log(&self) -> String {
        fs::read_to_string(self.dir.path().join("log")).unwrap_or_default()
    }

    /// A command of the binary in this home.
    pub(crate) fn command(&self, args: &[&str]) -> Command {
        self.command_through(&[], args)
    }

    /// A command of the binary, started through another program unless `through` is empty.
    fn command_through(&self, through: &[String], args: &[&str]) -> Command {
        let program = match self.user {
            Some(_) => self.path().join("obituarr"),
            None => binary().into(),
        };
        let mut command = match through.split_first() {
            Some((first, rest)) => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
            None => Command::new(program),
        };
        if let Some(user) = self.user {
            command.uid(user).gid(user).current_dir("/");
        }
        // Nothing of the machine's own configuration may leak in.
        command
            .args(args)
            .arg("--state-dir")
            .arg(self.state())
            .env_clear()
            .env("HOME", self.dir.path())
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .stdin(Stdio::null());
        command
    }

    /// Runs a command to its end.
    pub(crate) fn ask(&self, args: &[&str]) -> Output {
        self.command(args).output().unwrap()
    }

    /// Asks for JSON; `None` while the daemon does not answer.
    pub(crate) fn json(&self, args: &[&str]) -> Option<Value> {
        let output = self.command(args).arg("--json").output().unwrap();
        serde_json::from_slice(&output.stdout).ok()
    }

    /// A full look: the last line of its stream.
    pub(crate) fn look(&self) -> Value {
        let output = self.command(&["check", "--json"]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let last = text.lines().last().and_then(|line| serde_json::from_str::<Value>(line).ok());
        let last = last.unwrap_or_else(|| panic!("{}", String::from_utf8_lossy(&output.stderr)));
        assert!(last["result"].is_object(), "{last}");
        last["result"].clone()
    }

    /// Starts the daemon without waiting for anything.
    pub(crate) fn spawn(&self) -> Daemon<'_> {
        let log = File::options().create(true).append(true).open(self.dir.path().join("log"));
        let form = ["run", "--log", self.log_format, "--settle", self.settle];
        let mut command = self.command_through(&self.through, &form);
        command.envs(self.environment.clone());
        command.args(&self.options);
        if let Some(script) = self.within {
            command = in_namespace(script, &command);
        }
        let child = command.stderr(log.unwrap()).spawn().unwrap();
        Daemon { home: self, child }
    }

    /// Starts the daemon and waits until it is ready.
    pub(crate) fn start(&self) -> Daemon<'_> {
        let daemon = self.spawn();
        daemon.wait_ready();
        daemon
    }

    /// Writes a configuration file and lets `run` use it instead of `--root`.
    pub(crate) fn configure(&mut self, text: &str) {
        let file = self.dir.path().join("obituarr.toml");
        fs::write(&file, text).unwrap();
        self.options = vec!["--config".into(), file.display().to_string()];
    }

    /// The lines of the ledger that are deletions.
    pub(crate) fn ledger(&self) -> Vec<Value> {
        let text = fs::read_to_string(self.state().join("ledger.jsonl")).unwrap_or_default();
        text.lines()
            .filter_map(|line| serde_json::from_str::<Value>(line).ok())
            .filter(|line| line["event"] == "deletion")
            .collect()
    }
}

/// The same command, begun by a script in a mount namespace of its own.
fn in_namespace(script: &str, command: &Command) -> Command {
    let mut within = Command::new("unshare");
    within.args(["--mount", "--propagation", "private", "sh", "-c", script, "sh"]);
    within.arg(command.get_program()).args(command.get_args());
    within.env_clear().stdin(Stdio::null());
    within.envs(command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    within
}

/// A running daemon; it ends with this value.
pub(crate) struct Daemon<'a> {
    home: &'a Home,
    child: Child,
}

impl Daemon<'_> {
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn wait_ready(&self) {
        until("the daemon is ready", LONG, || {
            self.status().filter(|status| status["ready"] == true)
        });
    }

    pub(crate) fn status(&self) -> Option<Value> {
        self.home.json(&["status"])
    }

    /// What the status socket answers, without a process for each question.
    pub(crate) fn get(&self, route: &str) -> Option<Value> {
        let mut stream = UnixStream::connect(self.home.state().join("run/status.sock")).ok()?;
        stream.set_read_timeout(Some(LONG)).unwrap();
        write!(stream, "GET {route} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
            .ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        serde_json::from_str(answer.split_once("\r\n\r\n")?.1).ok()
    }

    /// The deletions, newest first.
    pub(crate) fn deletions(&self) -> Vec<Value> {
        let list = self.home.json(&["deletions"]);
        list.and_then(|list| list.as_array().cloned()).unwrap_or_default()
    }

    /// The titles of the deletions, in alphabetical order.
    pub(crate) fn dead(&self) -> Vec<String> {
        let mut titles: Vec<String> = self
            .deletions()
            .iter()
            .map(|deletion| deletion["item"]["title"].as_str().unwrap().to_owned())
            .collect();
        titles.sort();
        titles
    }

    /// Waits until nothing is under review any more, though something was.
    pub(crate) fn wait_decided(&self, title: &str, kind: &str) -> Value {
        until(&format!("{title} is {kind}"), LONG, || {
            let story = self.story(title)?;
            let lines = story["lines"].as_array()?;
            lines.last().filter(|line| line["kind"] == kind)?;
            Some(story.clone())
        })
    }

    /// The first story that `explain` tells.
    pub(crate) fn story(&self, title: &str) -> Option<Value> {
        let explanation = self.home.json(&["explain", title])?;
        explanation["stories"].as_array()?.first().cloned()
    }

    /// Waits until `count` deletions are accepted.
    pub(crate) fn wait_deletions(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} deletions"), LONG, || {
            let list = self.deletions();
            assert!(list.len() <= count, "too many: {:?}", self.dead());
            (list.len() == count && list.iter().all(|entry| entry["state"] == "accepted"))
                .then_some(list)
        })
    }

    /// Looks at everything and waits until nothing settles any more.
    pub(crate) fn check(&self) -> Value {
        let view = self.home.look();
        until("nothing settles", LONG, || {
            self.status().filter(|status| status["candidates"]["settling"] == 0)
        });
        view
    }

    /// Sends a signal.
    pub(crate) fn signal(&self, signal: rustix::process::Signal) {
        let pid = rustix::process::Pid::from_child(&self.child);
        rustix::process::kill_process(pid, signal).unwrap();
    }

    /// Ends it as systemd does, and gives its exit code.
    pub(crate) fn stop(mut self) -> i32 {
        self.signal(rustix::process::Signal::TERM);
        let status =
            until("the daemon stops", Duration::from_secs(5), || self.child.try_wait().unwrap());
        status.code().unwrap_or(-1)
    }

    /// Ends it without a warning.
    pub(crate) fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Waits for its own end.
    pub(crate) fn wait(mut self) -> i32 {
        let status = until("the daemon ends", LONG, || self.child.try_wait().unwrap());
        status.code().unwrap_or(-1)
    }
}

impl Drop for Daemon<'_> {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait() {
            if let Some(before) = &self.home.before_kill {
                before();
            }
            drop(self.child.kill());
            drop(self.child.wait());
        }
        if std::thread::panicking() {
            println!("---- the daemon's log ----\n{}", self.home.log());
        }
    }
}

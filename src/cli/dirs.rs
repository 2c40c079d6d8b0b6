//! Where the state and the sockets are: as given, as systemd says, or where XDG puts them.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use rustix::fs::FileType;

use super::args::Places;
use crate::control::STATUS_SOCKET;

/// The two directories.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Dirs {
    /// Store and ledger.
    pub state: PathBuf,
    /// Sockets.
    pub runtime: PathBuf,
}

/// Nothing says where the state may be kept.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "neither --state-dir nor $STATE_DIRECTORY, $XDG_STATE_HOME or $HOME says where to keep the state"
)]
pub(super) struct NoStateDir;

/// Whether there is a directory. This way of asking does not mount what an automount has let go.
pub(super) fn is_there(path: &Path) -> bool {
    rustix::fs::stat(path).is_ok_and(|stat| FileType::from_raw_mode(stat.st_mode).is_dir())
}

/// Finds the directories for the daemon.
///
/// # Errors
/// When nothing says where the state may be kept.
pub(super) fn for_daemon(
    places: &Places,
    variable: impl Fn(&str) -> Option<OsString>,
) -> Result<Dirs, NoStateDir> {
    let set = |name: &str| variable(name).filter(|value| !value.is_empty()).map(PathBuf::from);
    let state = places
        .state_dir
        .clone()
        .or_else(|| set("STATE_DIRECTORY").map(|dirs| first(&dirs)))
        .or_else(|| set("XDG_STATE_HOME").map(|home| home.join("obituarr")))
        .or_else(|| set("HOME").map(|home| home.join(".local/state/obituarr")))
        .ok_or(NoStateDir)?;
    let runtime = places
        .runtime_dir
        .clone()
        .or_else(|| set("RUNTIME_DIRECTORY").map(|dirs| first(&dirs)))
        // A state directory of its own means an instance of its own.
        .or_else(|| places.state_dir.as_ref().map(|state| state.join("run")))
        .or_else(|| set("XDG_RUNTIME_DIR").map(|dir| dir.join("obituarr")))
        .unwrap_or_else(|| state.join("run"));
    Ok(Dirs { state, runtime })
}

/// Finds the sockets of a running daemon: where this user's own daemon would have them, or else
/// those of the system's.
pub(super) fn for_client(places: &Places, variable: impl Fn(&str) -> Option<OsString>) -> PathBuf {
    let own = for_daemon(places, variable).map(|dirs| dirs.runtime);
    let system = PathBuf::from("/run/obituarr");
    match own {
        Ok(own) if named(places) || has_socket(&own) || !has_socket(&system) => own,
        _ => system,
    }
}

fn named(places: &Places) -> bool {
    places.runtime_dir.is_some() || places.state_dir.is_some()
}

fn has_socket(dir: &Path) -> bool {
    dir.join(STATUS_SOCKET).exists()
}

/// systemd lists several directories with colons between them.
fn first(dirs: &Path) -> PathBuf {
    let text = dirs.to_string_lossy();
    PathBuf::from(text.split(':').next().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(
        state: Option<&str>,
        runtime: Option<&str>,
        env: &[(&str, &str)],
        expected: (&str, &str),
    ) {
        let places = Places {
            config: None,
            state_dir: state.map(PathBuf::from),
            runtime_dir: runtime.map(PathBuf::from),
            json: false,
        };
        let variable = |name: &str| {
            env.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value))
        };
        let dirs = for_daemon(&places, variable).unwrap();
        assert_eq!((dirs.state, dirs.runtime), (expected.0.into(), expected.1.into()));
    }

    #[test]
    fn what_is_given_comes_first_then_systemd_then_xdg() {
        let home = ("HOME", "/h");
        let xdg = ("XDG_RUNTIME_DIR", "/u");
        check(Some("/s"), Some("/r"), &[home, xdg], ("/s", "/r"));
        check(Some("/s"), None, &[home, xdg], ("/s", "/s/run"));
        check(
            None,
            None,
            &[("STATE_DIRECTORY", "/var/lib/o:/x"), ("RUNTIME_DIRECTORY", "/run/o"), home],
            ("/var/lib/o", "/run/o"),
        );
        check(None, None, &[home, xdg], ("/h/.local/state/obituarr", "/u/obituarr"));
        check(None, None, &[home], ("/h/.local/state/obituarr", "/h/.local/state/obituarr/run"));
        check(None, None, &[("XDG_STATE_HOME", "/x"), home], ("/x/obituarr", "/x/obituarr/run"));
    }

    #[test]
    fn without_a_home_the_state_directory_must_be_given() {
        let places = Places { config: None, state_dir: None, runtime_dir: None, json: false };
        assert_eq!(for_daemon(&places, |_| None), Err(NoStateDir));
    }
}

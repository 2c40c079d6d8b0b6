//! Binds the sockets: a stale file is replaced, a live one is not stolen.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt, MetadataExt, PermissionsExt};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

/// The socket that anyone may read.
pub const STATUS_SOCKET: &str = "status.sock";
/// The socket for root and the daemon's group.
pub const CONTROL_SOCKET: &str = "control.sock";

/// A socket could not be bound.
#[derive(Debug, thiserror::Error)]
pub enum BindError {
    /// Somebody answers there.
    #[error(
        "another obituarr answers at {path}; stop it first, or give this one its own --runtime-dir"
    )]
    InUse {
        /// The socket.
        path: PathBuf,
    },
    /// Something that is not a socket is in the way.
    #[error("{path} is not a socket; move it away, or give another --runtime-dir")]
    NotASocket {
        /// The file.
        path: PathBuf,
    },
    /// The path does not fit into a socket address.
    #[error("{path} is too long for a socket (108 bytes); give a shorter --runtime-dir")]
    TooLong {
        /// The path.
        path: PathBuf,
    },
    /// The operating system refuses.
    #[error("the socket {path} can't be made; check that its directory is there and writable")]
    Io {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: io::Error,
    },
}

/// A socket that was made, to be told from another that took its place.
#[derive(Debug)]
pub(super) struct Bound {
    pub(super) path: PathBuf,
    inode: u64,
}

impl Bound {
    /// Removes it, if it is still there. Best effort: a stale file is replaced at the next start.
    pub(super) fn remove(self) {
        if fs::symlink_metadata(&self.path).is_ok_and(|found| found.ino() == self.inode) {
            drop(fs::remove_file(&self.path));
        }
    }
}

/// Binds `dir/name` with the given mode. The socket is made under another name and moved into
/// place, so that nobody ever sees it with a wider mode.
pub(super) fn bind(dir: &Path, name: &str, mode: u32) -> Result<(UnixListener, Bound), BindError> {
    let path = dir.join(name);
    let fail = |source| BindError::Io { path: path.clone(), source };
    match fs::symlink_metadata(&path) {
        Ok(metadata) if !metadata.file_type().is_socket() => {
            return Err(BindError::NotASocket { path });
        }
        Ok(_) => match UnixStream::connect(&path) {
            Ok(_) => return Err(BindError::InUse { path }),
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => {}
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            // A listener with a full queue is alive.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(BindError::InUse { path });
            }
            Err(error) => return Err(fail(error)),
        },
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(fail(error)),
    }
    let new = dir.join(format!(".{name}.new"));
    match fs::remove_file(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(fail(error)),
        _ => {}
    }
    let listener = UnixListener::bind(&new).map_err(|source| {
        if source.kind() == io::ErrorKind::InvalidInput {
            BindError::TooLong { path: path.clone() }
        } else {
            fail(source)
        }
    })?;
    fs::set_permissions(&new, Permissions::from_mode(mode)).map_err(fail)?;
    let inode = fs::symlink_metadata(&new).map_err(fail)?.ino();
    fs::rename(&new, &path).map_err(fail)?;
    Ok((listener, Bound { path, inode }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dir() -> tempfile::TempDir {
        tempfile::tempdir().unwrap()
    }

    #[tokio::test]
    async fn a_stale_socket_is_replaced_and_a_live_one_is_not_stolen() {
        let dir = dir();
        let first = bind(dir.path(), "s.sock", 0o666).unwrap();
        assert!(matches!(bind(dir.path(), "s.sock", 0o666), Err(BindError::InUse { .. })));
        drop(first);
        let again = bind(dir.path(), "s.sock", 0o660).unwrap();
        let mode = fs::metadata(dir.path().join("s.sock")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o660);
        drop(again);
    }

    #[tokio::test]
    async fn a_file_in_the_way_is_left_alone() {
        let dir = dir();
        fs::write(dir.path().join("s.sock"), "mine").unwrap();
        assert!(matches!(bind(dir.path(), "s.sock", 0o666), Err(BindError::NotASocket { .. })));
        assert_eq!(fs::read_to_string(dir.path().join("s.sock")).unwrap(), "mine");
    }

    #[tokio::test]
    async fn a_path_too_long_for_a_socket_says_so() {
        let dir = dir();
        let long = dir.path().join("x".repeat(120));
        fs::create_dir(&long).unwrap();
        assert!(matches!(bind(&long, "s.sock", 0o666), Err(BindError::TooLong { .. })));
        assert!(matches!(
            bind(&dir.path().join("none"), "s.sock", 0o666),
            Err(BindError::Io { .. })
        ));
    }
}

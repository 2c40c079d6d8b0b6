//! The floor: what no program that watches a tree can do without, and nothing else.
//!
//! One thread, one buffer, one `inotify_add_watch` and one `getdents64` loop a directory. None of the
//! daemon's code.

use std::ffi::CString;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;

use anyhow::{Context, Result};
use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use rustix::fs::{CWD, FileType, Mode, OFlags, RawDir, openat};

/// What a walk came by.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Walked {
    pub(crate) directories: u64,
    pub(crate) files: u64,
}

/// Lists every directory.
pub(crate) fn walk(root: &Path) -> Result<Walked> {
    go(root, None)
}

/// Watches and lists every directory. The watches are gone when this returns.
pub(crate) fn arm(root: &Path) -> Result<Walked> {
    let watches = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    go(root, Some(&watches))
}

fn go(root: &Path, watches: Option<&OwnedFd>) -> Result<Walked> {
    let mask = WatchFlags::CREATE
        | WatchFlags::DELETE
        | WatchFlags::MOVED_FROM
        | WatchFlags::MOVED_TO
        | WatchFlags::ONLYDIR
        | WatchFlags::DONT_FOLLOW;
    let mut walked = Walked::default();
    let mut buffer = vec![MaybeUninit::<u8>::uninit(); 64 * 1_024];
    let mut dirs = vec![CString::new(root.as_os_str().as_encoded_bytes())?];
    while let Some(dir) = dirs.pop() {
        if let Some(watches) = watches {
            inotify::add_watch(watches, &*dir, mask)
                .context("fs.inotify.max_user_watches is too low, or others use them up")?;
        }
        let fd = openat(CWD, &*dir, OFlags::RDONLY | OFlags::DIRECTORY, Mode::empty())?;
        walked.directories += 1;
        let mut entries = RawDir::new(&fd, &mut buffer);
        while let Some(entry) = entries.next() {
            let entry = entry?;
            let name = entry.file_name().to_bytes();
            match entry.file_type() {
                FileType::Directory if name != b"." && name != b".." => {
                    dirs.push(CString::new([dir.as_bytes(), b"/", name].concat())?);
                }
                FileType::RegularFile => walked.files += 1,
                _ => {}
            }
        }
    }
    Ok(walked)
}

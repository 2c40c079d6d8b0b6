//! What all looks on this machine share: the boot they happen in, and the mount table, read again
//! whenever the kernel says that it changed. Must never answer from a table that is out of date:
//! mount numbers are given again at once.

use std::fs::File;
use std::io::{self, Read, Seek};
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use rustix::event::{PollFd, PollFlags, Timespec, poll};

use super::inner::{Automount, InnerMounts};
use super::mounts::{Mount, Mounts};
use super::pool::PoolSpec;

/// This machine, in this boot.
#[derive(Debug)]
pub struct Host {
    boot: String,
    table: Mutex<Table>,
    pools: Mutex<Vec<PoolSpec>>,
}

#[derive(Debug)]
struct Table {
    file: File,
    mounts: Mounts,
    changes: u64,
}

impl Host {
    /// Reads the boot id and the mount table.
    ///
    /// # Errors
    /// When `/proc` is not there.
    pub fn new() -> io::Result<Self> {
        let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id")?;
        let file = File::open("/proc/self/mountinfo")?;
        let mut table = Table { file, mounts: Mounts::default(), changes: 0 };
        table.read()?;
        Ok(Self { boot: boot.trim().to_owned(), table: Mutex::new(table), pools: Mutex::default() })
    }

    /// Takes over the pools that are configured.
    pub fn configure_pools(&self, pools: Vec<PoolSpec>) {
        *self.pools.lock().unwrap_or_else(PoisonError::into_inner) = pools;
    }

    /// The configured pool that a path lies in: the innermost.
    pub(super) fn pool_of(&self, path: &Path) -> Option<PoolSpec> {
        let pools = self.pools.lock().unwrap_or_else(PoisonError::into_inner);
        let around = pools.iter().filter(|pool| path.starts_with(&pool.mount));
        around.max_by_key(|pool| pool.mount.as_os_str().len()).cloned()
    }

    /// The kernel's boot id.
    #[must_use]
    pub fn boot(&self) -> &str {
        &self.boot
    }

    /// The mount with this number, now.
    ///
    /// # Errors
    /// When the mount table can't be read.
    pub fn mount(&self, id: u64) -> io::Result<Option<Mount>> {
        self.with(|table| table.mounts.get(id).cloned())
    }

    /// Every mount, now.
    ///
    /// # Errors
    /// When the mount table can't be read.
    pub fn mounts(&self) -> io::Result<Mounts> {
        self.with(|table| table.mounts.clone())
    }

    /// The mounts below a directory, now.
    ///
    /// # Errors
    /// When the mount table can't be read.
    pub fn inner(&self, directory: &Path) -> io::Result<InnerMounts> {
        self.with(|table| table.mounts.inner(directory))
    }

    /// What a path on an automount leads to, now; `None` for any other path.
    ///
    /// # Errors
    /// When the mount table can't be read.
    pub fn automount(&self, path: &Path) -> io::Result<Option<Automount>> {
        self.with(|table| table.mounts.automount(path))
    }

    /// How often the mount table was seen changed: two equal numbers around a look say that nothing
    /// was mounted or unmounted in between.
    ///
    /// # Errors
    /// When the mount table can't be read.
    pub fn mount_changes(&self) -> io::Result<u64> {
        self.with(|table| table.changes)
    }

    fn with<T>(&self, answer: impl FnOnce(&Table) -> T) -> io::Result<T> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.has_changed()? {
            table.read()?;
        }
        Ok(answer(&table))
    }
}

impl Table {
    /// Asking also takes note of the answer, so a change while the table is being read is seen by
    /// the next question.
    fn has_changed(&self) -> io::Result<bool> {
        let mut polled = [PollFd::new(&self.file, PollFlags::PRI | PollFlags::ERR)];
        poll(&mut polled, Some(&Timespec::default()))?;
        Ok(polled[0].revents().intersects(PollFlags::PRI | PollFlags::ERR))
    }

    fn read(&mut self) -> io::Result<()> {
        let mut text = Vec::new();
        let read = self.file.rewind().and_then(|()| self.file.read_to_end(&mut text));
        if let Err(error) = read {
            // The change was taken note of, the table was not: it must not pass for the present one.
            self.mounts = Mounts::default();
            return Err(error);
        }
        self.mounts = Mounts::parse(&text);
        self.changes += 1;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_boot_and_the_mount_of_the_root_directory_are_known() {
        let host = Host::new().unwrap();
        assert_eq!(host.boot().len(), 36);
        let slash = host.mounts().unwrap();
        assert!(slash.get(0).is_none());
        assert!(host.mount_changes().unwrap() >= 1);
    }
}

//! What the mount table says of the places below a root: where other file systems are mounted, and
//! which automounts have nothing mounted now. Must never touch a disk: asking an automount's path
//! would mount it.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::host::Host;
use super::mounts::{Mount, Mounts};
use crate::domain::{AbsPath, RelPath};

/// File systems of the kernel's own, in which no media lie.
const KERNEL: &[&str] = &[
    "autofs",
    "binfmt_misc",
    "bpf",
    "cgroup",
    "cgroup2",
    "configfs",
    "debugfs",
    "devpts",
    "devtmpfs",
    "efivarfs",
    "fusectl",
    "hugetlbfs",
    "mqueue",
    "nsfs",
    "proc",
    "pstore",
    "rpc_pipefs",
    "securityfs",
    "selinuxfs",
    "sysfs",
    "tracefs",
];

/// The mounts below a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct InnerMounts {
    /// Every mount point, in order: what lies there is not of the directory's own mount.
    pub points: Vec<RelPath>,
    /// Those of them that can hold media.
    pub roots: Vec<RelPath>,
}

/// A place on an automount.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Automount {
    /// This is mounted there now.
    Mounted(u64),
    /// Nothing is: a look would mount it.
    Expired,
}

impl Mounts {
    /// The mounts strictly below a directory, each point once.
    #[must_use]
    pub fn inner(&self, directory: &Path) -> InnerMounts {
        let below = |mount: &&Mount| mount.point != directory && mount.point.starts_with(directory);
        let rel = |mount: &Mount| {
            let rel = mount.point.strip_prefix(directory).ok()?;
            RelPath::parse(rel.as_os_str().as_bytes()).ok()
        };
        let points = self.0.values().filter(below).filter_map(rel);
        let holds = |mount: &&Mount| !KERNEL.contains(&&*mount.fs_type);
        let roots = self.0.values().filter(below).filter(holds).filter_map(rel);
        InnerMounts { points: in_order(points), roots: in_order(roots) }
    }

    /// What a path on an automount leads to; `None` for any other path. The path is taken as text:
    /// to follow a link would be a look.
    #[must_use]
    pub fn automount(&self, path: &Path) -> Option<Automount> {
        let covers = |mount: &&Mount| path.starts_with(&mount.point);
        let triggers = |mount: &&Mount| !(mount.is_indirect && mount.point == path);
        let autofs = |mount: &&Mount| mount.fs_type == "autofs" && covers(mount) && triggers(mount);
        let depth = |mount: &&Mount| mount.point.components().count();
        let trigger = self.0.values().filter(autofs).max_by_key(depth)?;
        let on_it = |mount: &&Mount| covers(mount) && self.lies_in(mount, trigger.id);
        let mounted = self.0.values().filter(|mount| mount.fs_type != "autofs").filter(on_it);
        let top = mounted.max_by_key(|mount| (depth(mount), mount.id));
        Some(top.map_or(Automount::Expired, |mount| Automount::Mounted(mount.id)))
    }

    fn lies_in(&self, mount: &Mount, ancestor: u64) -> bool {
        let mut here = mount;
        // A table that is read while it changes could go in circles.
        for _ in 0..self.0.len() {
            if here.parent == ancestor {
                return true;
            }
            match self.get(here.parent) {
                Some(parent) if parent.id != here.id => here = parent,
                _ => return false,
            }
        }
        false
    }
}

/// Why a path must not be opened: a look would mount what an automount has let go.
pub(super) fn why_idle(host: &Host, path: &Path) -> std::io::Result<Option<String>> {
    let is_idle = host.automount(path)? == Some(Automount::Expired);
    let shown = AbsPath::new(path);
    let why =
        || format!("the automount of {shown} has nothing mounted now, and a look would mount it");
    Ok(is_idle.then(why))
}

fn in_order(paths: impl Iterator<Item = RelPath>) -> Vec<RelPath> {
    let mut paths: Vec<RelPath> = paths.collect();
    paths.sort_unstable();
    paths.dedup();
    paths
}

/// The path of an open directory, links followed, without a look at the disk.
pub(super) fn real_path(fd: std::os::fd::BorrowedFd<'_>) -> Option<PathBuf> {
    use std::os::fd::AsRawFd;
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &[u8] = b"\
22 1 253:0 / / rw - ext4 /dev/vda rw\n\
40 22 8:1 / /m rw - xfs /dev/sdb1 rw\n\
41 40 8:1 /video /m/uhd rw - xfs /dev/sdb1 rw\n\
42 41 0:36 / /m/uhd/4\\040k rw - tmpfs tmpfs rw\n\
43 40 0:37 / /m/sys rw - sysfs sysfs rw\n\
44 40 0:38 / /m/uhd rw - ext4 /dev/sdc rw\n\
50 22 0:39 / /auto rw - autofs /etc/auto.nas rw,fd=5,timeout=300,indirect\n\
51 50 0:40 / /auto/a rw - nfs4 nas:/a rw\n\
52 22 0:41 / /direct rw - autofs systemd-1 rw,fd=7,timeout=60,direct\n\
53 22 0:42 / /used rw - autofs systemd-1 rw,fd=8,timeout=60,direct\n\
54 53 0:43 / /used rw - nfs4 nas:/used rw\n\
55 40 0:44 / /m/nas rw - autofs systemd-1 rw,fd=9,timeout=60,direct\n";

    #[test]
    fn each_mount_point_below_a_directory_is_named_once_and_the_kernel_s_own_hold_no_media() {
        let inner = Mounts::parse(TABLE).inner(Path::new("/m"));
        let names = |paths: &[RelPath]| paths.iter().map(ToString::to_string).collect::<Vec<_>>();
        assert_eq!(names(&inner.points), ["nas", "sys", "uhd", "uhd/4 k"]);
        assert_eq!(names(&inner.roots), ["uhd", "uhd/4 k"]);
        assert_eq!(Mounts::parse(TABLE).inner(Path::new("/mm")), InnerMounts::default());
    }

    #[test]
    fn an_automount_is_idle_until_something_is_mounted_on_it() {
        let check = |path: &str, expected: Option<Automount>| {
            assert_eq!(Mounts::parse(TABLE).automount(Path::new(path)), expected, "{path}");
        };
        check("/m", None);
        check("/m/uhd", None);
        check("/auto", None);
        check("/auto/a", Some(Automount::Mounted(51)));
        check("/auto/a/films", Some(Automount::Mounted(51)));
        check("/auto/b", Some(Automount::Expired));
        check("/direct", Some(Automount::Expired));
        check("/direct/films", Some(Automount::Expired));
        check("/used/films", Some(Automount::Mounted(54)));
        check("/m/nas", Some(Automount::Expired));
    }
}

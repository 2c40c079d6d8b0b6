//! What an open directory is found to be: which mount, which device, which file system.
//!
//! A file system is known again by what it stores about itself. For ext2/3/4, btrfs, zfs and tmpfs
//! that is the `f_fsid` of statfs, which they make from their own UUID: it needs nothing in `/dev`,
//! so it is the same under a sandbox and early at boot. For others udev is asked. Must never make
//! an identity from a device number.

use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt};
use std::path::Path;

use rustix::fs::{
    AtFlags, Statx, StatxAttributes, StatxFlags, fstatvfs, major, makedev, minor, statx,
};
use rustix::io::Errno;

use super::host::Host;
use crate::domain::{Identity, is_remote};

/// Types whose `f_fsid` comes from the UUID in the file system. (A tmpfs makes a new one at each
/// mount, and so tells an emptied one from the old one.) Those of xfs and f2fs are device numbers.
const OWN_FSID: &[&str] = &["ext2", "ext3", "ext4", "btrfs", "zfs", "tmpfs"];

/// Types that keep a directory's inode number over mounts and reboots. Left out: overlay and FUSE
/// (numbers may be made up at each mount), cifs (depends on the server), vfat and exfat (made up),
/// and all that are not known. nfs hands on its server's numbers.
const STABLE_INODES: &[&str] = &[
    "ext2", "ext3", "ext4", "xfs", "btrfs", "zfs", "f2fs", "jfs", "bcachefs", "nfs", "nfs4",
    "tmpfs",
];

/// Whether every change on a file system of this type gives an event here. On network and FUSE
/// file systems only those made through this very mount do.
#[must_use]
pub fn has_events(fs_type: &str) -> bool {
    !is_remote(fs_type)
}

pub(super) fn device(stat: &Statx) -> u64 {
    makedev(stat.stx_dev_major, stat.stx_dev_minor)
}

/// Asks an open directory for its mount, device and inode.
pub(super) fn stat_dir(dir: impl AsFd) -> Result<Statx, Errno> {
    let mask = StatxFlags::BASIC_STATS | StatxFlags::MNT_ID | StatxFlags::BTIME;
    let stat = statx(dir, c"", AtFlags::EMPTY_PATH, mask)?;
    if stat.stx_mask & StatxFlags::MNT_ID.bits() == 0 {
        return Err(Errno::NOSYS);
    }
    Ok(stat)
}

/// Whether an open directory is the top of what is mounted somewhere.
pub(super) fn is_mount_point(dir: impl AsFd) -> Result<bool, String> {
    let stat = stat_dir(dir).map_err(|e| format!("statx failed: {}", super::words(e)))?;
    if !stat.stx_attributes_mask.contains(StatxAttributes::MOUNT_ROOT) {
        return Err("the kernel does not tell mount points".to_owned());
    }
    Ok(stat.stx_attributes.contains(StatxAttributes::MOUNT_ROOT))
}

/// What an open directory is.
pub(super) fn identify(host: &Host, dir: impl AsFd) -> Result<Identity, String> {
    let stat = stat_dir(&dir).map_err(|e| format!("statx failed: {}", super::words(e)))?;
    let mount = host
        .mount(stat.stx_mnt_id)
        .map_err(|e| format!("the mount table can't be read: {e}"))?
        .ok_or_else(|| format!("its mount ({}) is not in the mount table", stat.stx_mnt_id))?;
    let uuid = if OWN_FSID.contains(&&*mount.fs_type) {
        let fs = fstatvfs(&dir).map_err(|e| format!("statfs failed: {}", super::words(e)))?;
        (fs.f_fsid != 0).then(|| format!("fsid:{:016x}", fs.f_fsid))
    } else {
        block_device(&mount.source).and_then(uuid_of)
    };
    let stable = STABLE_INODES.contains(&&*mount.fs_type);
    Ok(Identity {
        boot: host.boot().to_owned(),
        mount: stat.stx_mnt_id,
        device: device(&stat),
        fs_type: mount.fs_type,
        source: mount.source,
        inode: stable.then_some(stat.stx_ino),
        born: born(&stat).filter(|_| stable && uuid.is_none()),
        uuid,
        pool: None,
    })
}

fn born(stat: &Statx) -> Option<i64> {
    let nanos = i64::from(stat.stx_btime.tv_nsec);
    let known = stat.stx_mask & StatxFlags::BTIME.bits() != 0;
    known.then(|| stat.stx_btime.tv_sec.saturating_mul(1_000_000_000).saturating_add(nanos))
}

fn block_device(source: &str) -> Option<u64> {
    if !source.starts_with('/') {
        return None;
    }
    let found = std::fs::metadata(source).ok()?;
    found.file_type().is_block_device().then(|| found.rdev())
}

/// The UUID that udev read from a device: from its links, or from its own notes where `/dev` is
/// hidden from us.
fn uuid_of(device: u64) -> Option<String> {
    let linked = std::fs::read_dir("/dev/disk/by-uuid").ok().and_then(|links| {
        links.flatten().find_map(|link| {
            let target = std::fs::metadata(link.path()).ok()?;
            (target.rdev() == device).then(|| link.file_name().to_string_lossy().into_owned())
        })
    });
    linked.or_else(|| {
        let notes = format!("/run/udev/data/b{}:{}", major(device), minor(device));
        let notes = std::fs::read_to_string(Path::new(&notes)).ok()?;
        notes.lines().find_map(|line| line.strip_prefix("E:ID_FS_UUID=")).map(str::to_owned)
    })
}

#[cfg(test)]
mod tests {
    use std::fs::File;

    use super::*;

    #[test]
    fn one_directory_has_one_identity_and_another_has_another() {
        let host = Host::new().unwrap();
        let (a, b) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let look = |path: &Path| identify(&host, File::open(path).unwrap()).unwrap();
        assert_eq!(look(a.path()), look(a.path()));
        assert_eq!(look(a.path()).mount, look(b.path()).mount);
        if look(a.path()).inode.is_some() {
            assert!(look(a.path()).matches(&look(b.path())).is_err());
        }
    }

    #[test]
    fn a_file_system_in_memory_is_told_from_the_one_on_disk() {
        let host = Host::new().unwrap();
        let ram = identify(&host, File::open("/dev/shm").unwrap()).unwrap();
        let proc = identify(&host, File::open("/proc").unwrap()).unwrap();
        assert_eq!(proc.fs_type, "proc");
        assert_eq!((proc.inode, proc.uuid.as_ref()), (None, None));
        assert!(ram.matches(&proc).is_err());
        if ram.fs_type == "tmpfs" {
            assert!(ram.inode.is_some());
        }
    }
}

//! The pool that a root lies on: which branches it has, what each of them is, and on which of them
//! a file lies.
//!
//! mergerfs says its branches in an attribute of its control file; those of others are configured.
//! Must never take a branch that can't be looked at for one that is well.

use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use rustix::fs::{
    AtFlags, CWD, Mode, OFlags, RawDir, StatxFlags, fstatvfs, getxattr, lgetxattr, openat, statx,
};

use rustix::io::Errno;

use super::RootDir;
use super::host::Host;
use super::identity::identify;
use super::mounts::Mount;
use super::open::open_dir;
use crate::domain::{AbsPath, Branch, BranchId, Identity, Pool, RelPath};
use crate::inventory::{Lay, Media};

/// A pool as it is configured.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PoolSpec {
    /// Where the pool is mounted.
    pub mount: PathBuf,
    /// Where its branches are mounted; none to ask the pool.
    pub branches: Vec<PathBuf>,
}

/// Types that put several directories of other file systems into one.
const POOLS: &[&str] = &[
    "mergerfs",
    "shfs",
    "unionfs",
    "unionfs-fuse",
    "mhddfs",
    "fuse-overlayfs",
    "overlay",
    "overlayfs",
    "aufs",
];
const MERGERFS: &[&str] = &["fuse.mergerfs", "mergerfs"];
/// Room for an attribute; the kernel gives no more.
const ATTRIBUTE: usize = 64 * 1_024;
/// Room for directory entries.
const LISTING: usize = 16 * 1_024;
/// So many of the first binary digits of a size are kept: what changes a little all the time must
/// not look like another pool.
const DIGITS: u32 = 12;

/// Whether a file system of this type is a pool.
#[must_use]
pub fn is_pool(fs_type: &str) -> bool {
    POOLS.contains(&fs_type.strip_prefix("fuse.").unwrap_or(fs_type))
}

/// The branches of a root's pool, held open.
#[derive(Debug, Default)]
pub(super) struct Branches {
    /// The root's place in the pool, and so in each branch.
    within: PathBuf,
    open: Vec<(BranchId, Option<OwnedFd>)>,
    is_mergerfs: bool,
}

/// Looks at the pool that an open root directory lies on, if it lies on one.
///
/// # Errors
/// For people: the pool is not mounted, or can't be asked.
pub(super) fn see(
    host: &Host,
    path: &Path,
    fd: BorrowedFd<'_>,
    identity: &Identity,
) -> Result<Option<(Pool, Branches)>, String> {
    let unknown = |error| format!("the mount table can't be read: {error}");
    let Some(mount) = host.mount(identity.mount).map_err(unknown)? else { return Ok(None) };
    let real = own_path(fd).unwrap_or_else(|| path.to_path_buf());
    let spec = host.pool_of(path).or_else(|| host.pool_of(&real));
    let spec = match spec {
        // Another file system is mounted inside of the pool, and the root lies on that.
        Some(spec) if mount.point != spec.mount && mount.point.starts_with(&spec.mount) => None,
        Some(spec) if mount.point != spec.mount => {
            let point = AbsPath::new(&spec.mount);
            return Err(format!("its pool is not mounted: {point} is no mount point"));
        }
        other => other,
    };
    if spec.is_none() && !is_pool(&mount.fs_type) {
        return Ok(None);
    }
    let is_mergerfs = MERGERFS.contains(&&*mount.fs_type);
    let configured = spec.map(|spec| spec.branches).unwrap_or_default();
    let must = !configured.is_empty();
    let paths = if must || !is_mergerfs { configured } else { mergerfs_branches(&mount) };
    let mut pool = Pool::default();
    let within = within(&mount, &real);
    let mut branches = Branches { within, open: Vec::new(), is_mergerfs };
    for path in paths {
        let found = look(host, &path, must);
        let (is, fd) = found.map_or((None, None), |(fd, is)| (Some(Box::new(is)), Some(fd)));
        let branch = Branch { path: AbsPath::new(&path), is, must };
        branches.open.push((branch.id(), fd));
        pool.branches.push(branch);
    }
    pool.branches.sort_by(|a, b| a.path.cmp(&b.path));
    if pool.branches.is_empty() || pool.branches.iter().any(|branch| branch.is.is_none()) {
        let fs = fstatvfs(fd).map_err(|e| format!("statfs failed: {}", super::words(e)))?;
        pool.total = Some(rough(fs.f_blocks.saturating_mul(fs.f_frsize)));
    }
    Ok(Some((pool, branches)))
}

/// Where the directory lies in the pool itself.
fn within(mount: &Mount, real: &Path) -> PathBuf {
    let above = mount.root.strip_prefix("/").unwrap_or(&mount.root);
    above.join(real.strip_prefix(&mount.point).unwrap_or(Path::new("")))
}

/// One branch. Of what is in it nothing is read but the names at its top.
fn look(host: &Host, path: &Path, must: bool) -> Option<(OwnedFd, Identity)> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = openat(CWD, path, flags, Mode::empty()).ok()?;
    let identity = identify(host, &fd).ok()?;
    // A pool in a pool can lose a branch without a word, and so can't be vouched for.
    if is_pool(&identity.fs_type) || !can_be_read(path) {
        return None;
    }
    let is_mounted = || {
        host.mount(identity.mount).ok().flatten().map(|mount| mount.point) == own_path(fd.as_fd())
    };
    (!must || is_mounted()).then_some((fd, identity))
}

/// Whether a directory can be read to its end, if it may be read at all. A pool leaves out what a sick
/// disk does not list, and says nothing of it.
fn can_be_read(path: &Path) -> bool {
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let fd = match openat(CWD, path, flags, Mode::empty()) {
        Ok(fd) => fd,
        Err(Errno::ACCESS | Errno::PERM) => return true,
        Err(_) => return false,
    };
    let mut room = Vec::with_capacity(LISTING);
    let mut entries = RawDir::new(&fd, room.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        if entry.is_err() {
            return false;
        }
    }
    true
}

fn own_path(fd: BorrowedFd<'_>) -> Option<PathBuf> {
    std::fs::read_link(format!("/proc/self/fd/{}", fd.as_raw_fd())).ok()
}

/// `/mnt/d1=RW:/mnt/d2=RO,4G`
fn mergerfs_branches(mount: &Mount) -> Vec<PathBuf> {
    let control = mount.point.join(".mergerfs");
    let names = ["user.mergerfs.branches", "user.mergerfs.srcmounts"];
    let text = names.iter().find_map(|name| {
        let mut room = vec![0; ATTRIBUTE];
        let length = getxattr(&control, *name, &mut room[..]).ok()?;
        room.truncate(length);
        Some(room)
    });
    let text = text.unwrap_or_default();
    let paths = text.split(|byte| *byte == b':').filter(|path| !path.is_empty());
    paths.map(|path| std::ffi::OsString::from_vec(without_mode(path).to_vec()).into()).collect()
}

fn without_mode(branch: &[u8]) -> &[u8] {
    let Some(at) = branch.iter().rposition(|byte| *byte == b'=') else { return branch };
    let mode = &branch[at + 1..];
    if [&b"RW"[..], b"RO", b"NC"].iter().any(|known| mode.starts_with(known)) {
        &branch[..at]
    } else {
        branch
    }
}

fn rough(total: u64) -> u64 {
    let drop = (u64::BITS - total.leading_zeros()).saturating_sub(DIGITS);
    total >> drop << drop
}

impl RootDir {
    /// On which branches of its pool the files of a directory lie; `None` where there is no pool,
    /// or nothing is known of its branches.
    #[must_use]
    pub fn lay(&self, dir: &RelPath, files: &[Media]) -> Option<Lay> {
        let branches = self.branches.as_ref().filter(|branches| !branches.open.is_empty())?;
        let within = branches.within.join(dir.under(Path::new("")));
        let mut on: Vec<Vec<usize>> = vec![Vec::new(); files.len()];
        for (number, (_, fd)) in branches.open.iter().enumerate() {
            let Some(fd) = fd else { continue };
            let Ok(here) = open_dir(fd.as_fd(), within.as_os_str().as_bytes()) else { continue };
            for (file, on) in files.iter().zip(&mut on) {
                let name = &*file.name;
                if statx(&here, name, AtFlags::SYMLINK_NOFOLLOW, StatxFlags::TYPE).is_ok() {
                    on.push(number);
                }
            }
        }
        if branches.is_mergerfs {
            for (file, on) in files.iter().zip(&mut on).filter(|(_, on)| on.is_empty()) {
                *on = self.ask_mergerfs(branches, &dir.join(&file.name));
            }
        }
        let ids: Vec<BranchId> = branches.open.iter().map(|(id, _)| id.clone()).collect();
        Some(Lay::new(&ids, files.iter().map(|file| &*file.name).zip(on)))
    }

    /// Branches that can't be looked at from here: mergerfs itself knows.
    fn ask_mergerfs(&self, branches: &Branches, path: &RelPath) -> Vec<usize> {
        let mut room = vec![0; ATTRIBUTE];
        let full = path.under(self.path());
        let Ok(length) = lgetxattr(&full, "user.mergerfs.allpaths", &mut room[..]) else {
            return Vec::new();
        };
        let below = branches.within.join(path.under(Path::new("")));
        let places: Vec<&[u8]> = room[..length].split(|byte| *byte == 0).collect();
        let is_on = |branch: &BranchId| {
            let place = branch.path.as_path().join(&below);
            places.contains(&place.as_os_str().as_bytes())
        };
        let ids = branches.open.iter().enumerate();
        ids.filter(|(_, (id, _))| is_on(id)).map(|(number, _)| number).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_kind_of_pool_is_known_and_a_disk_is_none() {
        for fs_type in
            ["fuse.mergerfs", "fuse.shfs", "overlay", "fuse.unionfs", "fuse.unionfs-fuse"]
        {
            assert!(is_pool(fs_type), "{fs_type}");
        }
        for fs_type in ["ext4", "fuse", "fuseblk", "fuse.sshfs", "nfs4"] {
            assert!(!is_pool(fs_type), "{fs_type}");
        }
    }

    #[test]
    fn the_mode_of_a_branch_is_left_out_and_nothing_else() {
        for (branch, path) in
            [("/d1=RW", "/d1"), ("/d=x=RO,4G", "/d=x"), ("/d=x", "/d=x"), ("/d", "/d")]
        {
            assert_eq!(without_mode(branch.as_bytes()), path.as_bytes());
        }
    }

    #[test]
    fn a_size_is_kept_roughly() {
        assert_eq!(rough(0), 0);
        assert_eq!(rough(4_000), 4_000);
        let tera = 1_u64 << 40;
        assert_eq!(rough(tera + 1), tera);
        assert!(rough(tera - 1) > tera - tera / 1_024);
    }

    #[test]
    fn the_place_of_a_root_in_its_pool_is_found_also_through_a_bind_mount() {
        let mount = |root: &str| Mount {
            id: 1,
            parent: 0,
            root: root.into(),
            point: "/mnt/pool".into(),
            fs_type: "fuse.mergerfs".into(),
            source: "x".into(),
            is_indirect: false,
        };
        assert_eq!(within(&mount("/"), Path::new("/mnt/pool/films")), Path::new("films"));
        assert_eq!(within(&mount("/"), Path::new("/mnt/pool")), Path::new(""));
        assert_eq!(
            within(&mount("/media"), Path::new("/mnt/pool/films")),
            Path::new("media/films")
        );
    }
}

//! The mount table, as `/proc/self/mountinfo` tells it. Must never guess at a line that it can't
//! read: such a line is left out.

use std::collections::HashMap;
use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// One mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Its number, which the kernel gives again to a later mount.
    pub id: u64,
    /// The mount that it lies in.
    pub parent: u64,
    /// The directory of the file system that is mounted: not `/` for bind mounts and subvolumes.
    pub root: PathBuf,
    /// Where it is mounted.
    pub point: PathBuf,
    /// File system type, e.g. `ext4`, `nfs4`, `fuse.mergerfs`.
    pub fs_type: String,
    /// What is mounted, e.g. `/dev/sdb1`, `nas:/video`.
    pub source: String,
    /// Of an autofs: whether the triggers are the directories in it, and not itself.
    pub is_indirect: bool,
}

/// All mounts of this process's mount namespace.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Mounts(pub(super) HashMap<u64, Mount>);

impl Mounts {
    /// Reads the text of `/proc/self/mountinfo`.
    #[must_use]
    pub fn parse(text: &[u8]) -> Self {
        let lines = text.split(|b| *b == b'\n').filter_map(mount);
        Self(lines.map(|mount| (mount.id, mount)).collect())
    }

    /// The mount with this number.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<&Mount> {
        self.0.get(&id)
    }

    /// Whether something is mounted right there.
    #[must_use]
    pub fn is_point(&self, path: &Path) -> bool {
        self.0.values().any(|mount| mount.point == path)
    }
}

/// `36 35 98:0 /root /point options optional... - type source super-options`
fn mount(line: &[u8]) -> Option<Mount> {
    let mut fields = line.split(|b| *b == b' ');
    let id = number(fields.next()?)?;
    let parent = number(fields.next()?)?;
    let _device = fields.next()?;
    let root = path(fields.next()?);
    let point = path(fields.next()?);
    let mut rest = fields.skip_while(|field| *field != b"-").skip(1);
    let fs_type = text(rest.next()?);
    let source = text(rest.next()?);
    let is_indirect = rest.any(|options| options.split(|b| *b == b',').any(|o| o == b"indirect"));
    Some(Mount { id, parent, root, point, fs_type, source, is_indirect })
}

fn number(field: &[u8]) -> Option<u64> {
    std::str::from_utf8(field).ok()?.parse().ok()
}

fn path(field: &[u8]) -> PathBuf {
    OsString::from_vec(unescape(field)).into()
}

fn text(field: &[u8]) -> String {
    String::from_utf8_lossy(&unescape(field)).into_owned()
}

/// Undoes `\040` and its like.
fn unescape(field: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((&first, tail)) = rest.split_first() {
        let octal = tail
            .get(..3)
            .filter(|digits| digits.iter().all(|d| (b'0'..=b'7').contains(d)) && digits[0] <= b'3');
        match octal {
            Some(digits) if first == b'\\' => {
                out.push(digits.iter().fold(0_u8, |byte, digit| byte << 3 | (digit - b'0')));
                rest = &tail[3..];
            }
            _ => {
                out.push(first);
                rest = tail;
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const TABLE: &[u8] = b"\
22 1 253:0 / / rw,relatime shared:1 - ext4 /dev/vda rw\n\
40 22 8:17 / /mnt/My\\040Disk rw,noatime shared:20 master:3 - xfs /dev/sdb1 rw,attr2\n\
41 22 8:17 /video /srv/video rw - xfs /dev/sdb1 rw\n\
42 22 0:35 / /merged rw - overlay overlay rw,lowerdir=/a:/b\n\
43 22 0:36 / /ram rw - tmpfs tmpfs rw,size=1g\n\
44 22 0:37 / /auto rw - autofs /etc/auto.misc rw,fd=6\n\
45 44 0:38 / /auto/nas rw - nfs4 nas:/v rw,vers=4.2\n\
46 22 0:39 / /mnt/pool rw - fuse.mergerfs disk1:disk2 rw\n\
47 22 0:40 /@media /mnt/b\\134c\\012d rw - btrfs /dev/sdc rw,subvol=/@media\n\
48 22 0:41 / /odd\xff rw - fuse.sshfs a\\011b rw\n\
49 46 0:42 / /mnt/pool rw - tmpfs none rw\n\
half a line\n\
50 22 0:43 / /no-separator rw ext4 /dev/x rw\n";

    fn check(id: u64, point: &[u8], root: &str, fs_type: &str, source: &str, parent: u64) {
        let mounts = Mounts::parse(TABLE);
        let mount = mounts.get(id).unwrap();
        assert_eq!(mount.point.as_os_str().as_encoded_bytes(), point);
        assert_eq!(mount.root, Path::new(root));
        assert_eq!((&*mount.fs_type, &*mount.source, mount.parent), (fs_type, source, parent));
    }

    #[test]
    fn each_kind_of_mount_is_read() {
        check(22, b"/", "/", "ext4", "/dev/vda", 1);
        check(40, b"/mnt/My Disk", "/", "xfs", "/dev/sdb1", 22);
        check(41, b"/srv/video", "/video", "xfs", "/dev/sdb1", 22);
        check(42, b"/merged", "/", "overlay", "overlay", 22);
        check(43, b"/ram", "/", "tmpfs", "tmpfs", 22);
        check(44, b"/auto", "/", "autofs", "/etc/auto.misc", 22);
        check(45, b"/auto/nas", "/", "nfs4", "nas:/v", 44);
        check(46, b"/mnt/pool", "/", "fuse.mergerfs", "disk1:disk2", 22);
        check(47, b"/mnt/b\\c\nd", "/@media", "btrfs", "/dev/sdc", 22);
        check(48, b"/odd\xff", "/", "fuse.sshfs", "a\tb", 22);
        check(49, b"/mnt/pool", "/", "tmpfs", "none", 46);
    }

    #[test]
    fn a_line_that_is_not_a_mount_is_left_out() {
        let mounts = Mounts::parse(TABLE);
        assert!(mounts.get(50).is_none());
        assert_eq!(mounts.0.len(), 11);
        assert_eq!(Mounts::parse(b""), Mounts::default());
    }

    #[test]
    fn only_whole_octal_escapes_are_undone() {
        for (field, expected) in
            [(&b"a\\040b"[..], &b"a b"[..]), (b"a\\04", b"a\\04"), (b"\\999", b"\\999")]
        {
            assert_eq!(unescape(field), expected);
        }
    }

    #[test]
    fn the_machine_s_own_table_can_be_read() {
        let mounts = Mounts::parse(&std::fs::read("/proc/self/mountinfo").unwrap());
        assert!(mounts.0.values().any(|mount| mount.point == Path::new("/")));
    }
}

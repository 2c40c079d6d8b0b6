//! A mount found below a root is a root of its own inside it: how it is named, and what its name
//! says.

use super::{RelPath, RootName, shown};

/// Names are used as file names too, which may have 255 bytes.
const LONGEST: usize = 200;

/// File systems on which changes made elsewhere give no event here.
const REMOTE: &[&str] = &[
    "nfs",
    "nfs4",
    "cifs",
    "smb3",
    "smbfs",
    "ncpfs",
    "9p",
    "ceph",
    "afs",
    "coda",
    "ocfs2",
    "gfs2",
    "lustre",
    "beegfs",
    "orangefs",
    "pvfs2",
    "glusterfs",
    "virtiofs",
    "vboxsf",
    "prl_fs",
];

/// Whether a file system of this type is on the network or made by a program: changes made past
/// this very mount give no event here, and what it shows is another's word.
#[must_use]
pub fn is_remote(fs_type: &str) -> bool {
    REMOTE.contains(&fs_type) || fs_type == "fuse" || fs_type.starts_with("fuse.")
}

impl RootName {
    /// The name of the root that is mounted at `dir` below this one; `None` when the place can't be
    /// told from a name, being too long or no plain text.
    #[must_use]
    pub fn inner(&self, dir: &RelPath) -> Option<Self> {
        let text = std::str::from_utf8(dir.as_bytes()).ok()?;
        let plain = shown(dir.as_bytes()) == text && text.len() <= LONGEST;
        Self::parse(&format!("{self}:{text}")).ok().filter(|_| plain && self.outer().is_none())
    }

    /// The configured root that this one is mounted below, and where; `None` for a configured one.
    #[must_use]
    pub fn outer(&self) -> Option<(Self, RelPath)> {
        let (outer, dir) = self.as_str().split_once(':')?;
        Some((Self::parse(outer).ok()?, RelPath::parse(dir.as_bytes()).ok()?))
    }
}

impl RelPath {
    /// `below`, seen from where this directory is.
    #[must_use]
    pub fn descend(&self, below: &Self) -> Self {
        if below.is_root() { self.clone() } else { self.join(below.as_bytes()) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_of_an_inner_root_tells_where_it_is_mounted() {
        let movies = RootName::parse("movies").unwrap();
        let check = |dir: &[u8], expected: Option<&str>| {
            let dir = RelPath::parse(dir).unwrap();
            let name = movies.inner(&dir);
            assert_eq!(name.as_ref().map(RootName::as_str), expected, "{dir}");
            if let Some(name) = name {
                assert_eq!(name.outer(), Some((movies.clone(), dir)));
            }
        };
        check(b"uhd", Some("movies:uhd"));
        check(b"uhd/4 k:x", Some("movies:uhd/4 k:x"));
        check("\u{fc}".as_bytes(), Some("movies:\u{fc}"));
        check(b"", None);
        check(b"a\nb", None);
        check(b"a\\b", None);
        check(b"\xff", None);
        check(&[b'x'; 300], None);
        assert_eq!(movies.outer(), None);
    }

    #[test]
    fn only_local_file_systems_tell_of_every_change() {
        for (fs_type, expected) in [
            ("ext4", false),
            ("xfs", false),
            ("tmpfs", false),
            ("overlay", false),
            ("fuseblk", false),
            ("nfs4", true),
            ("cifs", true),
            ("9p", true),
            ("fuse.sshfs", true),
            ("fuse.mergerfs", true),
            ("fuse", true),
        ] {
            assert_eq!(is_remote(fs_type), expected, "{fs_type}");
        }
    }
}

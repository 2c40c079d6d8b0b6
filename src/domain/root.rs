//! Roots: what identifies the file system below one, and how a look at it went.

use std::fmt;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::Pool;

/// Whether a root can be believed right now.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Health {
    /// Never adopted: no media file was seen in it yet.
    Waiting,
    /// Mounted, readable, and the one that was adopted.
    Online,
    /// Not mounted, another file system than the adopted one, or unreadable.
    Offline,
    /// Too much of it went at once.
    Suspect,
    /// A look did not answer in time.
    Stalled,
    /// An automount that has expired; looking would mount it.
    Idle,
}

impl fmt::Display for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Waiting => "waiting",
            Self::Online => "online",
            Self::Offline => "offline",
            Self::Suspect => "suspect",
            Self::Stalled => "stalled",
            Self::Idle => "idle",
        })
    }
}

/// A file system that keeps its identity over reboots, shortened to a number.
///
/// Derived from [`Identity`], never from a device number: those change at each start.
#[derive(
    Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default, Serialize, Deserialize,
)]
#[serde(transparent)]
pub struct FsId(pub u64);

/// One inode on one file system.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct FileId {
    /// The file system.
    pub fs: FsId,
    /// The inode number, which file systems use again for other files.
    pub inode: u64,
}

/// What a root's directory was found to be: recorded when the root is adopted, compared at each
/// look.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// The kernel's boot id: mount ids and device numbers mean something within one boot only.
    pub boot: String,
    /// The mount that the directory lies in (statx `STATX_MNT_ID`).
    pub mount: u64,
    /// The device number of the directory.
    pub device: u64,
    /// File system type as in mountinfo, e.g. `ext4`.
    pub fs_type: String,
    /// Mount source as in mountinfo, e.g. `/dev/sdb1`.
    pub source: String,
    /// File-system UUID, where the device has one.
    pub uuid: Option<String>,
    /// The inode of the directory, where the file system keeps inode numbers.
    pub inode: Option<u64>,
    /// When the directory was made, in nanoseconds, where nothing better tells the file system from
    /// another of its type: no two have it alike.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub born: Option<i64>,
    /// The pool that it lies on, where it lies on one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pool: Option<Box<Pool>>,
}

impl Identity {
    /// Whether `seen` is the root that was adopted as `self`.
    ///
    /// # Errors
    /// Says, for people, what is another now.
    pub fn matches(&self, seen: &Self) -> Result<(), String> {
        self.matches_alone(seen)?;
        match (&self.pool, &seen.pool) {
            (Some(was), Some(is)) => was.matches(is),
            // A pool that was not known as one before: what must be there has to be.
            (None, Some(is)) => is.whole(),
            (_, None) => Ok(()),
        }
    }

    /// The same, whatever the pool has lost.
    ///
    /// # Errors
    /// Says, for people, what is another now.
    pub fn matches_alone(&self, seen: &Self) -> Result<(), String> {
        let same_mount =
            self.boot == seen.boot && self.mount == seen.mount && self.device == seen.device;
        // Mount ids and device numbers are used again as soon as they are free, so that a new file
        // system can have those of the one before it: a UUID, where there is one, decides, and else
        // type and source.
        if !same_mount || self.uuid.is_some() == seen.uuid.is_some() {
            self.same_file_system(seen)?;
        }
        match (self.inode, seen.inode) {
            (Some(was), Some(is)) if was != is => Err(format!(
                "the directory is another one than the one adopted (inode {is} of {seen}, was \
                 inode {was})"
            )),
            _ => Ok(()),
        }
    }

    fn same_file_system(&self, seen: &Self) -> Result<(), String> {
        let same = match (&self.uuid, &seen.uuid) {
            (Some(was), Some(is)) => was == is,
            (Some(_), None) => false,
            _ if self.fs_type != seen.fs_type => false,
            _ => match (self.born, seen.born) {
                (Some(was), Some(is)) => was == is,
                _ => self.source == seen.source,
            },
        };
        if same { Ok(()) } else { Err(format!("another file system is there: {seen}, was {self}")) }
    }

    /// Whether nothing but type and name tells this root from another: a mount of another server, or
    /// of nothing, looks the same.
    #[must_use]
    pub fn is_weak(&self) -> bool {
        self.uuid.is_none() && self.inode.is_none()
    }

    /// The file system as a number that is the same after a reboot.
    #[must_use]
    pub fn file_system(&self) -> FsId {
        let text = match &self.uuid {
            Some(uuid) => format!("uuid\0{uuid}"),
            None => format!("type\0{}\0{}", self.fs_type, self.source),
        };
        // FNV-1a, written out because the number is stored and must never change.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
        });
        FsId(hash)
    }
}

impl fmt::Display for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} on {}", self.fs_type, self.source)?;
        self.uuid.as_ref().map_or(Ok(()), |uuid| write!(f, ", UUID {uuid}"))?;
        match self.pool.as_ref().map(|pool| pool.branches.len()) {
            None => Ok(()),
            Some(0) => f.write_str(", a pool of unknown branches"),
            Some(count) => write!(f, ", a pool of {count} branches"),
        }
    }
}

/// How one look at a root's own directory went.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RootLook {
    /// The directory is there and readable.
    Seen {
        /// What it was found to be.
        identity: Identity,
    },
    /// The directory is not there.
    Missing {
        /// For people.
        why: String,
    },
    /// The directory can't be opened or read, or its marker file is missing.
    Unreadable {
        /// For people.
        why: String,
    },
    /// It is on an automount that has nothing mounted now; looking would mount it.
    Idle {
        /// For people.
        why: String,
    },
    /// The look has not come back.
    NoAnswer {
        /// How long it was waited for.
        after: Duration,
    },
}

#[cfg(test)]
mod tests {
    use super::*;

    fn disk() -> Identity {
        Identity {
            boot: "b1".into(),
            mount: 40,
            device: 2049,
            fs_type: "ext4".into(),
            source: "/dev/sda1".into(),
            uuid: Some("aaaa".into()),
            inode: Some(2),
            born: None,
            pool: None,
        }
    }

    fn check(change: impl Fn(&mut Identity), expected: bool) {
        let mut seen = disk();
        change(&mut seen);
        assert_eq!(disk().matches(&seen).is_ok(), expected, "{seen:?}");
    }

    #[test]
    fn without_a_uuid_the_birth_of_the_directory_tells_one_disk_from_another() {
        let xfs = Identity { uuid: None, fs_type: "xfs".into(), born: Some(7), ..disk() };
        let moved = Identity { source: "/dev/sdb1".into(), mount: 41, ..xfs.clone() };
        assert!(xfs.matches(&moved).is_ok());
        let another = Identity { born: Some(8), mount: 41, ..xfs.clone() };
        assert!(xfs.matches(&another).is_err());
        let older = Identity { born: None, ..xfs.clone() };
        assert!(older.matches(&xfs).is_ok() && older.matches(&moved).is_err());
    }

    #[test]
    fn a_disk_is_known_again_by_its_uuid_and_never_by_device_numbers_of_another_boot() {
        check(|_| (), true);
        check(|i| (i.mount, i.device) = (77, 2065), true);
        check(|i| (i.boot, i.device) = ("b2".into(), 2065), true);
        check(|i| (i.boot, i.source) = ("b2".into(), "/dev/sdc1".into()), true);
        check(|i| (i.boot, i.uuid) = ("b2".into(), Some("bbbb".into())), false);
        check(|i| (i.mount, i.uuid, i.fs_type) = (41, None, "tmpfs".into()), false);
        check(|i| i.uuid = Some("bbbb".into()), false);
    }

    #[test]
    fn another_directory_at_the_same_place_is_not_the_root() {
        check(|i| i.inode = Some(99), false);
        check(|i| (i.boot, i.inode) = ("b2".into(), Some(99)), false);
        check(|i| i.inode = None, true);
    }

    #[test]
    fn without_a_uuid_type_and_source_decide() {
        let nas =
            Identity { uuid: None, fs_type: "nfs4".into(), source: "nas:/v".into(), ..disk() };
        let back = Identity { mount: 90, ..nas.clone() };
        let other = Identity { mount: 90, source: "nas:/w".into(), ..nas.clone() };
        let other_with_the_same_numbers = Identity { mount: nas.mount, ..other.clone() };
        assert!(nas.matches(&other_with_the_same_numbers).is_err());
        assert!(nas.matches(&back).is_ok());
        assert!(nas.matches(&other).is_err());
        assert_eq!(nas.file_system(), back.file_system());
        assert_ne!(nas.file_system(), other.file_system());
    }

    #[test]
    fn the_number_of_a_file_system_never_changes_between_versions() {
        assert_eq!(disk().file_system(), FsId(0x5b57_0d0b_4b0c_c032));
    }
}

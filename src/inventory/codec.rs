//! The stored form of a directory record.
//!
//! One byte of version, then numbers as LEB128 and names with the length that they share with the
//! name before them: names in one directory are mostly alike, and a million of them must stay small.
//!
//! ```text
//! version=1  fs:u64le  looked:zigzag  files:count  subdirs:count
//! file:   shared  (own_len << 1 | alias)  own_bytes  inode - inode_before: zigzag
//! subdir: shared  own_len  own_bytes
//! ```

use super::{Directory, Media, Name};
use crate::domain::{FsId, Timestamp};

const VERSION: u8 = 1;
/// The most names that space is set aside for before they are read: a damaged count must not take
/// all memory.
const TRUSTED_COUNT: usize = 4_096;

/// A stored record that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the record is damaged: {0}")]
pub struct BadRecord(&'static str);

/// Writes a record.
#[must_use]
pub fn encode(directory: &Directory) -> Vec<u8> {
    let mut out = Vec::with_capacity(32 + directory.files.len() * 24);
    out.push(VERSION);
    out.extend_from_slice(&directory.fs.0.to_le_bytes());
    put(&mut out, zigzag(directory.looked.as_millis()));
    put(&mut out, directory.files.len() as u64);
    put(&mut out, directory.subdirs.len() as u64);
    let (mut before, mut inode): (&[u8], u64) = (&[], 0);
    for file in &directory.files {
        let shared = shared_prefix(before, &file.name);
        let own = &file.name[shared..];
        put(&mut out, shared as u64);
        put(&mut out, (own.len() as u64) << 1 | u64::from(file.alias));
        out.extend_from_slice(own);
        put(&mut out, zigzag(file.inode.wrapping_sub(inode).cast_signed()));
        (before, inode) = (&file.name, file.inode);
    }
    before = &[];
    for name in &directory.subdirs {
        let shared = shared_prefix(before, name);
        put(&mut out, shared as u64);
        put(&mut out, (name.len() - shared) as u64);
        out.extend_from_slice(&name[shared..]);
        before = name;
    }
    out
}

/// Reads a record.
///
/// # Errors
/// [`BadRecord`] on anything that [`encode`] does not write.
pub fn decode(bytes: &[u8]) -> Result<Directory, BadRecord> {
    let mut input = Input(bytes);
    let (fs, looked) = input.head()?;
    let (file_count, subdir_count) = (input.count()?, input.count()?);
    let mut files: Vec<Media> = Vec::with_capacity(file_count.min(TRUSTED_COUNT));
    let mut inode = 0_u64;
    for _ in 0..file_count {
        let shared = input.count()?;
        let length = input.count()?;
        let before: &[u8] = files.last().map_or(&[], |file| &file.name);
        let name = input.name(before, shared, length >> 1)?;
        inode = inode.wrapping_add(unzigzag(input.number()?).cast_unsigned());
        files.push(Media { name, inode, alias: length & 1 == 1 });
    }
    let mut subdirs: Vec<Name> = Vec::with_capacity(subdir_count.min(TRUSTED_COUNT));
    for _ in 0..subdir_count {
        let (shared, length) = (input.count()?, input.count()?);
        let before: &[u8] = subdirs.last().map_or(&[], |name| name);
        let name = input.name(before, shared, length)?;
        subdirs.push(name);
    }
    if !input.0.is_empty() {
        return Err(BadRecord("bytes left over"));
    }
    let ordered = files.is_sorted_by(|a, b| a.name < b.name) && subdirs.is_sorted_by(|a, b| a < b);
    if !ordered {
        return Err(BadRecord("names out of order"));
    }
    Ok(Directory { fs, looked, files, subdirs })
}

/// The number of media files in a stored record, without reading its names.
///
/// # Errors
/// [`BadRecord`] when not even that can be read.
pub fn count_files(bytes: &[u8]) -> Result<u64, BadRecord> {
    let mut input = Input(bytes);
    input.head()?;
    input.number()
}

struct Input<'a>(&'a [u8]);

impl<'a> Input<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], BadRecord> {
        let (head, rest) = self.0.split_at_checked(count).ok_or(BadRecord("cut off"))?;
        self.0 = rest;
        Ok(head)
    }

    fn head(&mut self) -> Result<(FsId, Timestamp), BadRecord> {
        if self.take(1)? != [VERSION] {
            return Err(BadRecord("unknown version"));
        }
        let fs = self.take(8)?.try_into().map_err(|_| BadRecord("cut off"))?;
        let looked = Timestamp::from_millis(unzigzag(self.number()?));
        Ok((FsId(u64::from_le_bytes(fs)), looked))
    }

    fn number(&mut self) -> Result<u64, BadRecord> {
        let mut number = 0_u64;
        for shift in (0..70).step_by(7) {
            let byte = self.take(1)?[0];
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(BadRecord("a number is too large"))
    }

    fn count(&mut self) -> Result<usize, BadRecord> {
        usize::try_from(self.number()?).map_err(|_| BadRecord("a number is too large"))
    }

    fn name(&mut self, before: &[u8], shared: usize, own: usize) -> Result<Name, BadRecord> {
        let head = before.get(..shared).ok_or(BadRecord("a name shares more than there is"))?;
        let own = self.take(own)?;
        let name: Name = [head, own].concat().into();
        if name.is_empty() || name.contains(&b'/') || name.contains(&0) {
            return Err(BadRecord("not a file name"));
        }
        Ok(name)
    }
}

fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    out.push((number & 0x7f) as u8);
}

fn zigzag(number: i64) -> u64 {
    (number << 1 ^ number >> 63).cast_unsigned()
}

fn unzigzag(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -(number & 1).cast_signed()
}

fn shared_prefix(a: &[u8], b: &[u8]) -> usize {
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn directories() -> impl Strategy<Value = Directory> {
        let name = proptest::collection::vec(1_u8..=255, 1..12).prop_map(|n| {
            n.into_iter().map(|b| if b == b'/' { b'_' } else { b }).collect::<Name>()
        });
        let files =
            proptest::collection::btree_map(name.clone(), (any::<u64>(), any::<bool>()), 0..9);
        let subdirs = proptest::collection::btree_set(name, 0..5);
        (any::<u64>(), any::<i64>(), files, subdirs).prop_map(|(fs, at, files, subdirs)| {
            Directory {
                fs: FsId(fs),
                looked: Timestamp::from_millis(at),
                files: files
                    .into_iter()
                    .map(|(name, (inode, alias))| Media { name, inode, alias })
                    .collect(),
                subdirs: subdirs.into_iter().collect(),
            }
        })
    }

    proptest! {
        #[test]
        fn a_record_reads_back_as_it_was_written(directory in directories()) {
            prop_assert_eq!(count_files(&encode(&directory)), Ok(directory.files.len() as u64));
            prop_assert_eq!(decode(&encode(&directory)), Ok(directory));
        }

        #[test]
        fn damaged_bytes_never_panic_and_cut_records_are_refused(
            directory in directories(), at in any::<prop::sample::Index>(), bits in 1_u8..,
        ) {
            let mut bytes = encode(&directory);
            let at = at.index(bytes.len());
            prop_assert!(decode(&bytes[..at]).is_err());
            bytes[at] ^= bits;
            let _either_way = decode(&bytes);
        }

        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..64)) {
            let _either_way = decode(&bytes);
        }
    }

    #[test]
    fn the_stored_form_of_version_1_never_changes() {
        let directory = Directory {
            fs: FsId(7),
            looked: Timestamp::from_millis(-2),
            files: vec![
                Media { name: b"ab.mkv"[..].into(), inode: 300, alias: false },
                Media { name: b"ac.bak"[..].into(), inode: 299, alias: true },
            ],
            subdirs: vec![b"x"[..].into()],
        };
        let expected =
            b"\x01\x07\0\0\0\0\0\0\0\x03\x02\x01\x00\x0cab.mkv\xd8\x04\x01\x0bc.bak\x01\x00\x01x";
        assert_eq!(encode(&directory), expected);
    }
}

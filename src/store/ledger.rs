//! The append-only file of what was decided: JSON lines, each synced before it counts.
//!
//! It is the embedded tracker, and what is left when the store is lost. A line is never changed.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};

use super::error::{Healed, LedgerError};
use crate::domain::{Entry, Timestamp};

/// The version of the lines.
const VERSION: u32 = 1;

/// One line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Line {
    /// The version of its form.
    pub v: u32,
    /// When it was written.
    pub at: Timestamp,
    /// What it tells.
    #[serde(flatten)]
    pub event: Event,
}

/// What a line tells.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum Event {
    /// A deletion that the embedded tracker has accepted.
    Deletion {
        /// The entry.
        entry: Box<Entry>,
    },
    /// A person decided something.
    Verb {
        /// What: `accept` or `retire`.
        verb: String,
        /// About what.
        subject: String,
    },
    /// Something that a newer version has written.
    #[serde(other)]
    Unknown,
}

/// The open file.
#[derive(Debug)]
pub struct Ledger {
    path: PathBuf,
    file: File,
    /// Where the file must end: behind it is what an append that failed has left there.
    torn: Option<u64>,
    calls: Calls,
}

/// What a disk that fails refuses; tests put refusals of their own here.
#[derive(Debug, Clone, Copy)]
struct Calls {
    sync: fn(&File) -> io::Result<()>,
    cut: fn(&File, u64) -> io::Result<()>,
}

const SYSTEM: Calls = Calls { sync: File::sync_data, cut: File::set_len };

impl Ledger {
    /// Opens or makes the ledger in `dir` and reads all of it. A torn last line is cut off and kept
    /// beside it.
    ///
    /// # Errors
    /// When it can't be read or written.
    pub fn open(dir: &Path, now: Timestamp) -> Result<(Self, Vec<Line>, Vec<Healed>), LedgerError> {
        let path = dir.join("ledger.jsonl");
        let fail = |doing| {
            let path = path.clone();
            move |source| LedgerError { path, doing, source }
        };
        let mut file = open_file(&path).map_err(fail("opened"))?;
        // Its lines are synced one by one; that it is there at all is for the directory to keep.
        sync_dir(dir).map_err(fail("opened"))?;
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(fail("read"))?;
        let mut healed = Vec::new();
        let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if whole < bytes.len() {
            let aside = dir.join(format!("ledger.damaged-{}", stamp(now)));
            keep(&aside, &bytes[whole..]).map_err(fail("repaired"))?;
            sync_dir(dir).map_err(fail("repaired"))?;
            file.set_len(whole as u64).map_err(fail("repaired"))?;
            file.sync_data().map_err(fail("repaired"))?;
            healed.push(Healed::TornLine { aside });
        }
        let mut lines = Vec::new();
        for (number, line) in bytes[..whole].split_inclusive(|byte| *byte == b'\n').enumerate() {
            match serde_json::from_slice::<Line>(line) {
                Ok(line) => lines.push(line),
                Err(error) => healed.push(Healed::BadLine {
                    file: path.clone(),
                    line: number + 1,
                    why: error.to_string(),
                }),
            }
        }
        Ok((Self { path, file, torn: None, calls: SYSTEM }, lines, healed))
    }

    /// Appends an accepted deletion; when this returns it survives a power cut.
    ///
    /// # Errors
    /// When it could not be written whole: then nothing of it is left.
    pub fn append_deletion(&mut self, entry: &Entry, at: Timestamp) -> Result<(), LedgerError> {
        let event = Event::Deletion { entry: Box::new(entry.clone()) };
        self.append(&Line { v: VERSION, at, event })
    }

    /// Appends a person's decision; it may take effect when this returns.
    ///
    /// # Errors
    /// When it could not be written whole: then nothing of it is left.
    pub fn append_verb(
        &mut self,
        verb: &str,
        subject: &str,
        at: Timestamp,
    ) -> Result<(), LedgerError> {
        let event = Event::Verb { verb: verb.to_owned(), subject: subject.to_owned() };
        self.append(&Line { v: VERSION, at, event })
    }

    /// Cuts off what an append that failed has left. Until that is done nothing is appended: what
    /// was left could be a whole line, and be told twice.
    ///
    /// # Errors
    /// When it can't be cut off yet.
    pub fn mend(&mut self) -> Result<(), LedgerError> {
        let Some(end) = self.torn else { return Ok(()) };
        let cut = (self.calls.cut)(&self.file, end).and_then(|()| (self.calls.sync)(&self.file));
        cut.map_err(|source| self.fail("repaired", source))?;
        self.torn = None;
        Ok(())
    }

    fn append(&mut self, line: &Line) -> Result<(), LedgerError> {
        let mut bytes =
            serde_json::to_vec(line).map_err(|error| self.fail("written", error.into()))?;
        bytes.push(b'\n');
        self.mend()?;
        let end = self.prepare(&mut bytes).map_err(|source| self.fail("written", source))?;
        self.torn = Some(end);
        let written = self.file.write_all(&bytes).and_then(|()| (self.calls.sync)(&self.file));
        match written {
            Ok(()) => {
                self.torn = None;
                Ok(())
            }
            Err(source) => {
                // If it can't be cut off now, it is before the next line.
                drop(self.mend());
                Err(self.fail("written", source))
            }
        }
    }

    /// Goes to the end of the file. Somebody may have moved it away or cut it since: what is
    /// appended must be found at its path, behind whole lines.
    fn prepare(&mut self, bytes: &mut Vec<u8>) -> io::Result<u64> {
        let there = fs::metadata(&self.path).map(|meta| (meta.dev(), meta.ino())).ok();
        let ours = self.file.metadata().map(|meta| (meta.dev(), meta.ino())).ok();
        if there.is_none() || there != ours {
            self.file = open_file(&self.path)?;
            sync_dir(self.path.parent().unwrap_or(Path::new(".")))?;
        }
        let end = self.file.seek(SeekFrom::End(0))?;
        if end > 0 {
            let mut last = [0];
            self.file.read_exact_at(&mut last, end - 1)?;
            if last != *b"\n" {
                bytes.insert(0, b'\n');
            }
        }
        Ok(end)
    }

    fn fail(&self, doing: &'static str, source: io::Error) -> LedgerError {
        LedgerError { path: self.path.clone(), doing, source }
    }
}

impl Drop for Ledger {
    /// The last chance before the next start, which would take a whole line for one that counts.
    fn drop(&mut self) {
        drop(self.mend());
    }
}

/// Opens or makes the file, and takes its lock: two that append to it would tear each other's
/// lines.
fn open_file(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o640)
        .open(path)?;
    flock(&file, FlockOperation::NonBlockingLockExclusive)?;
    Ok(file)
}

/// A new name in a directory survives a power cut only when the directory is synced too.
fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

fn keep(path: &Path, bytes: &[u8]) -> io::Result<()> {
    fs::write(path, bytes)?;
    File::open(path)?.sync_data()
}

/// A moment as a part of a file name.
pub(super) fn stamp(now: Timestamp) -> String {
    now.to_string().chars().filter(char::is_ascii_alphanumeric).collect()
}

#[cfg(test)]
mod tests {
    use super::super::testing::entry;
    use super::*;

    fn open(dir: &Path) -> (Ledger, Vec<Line>, Vec<Healed>) {
        Ledger::open(dir, Timestamp::from_millis(0)).unwrap()
    }

    #[test]
    fn what_was_appended_is_read_again() {
        let dir = tempfile::tempdir().unwrap();
        let (mut ledger, lines, healed) = open(dir.path());
        assert!(lines.is_empty() && healed.is_empty());
        for number in 0..3 {
            ledger.append_deletion(&entry(number), Timestamp::from_millis(number)).unwrap();
        }
        drop(ledger);
        let (_, lines, healed) = open(dir.path());
        assert!(healed.is_empty());
        assert_eq!(lines[2].event, Event::Deletion { entry: Box::new(entry(2)) });
        assert_eq!(lines.len(), 3);
    }

    #[test]
    fn a_file_that_was_moved_away_cut_or_added_to_is_appended_to_all_the_same() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        let mut ledger = open(dir.path()).0;
        let mut append = |number| ledger.append_deletion(&entry(number), Timestamp::default());
        append(1).unwrap();
        fs::rename(&path, dir.path().join("ledger.jsonl.1")).unwrap();
        append(2).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap().lines().count(), 1);
        fs::write(&path, "").unwrap();
        append(3).unwrap();
        fs::write(&path, "no end").unwrap();
        append(4).unwrap();
        assert!(fs::read_to_string(&path).unwrap().starts_with("no end\n{"));
    }

    #[test]
    fn a_line_that_could_neither_be_synced_nor_cut_off_is_never_there_twice() {
        let refuse = |_: &File| Err(io::Error::from_raw_os_error(5));
        let dir = tempfile::tempdir().unwrap();
        let text = || fs::read_to_string(dir.path().join("ledger.jsonl")).unwrap();
        let mut ledger = open(dir.path()).0;
        ledger.append_deletion(&entry(1), Timestamp::default()).unwrap();
        ledger.calls = Calls { sync: refuse, cut: |_, _| Err(io::Error::from_raw_os_error(5)) };
        ledger.append_deletion(&entry(2), Timestamp::default()).unwrap_err();
        let left = text();
        assert_eq!(left.lines().count(), 2, "it is there, and must not count");
        // The disk writes again and still can't cut: nothing may come behind it.
        ledger.calls.sync = SYSTEM.sync;
        ledger.append_deletion(&entry(2), Timestamp::default()).unwrap_err();
        ledger.append_deletion(&entry(3), Timestamp::default()).unwrap_err();
        assert_eq!(text(), left);
        ledger.calls.cut = SYSTEM.cut;
        ledger.append_deletion(&entry(2), Timestamp::default()).unwrap();
        assert_eq!(text(), left);
        ledger.calls = Calls { sync: refuse, ..SYSTEM };
        ledger.append_deletion(&entry(3), Timestamp::default()).unwrap_err();
        ledger.calls = SYSTEM;
        drop(ledger);
        let (_, lines, healed) = open(dir.path());
        assert_eq!((lines.len(), healed.len()), (2, 0));
    }

    #[test]
    fn a_torn_last_line_is_set_aside_and_the_next_append_is_well_formed() {
        let dir = tempfile::tempdir().unwrap();
        open(dir.path()).0.append_deletion(&entry(1), Timestamp::default()).unwrap();
        let path = dir.path().join("ledger.jsonl");
        let whole = fs::read(&path).unwrap();
        for cut in [1, 7, whole.len() - 1] {
            let mut torn = whole.clone();
            torn.extend_from_slice(&whole[..cut]);
            fs::write(&path, &torn).unwrap();
            let (mut ledger, lines, healed) = open(dir.path());
            assert_eq!(lines.len(), 1);
            let [Healed::TornLine { aside }] = &healed[..] else { panic!("{healed:?}") };
            assert_eq!(fs::read(aside).unwrap(), &whole[..cut]);
            ledger.append_deletion(&entry(2), Timestamp::default()).unwrap();
            drop(ledger);
            assert_eq!(open(dir.path()).1.len(), 2);
        }
    }

    #[test]
    fn a_bad_line_in_the_middle_is_named_and_left_and_so_is_one_from_the_future() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("ledger.jsonl");
        open(dir.path()).0.append_deletion(&entry(1), Timestamp::default()).unwrap();
        let good = fs::read_to_string(&path).unwrap();
        let future = "{\"v\":2,\"at\":\"2030-01-01T00:00:00Z\",\"event\":\"nudge\",\"x\":1}\n";
        let text = format!("{good}garbage\n{future}{good}");
        fs::write(&path, &text).unwrap();
        let (_, lines, healed) = open(dir.path());
        assert_eq!(lines.len(), 3);
        assert_eq!(lines[1].event, Event::Unknown);
        assert!(matches!(&healed[..], [Healed::BadLine { line: 2, .. }]), "{healed:?}");
        assert_eq!(fs::read_to_string(&path).unwrap(), text);
    }
}

//! What all benches share: a place, a tree, the built daemon, the floor, and how figures are said.
//!
//! A bench measures the built binary from outside, and in the same run what no program could do
//! without: a bare walk and one `inotify_add_watch` a directory. Seconds are of the machine, ratios
//! are of the program. Must never print a budget as met that was not measured at full size.
#![allow(dead_code, reason = "each bench uses its own part")]
#![allow(clippy::print_stdout, reason = "figures are what a bench is for")]

pub(crate) mod daemon;
pub(crate) mod floor;
pub(crate) mod peers;

#[path = "../../examples/make-library/library.rs"]
mod library;

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, Result};
use obituarr::clock::{Clock, SystemClock};
use tempfile::TempDir;

pub(crate) use library::Plain;

/// A directory of its own for one bench, gone when it ends.
pub(crate) struct Place {
    dir: TempDir,
    clock: SystemClock,
    full: bool,
}

impl Place {
    /// Below `OBITUARR_BENCH_DIR`, or where temporary files go. Large only with
    /// `OBITUARR_BENCH=full`.
    pub(crate) fn new() -> Result<Self> {
        let above = std::env::var_os("OBITUARR_BENCH_DIR").map(PathBuf::from);
        let above = above.unwrap_or_else(std::env::temp_dir);
        let dir = tempfile::tempdir_in(&above).with_context(|| above.display().to_string())?;
        let full = std::env::var_os("OBITUARR_BENCH").is_some_and(|size| size == "full");
        if !full {
            println!("at the size of a smoke test: OBITUARR_BENCH=full measures");
        }
        Ok(Self { dir, clock: SystemClock::new(), full })
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn is_full(&self) -> bool {
        self.full
    }

    /// The full size, or the one of a smoke test.
    pub(crate) fn size(&self, full: usize, smoke: usize) -> usize {
        if self.full { full } else { smoke }
    }

    /// Makes a tree of so many title folders with so many files each.
    pub(crate) fn tree(&self, name: &str, dirs: usize, files: usize) -> Result<PathBuf> {
        let path = self.path(name);
        fs::create_dir_all(&path)?;
        Plain { dirs, files }.write(&path).with_context(|| path.display().to_string())?;
        println!("\n{name}: {dirs} folders, {} files", dirs * files);
        Ok(path)
    }

    pub(crate) fn now(&self) -> Duration {
        self.clock.monotonic()
    }

    /// How long something takes, and what it brings.
    pub(crate) fn time<T>(&self, work: impl FnOnce() -> Result<T>) -> Result<(Duration, T)> {
        let began = self.now();
        let brought = work()?;
        Ok((self.now() - began, brought))
    }

    /// The middle one of three times, since other programs run beside.
    pub(crate) fn median(&self, mut work: impl FnMut() -> Result<Duration>) -> Result<Duration> {
        let rounds = self.size(3, 1);
        let mut times = (0..rounds).map(|_| work()).collect::<Result<Vec<_>>>()?;
        times.sort();
        times.get(rounds / 2).copied().context("no rounds")
    }

    /// Says a time as a ratio to the floor of the same run, beside its budget if it has one.
    pub(crate) fn say_ratio(
        &self,
        what: &str,
        took: Duration,
        floor: Duration,
        budget: Option<f64>,
    ) {
        let ratio = took.as_secs_f64() / floor.as_secs_f64().max(1e-9);
        let verdict = budget.map(|most| self.verdict(ratio, most, "x")).unwrap_or_default();
        println!("{what}: {:.2} s = {ratio:.2} x the floor{verdict}", took.as_secs_f64());
    }

    /// Says a figure beside its budget.
    pub(crate) fn say(&self, what: &str, figure: f64, unit: &str, budget: Option<f64>) {
        let verdict = budget.map(|most| self.verdict(figure, most, unit)).unwrap_or_default();
        println!("{what}: {figure:.2} {unit}{verdict}");
    }

    fn verdict(&self, figure: f64, most: f64, unit: &str) -> String {
        let said = match (self.full, figure <= most) {
            (false, _) => "not judged at this size",
            (true, true) => "met",
            (true, false) => "MISSED",
        };
        format!(" (budget {most} {unit}: {said})")
    }
}

/// The bytes of all files at or below a directory, in MiB.
pub(crate) fn size_of(dir: &Path) -> Result<f64> {
    let (mut bytes, mut dirs) = (0_u64, vec![dir.to_path_buf()]);
    while let Some(dir) = dirs.pop() {
        for entry in fs::read_dir(&dir)? {
            let entry = entry?;
            match entry.file_type()? {
                kind if kind.is_dir() => dirs.push(entry.path()),
                kind if kind.is_file() => bytes += entry.metadata()?.len(),
                _ => {}
            }
        }
    }
    Ok(mebibytes(bytes))
}

#[allow(clippy::cast_precision_loss, reason = "a figure for people")]
pub(crate) fn mebibytes(bytes: u64) -> f64 {
    bytes as f64 / 1_048_576.0
}

/// What a process holds resident, in MiB.
pub(crate) fn resident(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmRSS")?;
    Ok(mebibytes(kib.trim().parse::<u64>()? * 1_024))
}

/// The most that a process held resident so far, in MiB.
pub(crate) fn peak(pid: u32) -> Result<f64> {
    let status = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().strip_suffix(" kB")).context("no VmHWM")?;
    Ok(mebibytes(kib.trim().parse::<u64>()? * 1_024))
}

/// The processor time that a process took so far. The kernel counts it in hundredths of a second.
pub(crate) fn processor(pid: u32) -> Result<Duration> {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat"))?;
    let (_, fields) = stat.rsplit_once(')').context("no name in stat")?;
    let ticks = fields.split_whitespace().skip(11).take(2);
    let ticks = ticks.map(str::parse::<u64>).sum::<Result<u64, _>>()?;
    Ok(Duration::from_millis(ticks * 10))
}

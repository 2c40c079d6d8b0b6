//! Makes a media library to try obituarr on: `cargo run --release --example make-library -- DIR`.
#![allow(clippy::print_stdout, reason = "a summary or a manifest is what this program is for")]

mod library;

use std::fs;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail};
use clap::Parser;
use library::{Kind, Library, Plain, Size};

/// Makes a library of invented films and series, the same for the same seed.
#[derive(Parser)]
struct Args {
    /// Films to make below DIR/movies.
    #[arg(long, default_value_t = 300)]
    films: usize,
    /// Series to make below DIR/shows and DIR/anime/shows.
    #[arg(long, default_value_t = 40)]
    series: usize,
    /// What the titles are drawn from.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Also make a large plain tree below DIR/plain.
    #[arg(long, num_args = 2, value_names = ["DIRS", "FILES_PER_DIR"])]
    plain: Vec<usize>,
    /// Print the manifest instead of the summary.
    #[arg(long)]
    json: bool,
    /// A directory that is empty or does not exist.
    dir: PathBuf,
}

fn main() -> Result<()> {
    let args = Args::parse();
    make_ready(&args.dir)?;
    let library = Library::plan(Size { films: args.films, series: args.series, seed: args.seed });
    let shown = args.dir.display();
    library.write(&args.dir).with_context(|| format!("making the library in {shown}"))?;
    let plain = match args.plain[..] {
        [dirs, files] => Plain { dirs, files },
        _ => Plain { dirs: 0, files: 0 },
    };
    plain.write(&args.dir).with_context(|| format!("making the plain tree in {shown}"))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&library)?);
        return Ok(());
    }
    let count = |kind: Kind| library.titles.iter().filter(|title| title.kind == kind).count();
    println!(
        "{shown}: {} films, {} series, {} files; plain: {} folders, {} files",
        count(Kind::Film),
        count(Kind::Series),
        library.files().count(),
        plain.dirs,
        plain.dirs * plain.files,
    );
    Ok(())
}

/// Refuses a directory that holds anything: it may be somebody's library.
fn make_ready(dir: &Path) -> Result<()> {
    match fs::read_dir(dir).map(|mut entries| entries.next().is_none()) {
        Ok(true) => Ok(()),
        Ok(false) => bail!("{} is not empty; name a new or an empty directory", dir.display()),
        Err(error) if error.kind() == ErrorKind::NotFound => {
            fs::create_dir_all(dir).with_context(|| format!("making {}", dir.display()))
        }
        Err(error) => Err(error).with_context(|| format!("reading {}", dir.display())),
    }
}

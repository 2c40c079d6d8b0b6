//! The binary: parse, dispatch, choose the exit code.

use std::process::ExitCode;

use clap::Parser;

fn main() -> ExitCode {
    obituarr::cli::dispatch(obituarr::cli::Cli::parse()).into()
}

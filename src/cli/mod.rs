//! Turns arguments into one call, and a result into text or JSON.
//!
//! It can't open the store: that belongs to the running daemon, which is asked over its sockets.

mod apart;
mod args;
mod ask;
mod check;
mod check_config;
mod dirs;
mod exit;
mod online;
mod outside;
mod run;
mod show;
mod verbs;

pub use args::{Cli, Command, Places, RunArgs};
pub use exit::Exit;

use std::io::{self, Write};

/// Does what the command line says.
#[must_use]
pub fn dispatch(cli: Cli) -> Exit {
    match cli.command {
        Command::Run(args) => run::run(&cli.places, &args),
        Command::CheckConfig { print, online, run } => {
            check_config::check_config(&cli.places, &run, print, online)
        }
        other => ask::ask(&cli.places, other),
    }
}

/// Writes to standard output; a reader who has gone away (`| head`) is no error.
fn print(text: &str) {
    match io::stdout().lock().write_all(text.as_bytes()) {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => complain(&error.to_string()),
        _ => {}
    }
}

/// Writes one error to standard error.
fn complain(text: &str) {
    // Nobody is left to be told when this fails.
    drop(writeln!(io::stderr().lock(), "obituarr: {text}"));
}

//! The command line.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Parser, Subcommand};

use crate::config::{LogFormat, LogLevel};

/// Tells your request tracker when media has died, once it is certain, and says why.
#[derive(Debug, Parser)]
#[command(name = "obituarr", version, max_term_width = 100)]
#[command(after_help = "Examples:\n  \
    obituarr run --root ~/Videos        watch a directory, without any configuration\n  \
    obituarr status                     ask the running daemon how things are\n  \
    obituarr deletions --json           what has died, newest first\n  \
    obituarr explain \"The Matrix\"       what is known of a title, and why\n\n\
    Exit codes: 0 ok, 1 failed, 2 wrong usage, 66 no such root, 69 not running, 73 directory can't\n\
    be written, 74 state directory fails, 75 already running, 76 store is newer, 77 denied,\n\
    78 wrong configuration.")]
pub struct Cli {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where things are.
    #[command(flatten)]
    pub places: Places,
}

/// Options that every command takes.
#[derive(Debug, Clone, Args)]
pub struct Places {
    /// The configuration file [default: obituarr.toml in $CONFIGURATION_DIRECTORY, /etc/obituarr or
    /// ~/.config/obituarr]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Where the store and the ledger are kept [default: $STATE_DIRECTORY, else
    /// ~/.local/state/obituarr]
    #[arg(long, global = true, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,
    /// Where the sockets are [default: $RUNTIME_DIRECTORY, else $XDG_RUNTIME_DIR/obituarr, else
    /// `run` in the state directory]
    #[arg(long, global = true, value_name = "DIR")]
    pub runtime_dir: Option<PathBuf>,
    /// Print JSON
    #[arg(long, global = true)]
    pub json: bool,
}

/// What can be done.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Watch, make sure, remember, tell: the daemon itself
    #[command(after_help = "Examples:\n  obituarr run --root /srv/movies --root /srv/shows\n  \
        obituarr run --config /etc/obituarr/obituarr.toml\n\n\
        Signals: SIGTERM and SIGINT stop it, SIGHUP reads the configuration again, SIGUSR1 looks at\n\
        everything now.")]
    Run(RunArgs),
    /// Show how the daemon and its roots are
    Status,
    /// Show what is under review, and why it is not decided
    Candidates,
    /// Show what has died, newest first
    Deletions {
        /// Show at most so many
        #[arg(long, value_name = "N")]
        limit: Option<usize>,
    },
    /// Tell the story of a title, a path or a root
    #[command(after_help = "Examples:\n  obituarr explain Matrix\n  \
        obituarr explain '/srv/movies/The Matrix (1999)'\n  obituarr explain movies")]
    Explain {
        /// A part of the title, a path, an item's key, or the name of a root
        #[arg(value_name = "WHAT")]
        what: String,
    },
    /// Look at everything and list every service now, and wait for the result
    #[command(
        after_help = "With --json each line is a JSON object: `progress` while it lasts, `result` as the\n\
        last.\n\nExit codes: 0 all well, 1 something is missing, 2 could not tell."
    )]
    Check,
    /// Say that a root, or what a service lists, is right as it is now
    #[command(after_help = "Shows what would be looked at again and reported, and asks.\n\n\
        Examples:\n  obituarr accept movies\n  obituarr accept radarr.uhd --yes")]
    Accept {
        /// The name of a root, or a service with the name of its instance
        #[arg(value_name = "ROOT|SERVICE")]
        root: String,
        /// Do not ask
        #[arg(long, short)]
        yes: bool,
    },
    /// Say that a root, or a disk of a pool, will not come back
    #[command(
        after_help = "Without --yes it only shows what would be reported as lost with its disk.\n\n\
        Examples:\n  obituarr retire movies\n  obituarr retire /mnt/d2 --yes"
    )]
    Retire {
        /// The name of a root, or the path of a branch as `status` names it
        #[arg(value_name = "ROOT|BRANCH")]
        what: String,
        /// Do it
        #[arg(long, short)]
        yes: bool,
    },
    /// Check the configuration, without starting anything
    #[command(after_help = "Examples:\n  obituarr check-config --config ./obituarr.toml\n  \
        obituarr check-config --online         ask each service, and look for its paths here\n  \
        obituarr check-config --online --json  the same for programs\n\n\
        With --online, of each service: whether it answers and accepts its key, what it lists, how\n\
        much of that is found on the disks, and which line of the configuration would be right. It\n\
        changes nothing, and works with and without the daemon.\n\n\
        Exit codes: 0 all well, 1 something has to be put right, 2 could not tell, 66 a root is not\n\
        there, 78 the configuration is wrong.")]
    CheckConfig {
        /// Print the configuration that is in effect
        #[arg(long)]
        print: bool,
        /// Ask every service too, and look for what it lists on the disks
        #[arg(long)]
        online: bool,
        /// What would be given to `run`.
        #[command(flatten)]
        run: RunArgs,
    },
}

/// What `run` takes besides.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// A directory with media; may be given more than once, and replaces the roots of the file
    #[arg(long = "root", value_name = "DIR")]
    pub roots: Vec<PathBuf>,
    /// How long something must be quiet before it is looked into, e.g. `60s`
    #[arg(long, value_name = "TIME", value_parser = humantime::parse_duration)]
    pub settle: Option<Duration>,
    /// The form of log lines: auto, text, json or journal
    #[arg(long, value_name = "FORM")]
    pub log: Option<LogFormat>,
    /// How much is logged: error, warn, info, debug or trace
    #[arg(long, value_name = "LEVEL")]
    pub log_level: Option<LogLevel>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn what_ends_a_hold_names_only_verbs_that_there_are() {
        let command = Cli::command();
        for hold in crate::domain::Hold::one_of_each() {
            let text = hold.ends();
            for verb in text.split('`').skip(1).step_by(2) {
                assert!(command.find_subcommand(verb).is_some(), "{verb}: {text}");
            }
        }
    }

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn options_may_stand_before_and_behind_the_command() {
        for args in [
            ["obituarr", "--json", "status", "--state-dir", "/s"],
            ["obituarr", "--state-dir", "/s", "status", "--json"],
        ] {
            let cli = Cli::try_parse_from(args).unwrap();
            assert!(cli.places.json && cli.places.state_dir.is_some());
        }
    }
}

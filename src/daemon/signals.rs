//! Signals, as events for the loop.

use std::io;

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM, SIGUSR1};
use signal_hook::iterator::Signals;
use tokio::sync::mpsc;

/// What a signal asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Signal {
    /// SIGTERM, SIGINT: end, in order.
    Stop,
    /// SIGHUP: read the configuration again.
    Reload,
    /// SIGUSR1: look at everything now.
    Check,
}

/// Begins to listen to signals, on a thread of its own.
pub(super) fn listen() -> io::Result<mpsc::Receiver<Signal>> {
    let (sender, receiver) = mpsc::channel(8);
    let mut signals = Signals::new([SIGTERM, SIGINT, SIGHUP, SIGUSR1])?;
    std::thread::Builder::new().name("signals".to_owned()).spawn(move || {
        for signal in signals.forever() {
            let meaning = match signal {
                SIGHUP => Signal::Reload,
                SIGUSR1 => Signal::Check,
                _ => Signal::Stop,
            };
            if sender.blocking_send(meaning).is_err() {
                return;
            }
        }
    })?;
    Ok(receiver)
}

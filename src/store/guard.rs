//! Turns a panic of the storage engine into an error.
//!
//! sled gives up with a panic where files are damaged in ways that it did not expect. Here such a
//! panic is caught, and its text goes into an error instead of to standard error. For the second,
//! this room adds to the process's panic hook, once: a panic inside [`guarded`], and one of sled's
//! own threads while a store is opened, is not printed; all others go to the hook that was there.

use std::cell::Cell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;
use std::sync::atomic::{AtomicUsize, Ordering};

static HOOK: Once = Once::new();
static OPENING: AtomicUsize = AtomicUsize::new(0);

thread_local! {
    static GUARDED: Cell<bool> = const { Cell::new(false) };
}

/// The engine gave up.
#[derive(Debug, thiserror::Error)]
#[error("the storage engine gave up: {0}")]
pub(super) struct GaveUp(String);

/// Runs `work`; a panic in it comes back as an error.
pub(super) fn guarded<T>(work: impl FnOnce() -> T) -> Result<T, GaveUp> {
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !is_ours() {
                before(info);
            }
        }));
    });
    let outer = GUARDED.replace(true);
    // What the engine leaves half done behind a panic is read again from its files: the store is
    // not used further than to be closed.
    let result = panic::catch_unwind(AssertUnwindSafe(work));
    GUARDED.set(outer);
    result.map_err(|payload| {
        let text = payload
            .downcast_ref::<String>()
            .map(String::as_str)
            .or_else(|| payload.downcast_ref::<&str>().copied());
        GaveUp(text.unwrap_or("without a word").to_owned())
    })
}

/// While it lives, the engine's own threads are expected to come across damage.
pub(super) struct Opening(());

impl Opening {
    pub(super) fn begin() -> Self {
        OPENING.fetch_add(1, Ordering::SeqCst);
        Self(())
    }
}

impl Drop for Opening {
    fn drop(&mut self) {
        OPENING.fetch_sub(1, Ordering::SeqCst);
    }
}

fn is_ours() -> bool {
    GUARDED.try_with(Cell::get).unwrap_or(false)
        || (OPENING.load(Ordering::SeqCst) > 0
            && std::thread::current().name().is_some_and(is_sleds))
}

fn is_sleds(thread: &str) -> bool {
    thread.starts_with("sled-") || thread == "log flusher"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_panic_comes_back_as_an_error_with_its_text() {
        let error = guarded(|| panic!("page {} is bad", 7)).unwrap_err();
        assert_eq!(error.to_string(), "the storage engine gave up: page 7 is bad");
        assert!(guarded(|| 5).is_ok());
        assert!(!is_ours(), "panics outside are printed again");
    }
}

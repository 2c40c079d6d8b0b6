//! The kinds of lines that the daemon writes to the journal: their names, their ids, and what they
//! mean.
//!
//! A kind keeps its name and its id for ever, so that a filter on `MESSAGE_ID` keeps finding it.
//! `docs/journal.md` shows this table to people; a test compares the two.

use tracing::Level;

/// One kind of line in the journal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Message {
    /// One word, the field `OBITUARR_KIND`.
    pub kind: &'static str,
    /// The field `MESSAGE_ID`: 128 random bits, drawn once.
    pub id: &'static str,
    /// The level at which it is written, unless `meaning` says otherwise.
    pub level: Level,
    /// What it says, in one sentence.
    pub meaning: &'static str,
}

macro_rules! messages {
    ($($name:ident = $kind:literal $level:ident $id:literal $meaning:literal;)*) => {
        $(pub(super) const $name: Message = Message {
            kind: $kind,
            id: $id,
            level: Level::$level,
            meaning: $meaning,
        };)*

        /// Every kind of line.
        pub const MESSAGES: &[Message] = &[$($name),*];
    };
}

messages! {
    LOST = "lost" INFO "47ffd862f6e542c893a0b43e4b0c4100"
        "Files of a title are not there any more; it is under review.";
    DROPPED = "dropped" INFO "23ae6857da574625aab7007e38d150de"
        "A service that listed a title with a file does so no more; it is under review.";
    RETRACTED = "retracted" INFO "7f07593986034e079f229f6629d84ff9"
        "The title lives; nothing is reported.";
    PARTIAL = "partial" INFO "a68aa1e42a3c4bfd9cd78865eba4f92a"
        "Some files of a series are gone for good; the series lives.";
    HELD = "held" INFO "fca34d54c5504870bce19f98512f3c0a"
        "It can't be decided now. A warning where only a person can end the hold.";
    CONFIRMED = "confirmed" INFO "0b997643367b4f9f81f9f72c57caa2ec"
        "The title is gone.";
    FORWARDED = "forwarded" INFO "9d681810dda544af979c57a53cc846b5"
        "A tracker, or the ledger, has been told of the deletion.";
    RETURNED = "returned" INFO "12fefcb391184797929d88fa4c84f4ee"
        "A title that was gone is there again; its next life begins.";
    ONLINE = "online" INFO "207c95b2caeb4d9eb38da1cd37dab9f3"
        "A root can be believed.";
    UNHEALTHY = "unhealthy" WARN "664abb90054e49138856b1a126232de9"
        "A root can't be believed; nothing under it is reported. \
         No warning where it only waits for media or for its automount.";
    ADOPTED = "adopted" INFO "fdcf3a2a6ff041b0b5b601a0887fa613"
        "The identity of a root was recorded.";
    ACCEPTED = "accepted" INFO "57c8d5a59fb446ef956846fd229cdebd"
        "A person said that a root is right as it is now.";
    RETIRED = "retired" INFO "70039cb313c74277a995cce5c9fdb0b7"
        "A person said that a root, or a disk of a pool, will not come back.";
    REBASED = "rebased" INFO "c8547dc3344b4ffb97fb84a6b7d73630"
        "The path or the rules of a root changed; what is known of it is taken anew.";
    SERVICE_WELL = "service_well" INFO "f97fd8b4f2814d7a88caaac7483a98cf"
        "A service answers, and what it lists can be believed.";
    SERVICE_UNWELL = "service_unwell" WARN "43e985a5fea642a3b0387296b908101e"
        "A service does not answer, or what it lists can't be believed; what only it could tell is held.";
    READY = "ready" INFO "2b76495d31904b0f990536ba21fde72b"
        "Each root is watched, or was found in no state for it.";
    STOPPING = "stopping" INFO "38c215f45207466f8dfa0d7793aadfa4"
        "The daemon was asked to end.";
    RELOADED = "reloaded" INFO "ce85971732c749ba97b01d4d033d98e4"
        "The configuration was read again and is in effect.";
    RELOAD_FAILED = "reload_failed" ERROR "e5409521fef54bb0a04c0f8d0339f74c"
        "The configuration has a mistake; the one before stays in effect.";
    WARNED = "warned" WARN "0118fc5ebf594211859aec8d24468f57"
        "The configuration can be used, but something in it is doubtful.";
    EVENTS_LOST = "events_lost" WARN "2046a2ac73114628959f0a935dc6520c"
        "The kernel lost events; all of the root is looked at again.";
    UNWATCHED = "unwatched" ERROR "cf1284a82c904d4fb0b9c81f44402959"
        "The watcher of a root ended or could not begin; nothing under the root is reported.";
    HANGING = "hanging" WARN "4ce3fb46ea0548e197b536edd934761b"
        "At the end a watcher still waited for its disk; it was left behind.";
    GAP = "gap" INFO "d39e2c3d71834c11997438c176ec6c5e"
        "Nobody was watching for a while, or the wall clock was set; all waits begin again.";
    HEALED = "healed" WARN "dc1106b04fbb4d12b098e7de675218c0"
        "The store or the ledger was damaged; what was done about it.";
    STATE_FAILING = "state_failing" ERROR "a0f13bdf93084d24bede70a3d7f2a379"
        "The state directory can't be read or written; nothing is decided.";
    STATE_RECOVERED = "state_recovered" INFO "1be8e970cd424338b2f0d6dc9030a474"
        "The state directory is well again.";
    LEDGER_FAILING = "ledger_failing" ERROR "a8f30072fb8b4cffab02ed7ba3ed369d"
        "The ledger can't be written; deletions wait, none is reported.";
    LEDGER_RECOVERED = "ledger_recovered" INFO "0cd0b6d44dd94f70a495b8ab10469194"
        "The ledger is written again.";
    SOCKETS_LOST = "sockets_lost" WARN "eb2fd4c5a7a64b77aa82f9d2f6fd18b0"
        "The sockets were taken away, and can't be made again yet; nobody can ask.";
    SOCKETS_RENEWED = "sockets_renewed" WARN "3e16cd073b24417b87b7c7f6340eef96"
        "The sockets were taken away; they are made again.";
    WATCHES_MISSING = "watches_missing" WARN "e0f2e8552a004dd0ace1d1a64ee9f0a9"
        "The kernel watches no more directories for this user; the others are looked at from time to time.";
    UNREADABLE = "unreadable" ERROR "74109dc42bed41c2a0004a1d850f080c"
        "What was stored of a confirmed deletion can't be read again; it is not reported.";
    LINES_MISSING = "lines_missing" WARN "57904e70c4ed4482b36cff7b6b90420f"
        "The journal was too slow for some lines; the decisions are in the store all the same.";
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn kinds_and_ids_are_given_once_and_ids_are_128_random_bits() {
        let kinds: BTreeSet<&str> = MESSAGES.iter().map(|message| message.kind).collect();
        let ids: BTreeSet<&str> = MESSAGES.iter().map(|message| message.id).collect();
        assert_eq!((kinds.len(), ids.len()), (MESSAGES.len(), MESSAGES.len()));
        for Message { kind, id, meaning, .. } in MESSAGES {
            let is_hex = id.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
            assert!(id.len() == 32 && is_hex, "{kind}: {id}");
            // Version 4: random.
            assert!(id.as_bytes()[12] == b'4' && b"89ab".contains(&id.as_bytes()[16]), "{kind}");
            assert!(meaning.ends_with('.') && !meaning.contains('|'), "{kind}: {meaning}");
        }
    }
}

//! The one integration binary: house rules, documents, and the whole daemon from outside.
#![allow(clippy::print_stdout, reason = "a test may say what it skipped")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test may panic")]

mod clients;
mod docs;
mod e2e;
mod library;
mod mounts;
mod openapi;
mod services;
mod source;
mod tidy;

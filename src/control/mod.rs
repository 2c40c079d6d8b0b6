//! The Unix sockets: one that anyone may read, one for root and the daemon's group.
//!
//! HTTP/1.1 with JSON on both. This room owns the wire types; it knows neither the core nor the
//! store. Status is answered from a published snapshot, so that it answers while the loop is busy;
//! everything else is asked of the loop. It must never change anything by itself.

mod check;
mod client;
mod limit;
mod lines;
mod protocol;
mod reply;
mod server;
mod socket;

pub use check::{CheckLine, CheckProgress, CheckStep, CheckView, FoundView};
pub use client::{Client, ClientError};
pub use protocol::{
    AcceptView, CandidateCounts, CandidateView, DeletionView, ErrorView, EvidenceView, Explanation,
    RetireView, RetiredRoot, RetiredTitle, RootStatus, ServiceStatus, Status, Story, StoryLine,
    UnseenView,
};
pub use server::{Ask, ROUTES, Reply, Route, Server, serve};
pub use socket::{BindError, CONTROL_SOCKET, STATUS_SOCKET};

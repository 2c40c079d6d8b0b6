//! What all stand-ins have in common for those who use them: an address, requests that are counted, and
//! ways to go wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use axum::Router;

use crate::gate::Gate;
use crate::misbehaviour::Misbehaviour;
use crate::server::{Program, Server};

/// A running stand-in. It ends when this is dropped.
pub struct Simulator {
    server: Server,
    gate: Arc<Gate>,
    url: String,
    key: String,
}

impl Simulator {
    pub(crate) fn start(port: u16, key: &str, program: Arc<dyn Program>, router: Router) -> Self {
        let gate = Arc::new(Gate::default());
        let base = program.url_base().to_owned();
        let server = Server::start(port, program, router, Arc::clone(&gate));
        let url = format!("http://{}{base}", server.address);
        Self { server, gate, url, key: key.to_owned() }
    }

    /// Its address, with the sub-path.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The key that it accepts.
    #[must_use]
    pub fn key(&self) -> &str {
        &self.key
    }

    /// Goes wrong from now on, in addition to what goes wrong already.
    pub fn misbehave(&self, what: Misbehaviour) {
        if what == Misbehaviour::Down {
            self.server.close();
        }
        self.gate.add(None, 0, what);
    }

    /// Goes wrong from the `request`-th request on, counted from now: 1 is the next.
    pub fn misbehave_from(&self, request: u64, what: Misbehaviour) {
        self.gate.add(None, request.saturating_sub(1), what);
    }

    /// Goes wrong on one route: `/api/v3/movie/{id}`, `POST /api/v3/command`.
    pub fn misbehave_at(&self, route: &str, what: Misbehaviour) {
        self.gate.add(Some(route), 0, what);
    }

    /// Goes wrong on one route from its `request`-th request on, counted from now.
    pub fn misbehave_at_from(&self, route: &str, request: u64, what: Misbehaviour) {
        self.gate.add(Some(route), request.saturating_sub(1), what);
    }

    /// Answers well again.
    pub fn well(&self) {
        self.gate.clear();
        self.server.open();
    }

    /// How many requests there were by route, since the start or [`Self::forget_requests`].
    #[must_use]
    pub fn requests(&self) -> BTreeMap<String, u64> {
        self.gate.counts()
    }

    /// How many requests there were to one route.
    #[must_use]
    pub fn asked(&self, route: &str) -> u64 {
        self.requests().get(route).copied().unwrap_or_default()
    }

    /// How many requests there were in all.
    #[must_use]
    pub fn asked_in_all(&self) -> u64 {
        self.requests().values().sum()
    }

    /// Each request with its query, in order.
    #[must_use]
    pub fn log(&self) -> Vec<String> {
        self.gate.log()
    }

    /// Counts from 0 again.
    pub fn forget_requests(&self) {
        self.gate.forget();
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Simulator({})", self.url)
    }
}

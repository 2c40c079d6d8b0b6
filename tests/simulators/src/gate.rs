//! What every request passes first: it is counted, and learns what is to go wrong with it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::misbehaviour::{Misbehaviour, Mood};

/// How many requests are remembered word by word.
const REMEMBERED: usize = 100_000;

#[derive(Debug, Default)]
pub(crate) struct Gate(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    rules: Vec<Rule>,
    counts: BTreeMap<String, u64>,
    log: Vec<String>,
}

#[derive(Debug)]
struct Rule {
    /// `None`: every one.
    route: Option<String>,
    /// How many requests more are answered well.
    grace: u64,
    what: Misbehaviour,
}

impl Gate {
    pub(crate) fn add(&self, route: Option<&str>, grace: u64, what: Misbehaviour) {
        self.lock().rules.push(Rule { route: route.map(str::to_owned), grace, what });
    }

    pub(crate) fn clear(&self) {
        self.lock().rules.clear();
    }

    pub(crate) fn forget(&self) {
        let mut state = self.lock();
        state.counts.clear();
        state.log.clear();
    }

    pub(crate) fn counts(&self) -> BTreeMap<String, u64> {
        self.lock().counts.clone()
    }

    pub(crate) fn log(&self) -> Vec<String> {
        self.lock().log.clone()
    }

    /// Counts a request, and says what goes wrong with it.
    pub(crate) fn pass(&self, route: &str, line: String) -> Mood {
        let mut state = self.lock();
        *state.counts.entry(route.to_owned()).or_default() += 1;
        if state.log.len() < REMEMBERED {
            state.log.push(line);
        }
        let mut mood = Mood::default();
        for rule in &mut state.rules {
            if rule.route.as_ref().is_some_and(|wanted| wanted != route) {
                continue;
            }
            if rule.grace == 0 {
                mood.0.push(rule.what.clone());
            } else {
                rule.grace -= 1;
            }
        }
        mood
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The route of a request, without its ids: `/api/v3/movie/{id}`, `POST /api/v3/command`.
pub(crate) fn route(method: &str, path: &str) -> String {
    let parts: Vec<&str> =
        path.split('/').map(|part| if is_id(part) { "{id}" } else { part }).collect();
    let path = parts.join("/");
    if method == "GET" { path } else { format!("{method} {path}") }
}

fn is_id(part: &str) -> bool {
    let is_number = !part.is_empty() && part.chars().all(|c| c.is_ascii_digit());
    let hex = part.chars().filter(char::is_ascii_hexdigit).count();
    let dashes = part.chars().filter(|c| *c == '-').count();
    is_number || (hex == 32 && hex + dashes == part.len() && (dashes == 0 || dashes == 4))
}

#[test]
fn ids_are_no_part_of_a_route() {
    let table = [
        ("GET", "/api/v3/movie", "/api/v3/movie"),
        ("GET", "/api/v3/movie/12", "/api/v3/movie/{id}"),
        ("POST", "/api/v3/command", "POST /api/v3/command"),
        ("GET", "/Items/11112222333344445555666677778888", "/Items/{id}"),
        ("GET", "/Items/11112222-3333-4444-5555-666677778888", "/Items/{id}"),
        ("GET", "/api/v3/Series/AniDB/23/Series", "/api/v3/Series/AniDB/{id}/Series"),
    ];
    for (method, path, expected) in table {
        assert_eq!(route(method, path), expected);
    }
}

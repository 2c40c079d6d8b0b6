//! The ways in which a service lets one down.

use std::time::Duration;

/// What a stand-in does instead of answering well. It can begin at any moment, also amid a probe, for all
/// requests or for those of one route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Misbehaviour {
    /// The port is closed: connections are refused, and those that were open end.
    Down,
    /// The connection is taken and ends without an answer.
    Reset,
    /// Each answer takes so long.
    Slow(Duration),
    /// The request is taken and never answered.
    Hang,
    /// 401, as the program itself says it.
    Unauthorized,
    /// 403, as the program itself says it.
    Forbidden,
    /// 404 of a proxy in front, which knows nothing of the program.
    ProxyNotFound,
    /// 502 of a proxy in front.
    BadGateway,
    /// 429 with the seconds to wait.
    TooManyRequests {
        /// What the header `Retry-After` says.
        retry_after: u32,
    },
    /// 500, as the program itself says it.
    InternalError,
    /// 503, as the program says it while it starts.
    Starting,
    /// 200 with a page, as a login in front answers.
    WebPage,
    /// A whole answer whose JSON ends in its middle.
    TruncatedJson,
    /// An answer whose connection ends in its middle.
    CutOff,
    /// Lists are empty, as those of a program that lost its database.
    EmptyList,
    /// Lists lack every other title.
    HalfList,
    /// Another instance of the same program answers: with another name, and other titles under the ids.
    OtherInstance,
    /// The same titles have other ids, as after a new set-up.
    RecreatedIds,
    /// A scan of the disk is running.
    ScanRunning,
    /// New files are being imported.
    ImportRunning,
}

/// What is wrong with one request.
#[derive(Debug, Clone, Default)]
pub(crate) struct Mood(pub(crate) Vec<Misbehaviour>);

impl Mood {
    pub(crate) fn has(&self, what: &Misbehaviour) -> bool {
        self.0.contains(what)
    }

    /// Whether a list shows the record with this number.
    pub(crate) fn lists(&self, number: u32) -> bool {
        !self.has(&Misbehaviour::EmptyList)
            && (number.is_multiple_of(2) || !self.has(&Misbehaviour::HalfList))
    }

    pub(crate) fn is_other(&self) -> bool {
        self.has(&Misbehaviour::OtherInstance)
    }

    pub(crate) fn is_scanning(&self) -> bool {
        self.has(&Misbehaviour::ScanRunning)
    }

    /// The id under which the record `id` of `last` is shown.
    pub(crate) fn shown(&self, id: u32, last: u32) -> u32 {
        let id = if self.is_other() { (last + 1).saturating_sub(id) } else { id };
        if self.has(&Misbehaviour::RecreatedIds) { id + RECREATED } else { id }
    }

    /// The record that is shown under an id; 0 if it can be none.
    pub(crate) fn meant(&self, shown: u32, last: u32) -> u32 {
        let id = if self.has(&Misbehaviour::RecreatedIds) {
            shown.saturating_sub(RECREATED)
        } else {
            shown
        };
        if self.is_other() && id > 0 { (last + 1).saturating_sub(id) } else { id }
    }
}

const RECREATED: u32 = 1_000_000;

//! Who a Shoko is, whether it is well, and in which words it has to be asked.

use super::wire::{InitStatus, User, Versions};
use crate::domain::{About, Failure};
use crate::services::http::{Call, Talk};
use crate::services::reply::Reply;

/// In which words a version is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    /// 4.2: import folders, and no absolute paths.
    Four,
    /// 5: import folders.
    Five,
    /// 6: managed folders.
    Six,
}

impl Dialect {
    fn of(version: &str) -> Option<Self> {
        let mut numbers = version.split('.').map(|part| part.parse::<u32>().ok());
        match (numbers.next().flatten()?, numbers.next().flatten()) {
            (4, Some(2..)) => Some(Self::Four),
            (5, _) => Some(Self::Five),
            (6.., _) => Some(Self::Six),
            _ => None,
        }
    }

    /// Where its folders are.
    pub(super) fn folders(self) -> &'static str {
        match self {
            Self::Four | Self::Five => "api/v3/ImportFolder",
            Self::Six => "api/v3/ManagedFolder",
        }
    }

    /// Asks for the series and the whole paths of files, also of those that Shoko is told to ignore: they
    /// are there all the same.
    pub(super) fn detailed(self, call: Call<'_>) -> Call<'_> {
        match self {
            Self::Four => call.with("includeXRefs", &true),
            Self::Five | Self::Six => {
                call.with("include", "XRefs,AbsolutePaths,Ignored,ImportLimbo")
            }
        }
    }
}

/// What is true of the instance around a question.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) about: About,
    pub(super) dialect: Dialect,
    /// Why nothing that is missing is absent.
    pub(super) unsure: Option<String>,
}

/// Asks. A database that is being worked on refuses everything in words of its own.
pub(super) async fn get(talk: &Talk, call: Call<'_>) -> Result<Reply, Failure> {
    let reply = talk.get(call).await?;
    if reply.status.as_u16() == 400 && reply.text().contains("Database is Blocked") {
        let why = format!("the database of {} is blocked for now", talk.http.instance);
        return Err(Failure::Transient { why, retry_after: None });
    }
    Ok(reply)
}

/// Looks at all of it.
pub(super) async fn read(talk: &Talk) -> Result<State, Failure> {
    let status: InitStatus = get(talk, Call::to("api/v3/Init/Status")).await?.json()?;
    let instance = &talk.http.instance;
    if status.state != "Started" {
        let message = status.startup_message.unwrap_or_default();
        let why = format!("{instance} is not ready: {} {message}", status.state);
        return Err(Failure::Transient { why: why.trim_end().to_owned(), retry_after: None });
    }
    if status.database_blocked.is_some_and(|database| database.blocked) {
        let why = format!("the database of {instance} is blocked for now");
        return Err(Failure::Transient { why, retry_after: None });
    }
    let reply = get(talk, Call::to("api/v3/Init/Version")).await?;
    let version = reply.json::<Versions>()?.server.version;
    let Some(dialect) = Dialect::of(&version) else {
        let why =
            format!("{instance} is Shoko {version}, which is not understood: use 4.2 or later");
        return Err(Failure::Permanent { why });
    };
    let user: User = get(talk, Call::to("api/v3/User/Current")).await?.json()?;
    let limited =
        user.is_admin == Some(false) || user.restricted_tags.is_some_and(|tags| !tags.is_empty());
    let unsure = limited.then(|| {
        format!("series may be hidden from the user whose key {instance} is asked with; use an administrator's")
    });
    let application = "Shoko".to_owned();
    let about = About { name: application.clone(), application, version, started: None };
    Ok(State { about, dialect, unsure })
}

/// Looks again after a question.
pub(super) async fn read_again(talk: &Talk, before: &State) -> Result<Option<String>, Failure> {
    let after = read(talk).await?;
    if after.about != before.about {
        let why = format!("{} was exchanged while it was asked", talk.http.instance);
        return Err(Failure::Transient { why, retry_after: None });
    }
    Ok(after.unsure)
}

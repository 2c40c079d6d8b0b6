//! Who a Jellyfin is, whether it is well, whether it scans, and whether it hides anything from the key.

use super::wire::{SystemInfo, Task, User};
use crate::domain::{About, Failure};
use crate::services::http::{Call, Talk};

/// What is true of the instance around a question.
#[derive(Debug, Clone)]
pub(super) struct State {
    pub(super) about: About,
    /// Why nothing that is missing now is absent.
    pub(super) unsure: Option<String>,
    /// In whose name items are asked for, where one is needed.
    pub(super) user: Option<String>,
}

/// Who it is. It only answers once it is up, and only to a key that it accepts.
pub(super) async fn about(talk: &Talk) -> Result<About, Failure> {
    let reply = talk.get(Call::to("System/Info")).await?;
    let info: SystemInfo = reply.json()?;
    if !info.product_name.starts_with("Jellyfin") {
        let why = format!("is {}, not Jellyfin; check `url`", info.product_name);
        return Err(reply.strange(&why));
    }
    if !info.startup_wizard_completed {
        let why = format!("{} has not been set up yet", talk.http.instance);
        return Err(Failure::Transient { why, retry_after: None });
    }
    Ok(About {
        application: info.product_name,
        name: info.id,
        version: info.version,
        started: None,
    })
}

/// Whether a scan of the library runs. Only an administrator or an API key is told, so the answer proves
/// what the key may see, too.
async fn scan(talk: &Talk) -> Result<Option<String>, Failure> {
    let reply = talk.get(Call::to("ScheduledTasks")).await?;
    if reply.status.as_u16() == 403 {
        let why = format!(
            "the key of {} is of a user who is no administrator; make an API key in its dashboard",
            talk.http.instance
        );
        return Err(Failure::Unauthorized { why });
    }
    let tasks: Vec<Task> = reply.json()?;
    let scan = tasks.iter().find(|task| task.key.as_deref() == Some("RefreshLibrary"));
    match scan {
        Some(task) if task.state == "Idle" => Ok(None),
        Some(_) => Ok(Some(format!("{} is scanning its library", talk.http.instance))),
        None => Err(reply.strange("does not say whether a scan runs")),
    }
}

/// Looks at all of it.
pub(super) async fn read(talk: &Talk) -> Result<State, Failure> {
    let about = about(talk).await?;
    let mut unsure = scan(talk).await?;
    let me = talk.get(Call::to("Users/Me")).await?;
    // With an API key it is refused, for there is no user.
    if me.status.as_u16() == 200 && !me.json::<User>()?.policy.sees_all() {
        let why = format!(
            "the key of {} is of a user from whom items may be hidden; make an API key in its dashboard",
            talk.http.instance
        );
        unsure.get_or_insert(why);
    }
    let user = if about.version.starts_with("10.8.") { stand_in(talk).await? } else { None };
    if about.version.starts_with("10.8.") && user.is_none() {
        let why = format!("{} has no administrator who sees all", talk.http.instance);
        unsure.get_or_insert(why);
    }
    Ok(State { about, unsure, user })
}

/// Looks again after a question: the same instance, and still no scan.
pub(super) async fn read_again(talk: &Talk, before: &State) -> Result<Option<String>, Failure> {
    let unsure = scan(talk).await?;
    if about(talk).await? != before.about {
        let why = format!("{} was exchanged while it was asked", talk.http.instance);
        return Err(Failure::Transient { why, retry_after: None });
    }
    Ok(unsure)
}

/// 10.8 does not list items without a user well: one from whom nothing is hidden.
async fn stand_in(talk: &Talk) -> Result<Option<String>, Failure> {
    let users: Vec<User> = talk.get(Call::to("Users")).await?.json()?;
    Ok(users.into_iter().find(|user| user.policy.sees_all()).map(|user| user.id))
}

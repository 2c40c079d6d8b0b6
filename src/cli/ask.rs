//! The commands that ask the running daemon.

use std::io::IsTerminal;

use serde::Serialize;

use super::args::{Command, Places};
use super::exit::Exit;
use super::{check, complain, dirs, print, show, verbs};
use crate::control::{
    AcceptView, CONTROL_SOCKET, CandidateView, Client, ClientError, DeletionView, Explanation,
    RetireView, STATUS_SOCKET, Status,
};

/// Asks, prints, and says how to end.
pub(super) fn ask(places: &Places, command: Command) -> Exit {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = match runtime {
        Ok(runtime) => runtime,
        Err(error) => {
            complain(&error.to_string());
            return Exit::Failed;
        }
    };
    match runtime.block_on(answer(places, command)) {
        Ok(exit) => exit,
        Err(error) => {
            let exit = match &error {
                ClientError::NotRunning { .. }
                | ClientError::Silent { .. }
                | ClientError::Failed { .. } => Exit::Unavailable,
                ClientError::Denied { .. } => Exit::Denied,
                ClientError::Refused(_) => Exit::Failed,
            };
            complain(&format!("{:#}", anyhow::Error::new(error)));
            exit
        }
    }
}

async fn answer(places: &Places, command: Command) -> Result<Exit, ClientError> {
    let dir = dirs::for_client(places, |name| std::env::var_os(name));
    let socket = dir.join(STATUS_SOCKET);
    let reader = || Client::new(&socket);
    match command {
        Command::Status => {
            let status: Status = reader().await?.get(&["v1", "status"]).await?;
            tell(places, &status, show::status);
        }
        Command::Candidates => {
            let list: Vec<CandidateView> = reader().await?.get(&["v1", "candidates"]).await?;
            tell(places, &list, |list| show::candidates(list));
        }
        Command::Deletions { limit } => {
            let mut list: Vec<DeletionView> = reader().await?.get(&["v1", "deletions"]).await?;
            list.truncate(limit.unwrap_or(usize::MAX));
            tell(places, &list, |list| show::deletions(list));
        }
        Command::Explain { what } => {
            let what = absolute(&what);
            if is_no_name(&what) {
                complain("name a part of a title, a path, or a root");
                return Ok(Exit::CouldNotTell);
            }
            let explanation: Explanation = reader().await?.get(&["v1", "explain", &what]).await?;
            if explanation.stories.is_empty() && !places.json {
                complain(&format!("nothing is known of `{what}`; try a part of its title"));
                return Ok(Exit::Failed);
            }
            tell(places, &explanation, show::explanation);
        }
        Command::Check => {
            let client = Client::new(&dir.join(CONTROL_SOCKET)).await?;
            return check::check(&client, places.json).await;
        }
        Command::Accept { root, .. } if is_no_name(&root) => {
            complain("name the root that is right as it is; `obituarr status` names them");
            return Ok(Exit::CouldNotTell);
        }
        Command::Retire { what, .. } if is_no_name(&what) => {
            complain(
                "name the root, or the full path of the branch, that will not come back; `obituarr \
                 status` names them",
            );
            return Ok(Exit::CouldNotTell);
        }
        Command::Accept { root, yes } => {
            let client = Client::new(&dir.join(CONTROL_SOCKET)).await?;
            let resource = ["v1", "accept", root.as_str()];
            let before: AcceptView = client.get(&resource).await?;
            if !yes {
                complain(&verbs::accept(&before));
                if !agreed() {
                    complain("nothing was changed");
                    return Ok(Exit::Failed);
                }
            }
            let view: AcceptView = client.post(&resource).await?;
            tell(places, &view, verbs::accepted);
        }
        Command::Retire { what, yes } => {
            let client = Client::new(&dir.join(CONTROL_SOCKET)).await?;
            let resource = ["v1", "retire", what.as_str()];
            if !yes {
                let view: RetireView = client.get(&resource).await?;
                tell(places, &view, verbs::retire);
                return Ok(Exit::Ok);
            }
            let view: RetireView = client.post(&resource).await?;
            tell(places, &view, verbs::retire);
        }
        Command::Run(_) | Command::CheckConfig { .. } => {}
    }
    Ok(Exit::Ok)
}

/// Whether the person at the terminal says yes; nobody there is a no.
fn agreed() -> bool {
    if !std::io::stdin().is_terminal() {
        complain("nobody can be asked here; use --yes");
        return false;
    }
    let mut answer = String::new();
    let read = std::io::stdin().read_line(&mut answer);
    read.is_ok() && matches!(answer.trim().to_lowercase().as_str(), "y" | "yes")
}

/// What names nothing, and would be lost on its way in a URL.
fn is_no_name(what: &str) -> bool {
    matches!(what.trim(), "" | "." | "..")
}

/// A relative path is meant from where the person stands; the daemon stands elsewhere.
fn absolute(what: &str) -> String {
    let is_path = what.contains('/') && !what.starts_with('/');
    let path = is_path.then(|| std::env::current_dir().ok()).flatten().map(|dir| dir.join(what));
    match path {
        Some(path) if path.exists() => path.to_string_lossy().into_owned(),
        _ => what.to_owned(),
    }
}

fn tell<T: Serialize>(places: &Places, view: &T, text: impl FnOnce(&T) -> String) {
    if !places.json {
        print(&text(view));
        return;
    }
    match serde_json::to_string_pretty(view) {
        Ok(json) => print(&format!("{json}\n")),
        Err(error) => complain(&error.to_string()),
    }
}

//! The state of the daemon as the sockets show it.

use super::engine::{Engine, Record};
use super::explain::looked_once;
use super::roots::RootRun;
use crate::control::{
    AcceptView, CandidateCounts, CandidateView, CheckView, DeletionView, RootStatus, Status,
    UnseenView,
};
use crate::core::{NO_MEDIA_YET, Root};
use crate::domain::{Candidate, EntryState, Health, Now, RelPath, RootName, Stage, Timestamp};
use crate::store::{Storage, StoreError};

/// What the shell adds to the status.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    pub(super) started_at: Timestamp,
    pub(super) settle_secs: u64,
    pub(super) healed: Vec<String>,
    pub(super) warnings: Vec<String>,
    /// Whether the configuration was read again and could not be used.
    pub(super) reload_failed: bool,
}

/// The status of a daemon.
pub(super) fn status<S: Storage, R: Record>(
    engine: &Engine<S, R>,
    around: &Surroundings,
) -> Status {
    let mut status = Status {
        ready: engine.is_ready(),
        version: env!("CARGO_PKG_VERSION").to_owned(),
        started_at: around.started_at,
        deletions: engine.deletions,
        settle_secs: around.settle_secs,
        healed: around.healed.clone(),
        warnings: around.warnings.clone(),
        ..Status::default()
    };
    for candidate in engine.core.candidates().values() {
        match candidate.stage {
            Stage::Held { .. } => status.candidates.held += 1,
            Stage::Settling { .. } | Stage::Probing { .. } => status.candidates.settling += 1,
        }
    }
    for (name, root) in engine.core.roots() {
        if let Some(run) = engine.roots.get(name) {
            status.roots.push(root_status(name, root, run));
        }
    }
    status.services = engine.service_status();
    if let Some(why) = &engine.record_fails {
        status.problems.push(format!("the ledger can't be written, nothing is reported: {why}"));
    }
    if around.reload_failed {
        status.problems.push(
            "the configuration is wrong, the one before stays in effect; \
             `obituarr check-config` says what is wrong with it"
                .to_owned(),
        );
    }
    let (summary, needs_attention) = summary(&status);
    status.summary = summary;
    status.needs_attention = needs_attention;
    status
}

fn root_status(name: &RootName, root: &Root, run: &RootRun) -> RootStatus {
    let shown_at = |dir: &RelPath| dir.under(&run.spec.path).to_string_lossy().into_owned();
    let unseen = run.unseen.iter().map(|(dir, why)| (dir, why.clone()));
    let foreign = run
        .foreign
        .iter()
        .map(|dir| (dir, "it lies on another file system than when it was last seen".to_owned()));
    RootStatus {
        name: name.to_string(),
        path: run.spec.path.to_string_lossy().into_owned(),
        health: root.health.to_string(),
        reason: root.reason.clone(),
        since: root.since,
        directories: run.directories,
        files: run.files,
        watched: run.watched,
        watch_note: run.watch_note.clone(),
        unseen: unseen
            .chain(foreign.take(100))
            .map(|(dir, why)| UnseenView { path: shown_at(dir), why })
            .collect(),
        unseen_more: run.unseen_more as u64 + run.foreign.len().saturating_sub(100) as u64,
    }
}

/// The first thing to know, and whether it needs a person.
fn summary(status: &Status) -> (String, bool) {
    let named = |health: &str| -> Vec<&str> {
        let of_health = status.roots.iter().filter(|root| root.health == health);
        of_health.map(|root| root.name.as_str()).collect()
    };
    if let Some(problem) = status.problems.first() {
        return (problem.clone(), true);
    }
    for health in [Health::Offline, Health::Suspect, Health::Stalled] {
        let roots = named(&health.to_string());
        if !roots.is_empty() {
            let list = roots.join(", ");
            return (format!("{health}: {list}; nothing under it is reported"), true);
        }
    }
    let unwell: Vec<&str> = status
        .services
        .iter()
        .filter(|service| service.health == "unwell")
        .map(|service| service.name.as_str())
        .collect();
    if !unwell.is_empty() {
        let list = unwell.join(", ");
        return (format!("{list} can't be believed or asked; what only it could tell waits"), true);
    }
    if let Some(service) = status.services.iter().find(|service| !service.notes.is_empty()) {
        let name = &service.name;
        return (format!("paths of {name} are not found here; `status` says what would fit"), true);
    }
    let CandidateCounts { settling, held } = status.candidates;
    if held > 0 {
        return (format!("{held} possible deletions can't be decided"), true);
    }
    if let Some(text) = status.roots.iter().find_map(unwatched) {
        return (text, true);
    }
    // A mount in which no media lie is nobody's business.
    let mut waiting = named(&Health::Waiting.to_string());
    waiting.retain(|name| RootName::parse(name).is_ok_and(|name| name.outer().is_none()));
    let is_away =
        |root: &&RootStatus| waiting.contains(&root.name.as_str()) && root.reason != NO_MEDIA_YET;
    if let Some(root) = status.roots.iter().find(is_away).filter(|_| status.ready) {
        return (format!("waiting for root {}: {}", root.name, root.reason), true);
    }
    if !waiting.is_empty() {
        return (format!("waiting for the first media file in {}", waiting.join(", ")), false);
    }
    if !status.ready {
        return ("looking at the roots".to_owned(), false);
    }
    match settling {
        0 => ("all is well".to_owned(), false),
        1 => ("all is well; 1 possible deletion is being looked at".to_owned(), false),
        n => (format!("all is well; {n} possible deletions are being looked at"), false),
    }
}

/// How much of a root is not watched for want of watches, and what helps.
pub(super) fn unwatched(root: &RootStatus) -> Option<String> {
    let note = root.watch_note.as_ref()?;
    let (name, missing) = (&root.name, root.directories.saturating_sub(root.watched));
    (missing > 0).then(|| {
        format!(
            "{missing} of {} directories of root {name} can't be watched, and are looked at every \
             watch.rescan instead: {note}",
            root.directories
        )
    })
}

/// One line for `systemctl status`: what it is doing while it starts, then the summary.
pub(super) fn line_for_systemd<S: Storage, R: Record>(
    engine: &Engine<S, R>,
    status: &Status,
) -> String {
    let awaited: Vec<_> = engine.roots.iter().filter(|(_, run)| run.is_awaited()).collect();
    let names: Vec<&str> = awaited.iter().map(|(name, _)| name.as_str()).collect();
    if names.is_empty() {
        return status.summary.clone();
    }
    let directories: u64 = awaited.iter().map(|(_, run)| run.directories).sum();
    let roots = if names.len() == 1 { "root" } else { "roots" };
    let walking = format!("walking {roots} {}: {directories} directories so far", names.join(", "));
    if status.needs_attention { format!("{walking}; {}", status.summary) } else { walking }
}

/// All candidates, oldest first.
pub(super) fn candidates<S: Storage, R: Record>(engine: &Engine<S, R>) -> Vec<CandidateView> {
    engine.core.candidates().values().map(|candidate| candidate_view(engine, candidate)).collect()
}

pub(super) fn candidate_view<S: Storage, R: Record>(
    engine: &Engine<S, R>,
    candidate: &Candidate,
) -> CandidateView {
    let (state, holding) = match &candidate.stage {
        Stage::Settling { .. } => ("settling", None),
        Stage::Probing { .. } => ("probing", None),
        Stage::Held { holding, .. } => ("held", Some(holding)),
    };
    let shown_at = |file: &crate::domain::LostFile| match engine.roots.get(&file.path.root) {
        Some(run) => file.path.rel.under(&run.spec.path).to_string_lossy().into_owned(),
        None => file.path.to_string(),
    };
    CandidateView {
        id: candidate.id.to_string(),
        item: candidate.item.clone(),
        life: candidate.life.number(),
        detected_at: candidate.detected,
        state: state.to_owned(),
        reason: holding.map(|holding| holding.why.to_string()).or_else(|| looked_once(candidate)),
        witness: holding.map(|holding| holding.why.witness()),
        held_since: holding.map(|holding| holding.since),
        ends: holding.map(|holding| holding.why.ends().to_owned()),
        lost: candidate.lost.iter().map(shown_at).collect(),
        evidence: candidate.evidence.iter().map(Into::into).collect(),
    }
}

/// What accepting a root does; done if `go`. The inner error says why it can't be.
pub(super) fn accept<S: Storage, R: Record>(
    engine: &mut Engine<S, R>,
    now: Now,
    root: &str,
    go: bool,
) -> Result<Result<AcceptView, String>, StoreError> {
    let Ok(name) = RootName::parse(root) else {
        return Ok(Err(format!("`{root}` is not the name of a root")));
    };
    if !engine.core.can_accept(&name) {
        return Ok(Err(engine.why_not_accept(&name)));
    }
    let concerned = |candidate: &&Candidate| candidate.roots().any(|root| *root == name);
    let concerns = engine.core.candidates().values().filter(concerned);
    let concerns = concerns.map(|candidate| candidate_view(engine, candidate)).collect();
    let titles = if engine.core.is_another(&name) {
        let losses = engine.losses_in(now, &name, &mut |_, _| true)?;
        engine.titles_lost(&losses)?
    } else {
        Vec::new()
    };
    let state = engine.core.roots().get(&name);
    let view = AcceptView {
        root: name.to_string(),
        health: state.map(|root| root.health.to_string()).unwrap_or_default(),
        reason: state.map(|root| root.reason.clone()).unwrap_or_default(),
        accepted: go,
        concerns,
        titles,
    };
    if go && let Err(why) = engine.accept(now, &name)? {
        return Ok(Err(why));
    }
    Ok(Ok(view))
}

/// The newest deletions.
pub(super) fn deletions<S: Storage>(
    store: &S,
    limit: usize,
) -> Result<Vec<DeletionView>, StoreError> {
    let entries = store.entries()?;
    let told = entries.iter().filter(|entry| entry.state != EntryState::Withdrawn);
    Ok(told.take(limit).map(DeletionView::from).collect())
}

/// What a full look came to.
pub(super) fn check<S: Storage, R: Record>(engine: &Engine<S, R>) -> CheckView {
    let mut view = CheckView {
        missing: candidates(engine),
        found_missing: engine.found_missing(),
        unmatched: engine.unmatched(),
        ..CheckView::default()
    };
    for service in engine.service_status().iter().filter(|service| service.health != "well") {
        view.could_not_tell.push(format!("{}: {}", service.name, service.reason));
    }
    for (name, root) in engine.core.roots() {
        let Some(run) = engine.roots.get(name) else { continue };
        view.directories += run.directories;
        view.files += run.files;
        if root.health != Health::Online {
            view.could_not_tell.push(format!("root {name} is {}: {}", root.health, root.reason));
        }
        let status = root_status(name, root, run);
        view.could_not_tell
            .extend(status.unseen.iter().map(|unseen| format!("{}: {}", unseen.path, unseen.why)));
        if status.unseen_more > 0 {
            view.could_not_tell
                .push(format!("root {name}: {} more directories", status.unseen_more));
        }
    }
    view
}

//! The state of the daemon as the sockets show it.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::engine::{Engine, Record};
use super::folder_story::folder_story;
use super::folders::Stored;
use super::roots::RootRun;
use super::words;
use crate::catalog::{Folders, Placer};
use crate::control::{
    AcceptView, CandidateCounts, CandidateView, CheckView, DeletionView, Explanation, RootStatus,
    Status, Story, StoryLine, UnseenView,
};
use crate::core::{NO_MEDIA_YET, Root};
use crate::domain::{
    Candidate, Decision, EntryState, Health, Item, Now, RelPath, RootName, Stage, Timestamp, What,
    shown,
};
use crate::store::{Storage, StoreError};

/// How many items an explanation tells of at most.
const MOST_STORIES: usize = 5;
/// How many places of an item are told.
const MOST_PLACES: usize = 20;

/// What the shell adds to the status.
#[derive(Debug, Clone, Default)]
pub(super) struct Surroundings {
    pub(super) started_at: Timestamp,
    pub(super) settle_secs: u64,
    pub(super) healed: Vec<String>,
    pub(super) warnings: Vec<String>,
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
    if let Some(why) = &engine.record_fails {
        status.problems.push(format!("the ledger can't be written, nothing is reported: {why}"));
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
    let CandidateCounts { settling, held } = status.candidates;
    if held > 0 {
        return (format!("{held} possible deletions can't be decided"), true);
    }
    let waiting = named(&Health::Waiting.to_string());
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

/// All candidates, oldest first.
pub(super) fn candidates<S: Storage, R: Record>(engine: &Engine<S, R>) -> Vec<CandidateView> {
    engine.core.candidates().values().map(|candidate| candidate_view(engine, candidate)).collect()
}

fn candidate_view<S: Storage, R: Record>(
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
        reason: holding.map(|holding| holding.why.to_string()),
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
    let state = engine.core.roots().get(&name);
    let view = AcceptView {
        root: name.to_string(),
        health: state.map(|root| root.health.to_string()).unwrap_or_default(),
        reason: state.map(|root| root.reason.clone()).unwrap_or_default(),
        accepted: go,
        concerns,
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
    let mut view = CheckView { missing: candidates(engine), ..CheckView::default() };
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

/// The stories of what `query` may mean: a key, a part of a title, a path, or a root's name.
pub(super) fn explain<S: Storage, R: Record>(
    engine: &Engine<S, R>,
    query: &str,
) -> Result<Explanation, StoreError> {
    let mut explanation = Explanation { query: query.to_owned(), stories: Vec::new() };
    let root = query.strip_prefix("root:").unwrap_or(query);
    if let Some((name, state)) = engine.core.roots().iter().find(|(name, _)| name.as_str() == root)
    {
        let lines = engine.store.history(&format!("root:{name}"))?;
        explanation.stories.push(Story {
            key: format!("root:{name}"),
            title: name.to_string(),
            state: state.health.to_string(),
            summary: format!("root {name} is {}: {}", state.health, state.reason),
            places: Vec::new(),
            lines: lines.iter().map(line).collect(),
        });
    }
    if let Some(story) = folder_story(engine, query)? {
        explanation.stories.push(story);
        return Ok(explanation);
    }
    let items = match item_at(engine, query) {
        Some(item) => vec![item],
        None => engine.store.search(query, MOST_STORIES)?,
    };
    for item in items {
        explanation.stories.push(story(engine, &item)?);
    }
    Ok(explanation)
}

/// The item that a path belongs to.
fn item_at<S: Storage, R: Record>(engine: &Engine<S, R>, query: &str) -> Option<Item> {
    let path = std::path::Path::new(query);
    engine.roots.values().find_map(|run| {
        let rel = path.strip_prefix(&run.spec.path).ok()?;
        let rel = RelPath::parse(std::os::unix::ffi::OsStrExt::as_bytes(rel.as_os_str())).ok()?;
        let known = Stored { root: &run.spec.name, inventory: &*engine.store };
        let is_folder = rel.is_root() || known.folder(&rel).is_some();
        let file = if is_folder { rel.join(b"x.mkv") } else { rel };
        let title = run.spec.title();
        Some(Placer::new(&run.spec.name, &title, &known).place(&file).title.item)
    })
}

fn story<S: Storage, R: Record>(engine: &Engine<S, R>, item: &Item) -> Result<Story, StoreError> {
    let key = item.key();
    let places = places(engine, item)?;
    let candidate = engine.core.candidates().values().find(|c| c.item.key() == key);
    let closed = engine.core.item(&key).and_then(|state| state.closed);
    let (state, summary) = match (candidate, closed) {
        (Some(candidate), _) => ("under review", under_review(candidate)),
        (None, Some(when)) => ("gone", format!("{item} is gone; reported at {when}")),
        (None, None) if !places.is_empty() => {
            let files = if places.len() == 1 { "file" } else { "files" };
            ("alive", format!("{item} is there: {} {files}", places.len()))
        }
        (None, None) => ("unknown", format!("no file of {item} is known")),
    };
    let mut lines: Vec<Decision> = engine.store.history(key.as_str())?;
    for root in roots_of(engine, item, &lines)? {
        let changes = engine.store.history(&format!("root:{root}"))?;
        lines.extend(changes.into_iter().filter(words::concerns_titles));
    }
    lines.sort_by_key(|decision| decision.at);
    Ok(Story {
        key: key.to_string(),
        title: item.to_string(),
        state: state.to_owned(),
        summary,
        places: places.into_iter().take(MOST_PLACES).collect(),
        lines: lines.iter().map(line).collect(),
    })
}

/// The roots that an item lies or lay in.
fn roots_of<S: Storage, R: Record>(
    engine: &Engine<S, R>,
    item: &Item,
    lines: &[Decision],
) -> Result<BTreeSet<RootName>, StoreError> {
    let titles = engine.store.titles(&item.match_keys())?;
    let mut roots: BTreeSet<RootName> = titles.into_iter().map(|title| title.place.root).collect();
    for line in lines {
        if let What::Lost { files, .. } = &line.what {
            roots.extend(files.iter().map(|file| file.root.clone()));
        }
    }
    Ok(roots)
}

fn under_review(candidate: &Candidate) -> String {
    let item = &candidate.item;
    match &candidate.stage {
        Stage::Settling { .. } => format!("{item} may be gone; waiting until the disk is quiet"),
        Stage::Probing { .. } => format!("{item} may be gone; the disk is being asked"),
        Stage::Held { holding, .. } => {
            format!("{item} may be gone, held: {}; {}", holding.why, holding.why.ends())
        }
    }
}

/// The media files of an item that the inventory knows.
fn places<S: Storage, R: Record>(
    engine: &Engine<S, R>,
    item: &Item,
) -> Result<Vec<String>, StoreError> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let keys = item.match_keys();
    for title in engine.store.titles(&keys)? {
        let Some(run) = engine.roots.get(&title.place.root) else { continue };
        let known = Stored { root: &run.spec.name, inventory: &*engine.store };
        let root_title = run.spec.title();
        let placer = Placer::new(&run.spec.name, &root_title, &known);
        engine.store.within(&run.spec.name, &title.place.folder, &mut |dir, record| {
            for file in &record.files {
                let path = dir.join(&file.name);
                let owner = placer.place(&path).title.item;
                if owner.match_keys().iter().any(|key| keys.contains(key)) {
                    let path = path.under(&run.spec.path);
                    let bytes = std::os::unix::ffi::OsStrExt::as_bytes(path.as_os_str());
                    found.insert(shown(bytes));
                }
            }
            if title.place.loose { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        })?;
    }
    Ok(found.into_iter().collect())
}

fn line(decision: &Decision) -> StoryLine {
    StoryLine {
        at: decision.at,
        kind: words::kind(&decision.what).to_owned(),
        text: words::sentence(decision),
        evidence: decision.evidence.iter().map(Into::into).collect(),
    }
}

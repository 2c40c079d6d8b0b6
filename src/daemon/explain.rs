//! The stories that `explain` tells. They read much of the store, so they are told beside the loop,
//! from what it knew when they were asked for.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use super::engine::{Engine, Record};
use super::folder_story::folder_story;
use super::folders::{Around, Stored};
use super::inner::root_at;
use super::roots::RootSpec;
use super::words;
use crate::catalog::{Folders, TitleAt};
use crate::control::{Explanation, Story, StoryLine};
use crate::domain::{
    Candidate, Decision, Health, Item, ItemKey, RelPath, RootName, Stage, Timestamp, What, shown,
};
use crate::store::{Storage, StoreError};

/// How many items an explanation tells of at most.
const MOST_STORIES: usize = 5;
/// How many places of an item are told.
const MOST_PLACES: usize = 20;

/// What the loop knows beside the store.
#[derive(Debug)]
pub(super) struct Known {
    roots: Vec<KnownRoot>,
    candidates: Vec<Candidate>,
    closed: BTreeMap<ItemKey, Timestamp>,
}

#[derive(Debug)]
struct KnownRoot {
    spec: RootSpec,
    health: Health,
    reason: String,
}

impl Known {
    /// What is known now.
    pub(super) fn of<S: Storage, R: Record>(engine: &Engine<S, R>) -> Self {
        let roots = engine.core.roots().iter().filter_map(|(name, root)| {
            let spec = engine.roots.get(name)?.spec.clone();
            Some(KnownRoot { spec, health: root.health, reason: root.reason.clone() })
        });
        let closed =
            engine.core.items().filter_map(|state| Some((state.item.key(), state.closed?)));
        Self {
            roots: roots.collect(),
            candidates: engine.core.candidates().values().cloned().collect(),
            closed: closed.collect(),
        }
    }

    fn root(&self, name: &str) -> Option<&KnownRoot> {
        self.roots.iter().find(|root| root.spec.name.as_str() == name)
    }
}

/// The stories of what `query` may mean: a key, a part of a title, a path, or a root's name.
pub(super) fn explain<S: Storage>(
    store: &S,
    known: &Known,
    query: &str,
) -> Result<Explanation, StoreError> {
    let mut explanation = Explanation { query: query.to_owned(), stories: Vec::new() };
    let root = query.strip_prefix("root:").unwrap_or(query);
    if let Some(KnownRoot { spec, health, reason }) = known.root(root) {
        let name = &spec.name;
        let lines = store.history(&format!("root:{name}"))?;
        explanation.stories.push(Story {
            key: format!("root:{name}"),
            title: name.to_string(),
            state: health.to_string(),
            summary: format!("root {name} is {health}: {reason}"),
            places: Vec::new(),
            lines: lines.iter().map(line).collect(),
        });
    }
    let specs = known.roots.iter().map(|root| &root.spec);
    if let Some(story) = folder_story(store, specs, query)? {
        explanation.stories.push(story);
        return Ok(explanation);
    }
    let items = match item_at(store, known, query) {
        Some(item) => vec![item],
        None => store.search(query, MOST_STORIES)?,
    };
    for item in items {
        explanation.stories.push(story(store, known, &item)?);
    }
    Ok(explanation)
}

/// The item that a path belongs to.
fn item_at<S: Storage>(store: &S, known: &Known, query: &str) -> Option<Item> {
    let path = std::path::Path::new(query);
    let spec = root_at(known.roots.iter().map(|root| &root.spec), path)?;
    let rel = path.strip_prefix(&spec.path).ok()?;
    let rel = RelPath::parse(std::os::unix::ffi::OsStrExt::as_bytes(rel.as_os_str())).ok()?;
    let folders = Stored { root: &spec.name, inventory: store };
    let is_folder = rel.is_root() || folders.folder(&rel).is_some();
    let file = if is_folder { rel.join(b"x.mkv") } else { rel };
    let title = spec.title();
    let around = Around::new(&folders, store, spec.within.as_ref());
    let item = around.placer(&spec.name, &title).place(&file).title.item;
    Some(item)
}

fn story<S: Storage>(store: &S, known: &Known, item: &Item) -> Result<Story, StoreError> {
    let key = item.key();
    let places = places(store, known, item)?;
    let candidate = known.candidates.iter().find(|c| c.item.key() == key);
    let closed = known.closed.get(&key).copied();
    let (state, summary) = match (candidate, closed) {
        (Some(candidate), _) => ("under review", under_review(candidate)),
        (None, Some(when)) => ("gone", format!("{item} is gone; reported at {when}")),
        (None, None) if !places.is_empty() => {
            let files = if places.len() == 1 { "file" } else { "files" };
            let count = places.len();
            let summary = match unseen(store, known, item)? {
                Some(why) => format!("{item} was there when last seen, {count} {files}; {why}"),
                None => format!("{item} is there: {count} {files}"),
            };
            ("alive", summary)
        }
        (None, None) => ("unknown", format!("no file of {item} is known")),
    };
    let mut lines: Vec<Decision> = store.history(key.as_str())?;
    for root in roots_of(store, item, &lines)? {
        let changes = store.history(&format!("root:{root}"))?;
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

/// Why nobody can see now whether an item is still there, if so.
fn unseen<S: Storage>(store: &S, known: &Known, item: &Item) -> Result<Option<String>, StoreError> {
    for TitleAt { place, .. } in store.titles(&item.match_keys())? {
        // A mount that is away hides its place, whatever lies there without it.
        let covers = |root: &&KnownRoot| match &root.spec.within {
            _ if root.spec.name == place.root => true,
            Some(within) => within.outer == place.root && place.folder.is_within(&within.dir),
            None => false,
        };
        let dark = |root: &&KnownRoot| matches!(root.health, Health::Offline | Health::Stalled);
        if let Some(KnownRoot { spec, health, .. }) = known.roots.iter().filter(covers).find(dark) {
            let name = &spec.name;
            let why = format!("root {name} is {health}, and nothing in its place is looked at");
            return Ok(Some(why));
        }
    }
    Ok(None)
}

/// The roots that an item lies or lay in.
fn roots_of<S: Storage>(
    store: &S,
    item: &Item,
    lines: &[Decision],
) -> Result<BTreeSet<RootName>, StoreError> {
    let titles = store.titles(&item.match_keys())?;
    let mut roots: BTreeSet<RootName> = titles.into_iter().map(|title| title.place.root).collect();
    for line in lines {
        if let What::Lost { files, .. } = &line.what {
            roots.extend(files.iter().map(|file| file.root.clone()));
        }
    }
    Ok(roots)
}

/// Why a candidate waits for a second look, if it does.
pub(super) fn looked_once(candidate: &Candidate) -> Option<String> {
    let first = candidate.absent?;
    Some(format!(
        "nothing of it was there at {}; it lies on a network or FUSE file system, where that must be \
         seen a second time after remote.confirm",
        first.at
    ))
}

fn under_review(candidate: &Candidate) -> String {
    let item = &candidate.item;
    let once = looked_once(candidate);
    match &candidate.stage {
        Stage::Settling { .. } if let Some(once) = once => format!("{item} may be gone: {once}"),
        Stage::Settling { .. } => format!("{item} may be gone; waiting until the disk is quiet"),
        Stage::Probing { .. } => format!("{item} may be gone; the disk is being asked"),
        Stage::Held { holding, .. } => {
            format!("{item} may be gone, held: {}; {}", holding.why, holding.why.ends())
        }
    }
}

/// The media files of an item that the inventory knows.
fn places<S: Storage>(store: &S, known: &Known, item: &Item) -> Result<Vec<String>, StoreError> {
    let mut found: BTreeSet<String> = BTreeSet::new();
    let keys = item.match_keys();
    for title in store.titles(&keys)? {
        let Some(KnownRoot { spec, .. }) = known.root(title.place.root.as_str()) else { continue };
        let folders = Stored { root: &spec.name, inventory: store };
        let root_title = spec.title();
        let around = Around::new(&folders, store, spec.within.as_ref());
        let placer = around.placer(&spec.name, &root_title);
        store.within(&spec.name, &title.place.folder, &mut |dir, record| {
            for file in &record.files {
                let path = dir.join(&file.name);
                let owner = placer.place(&path).title.item;
                if owner.match_keys().iter().any(|key| keys.contains(key)) {
                    let path = path.under(&spec.path);
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

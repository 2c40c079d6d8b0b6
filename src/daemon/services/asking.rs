//! What the services are asked about one item, and what their answers are worth.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::catalog::{Case, Concern, Coverage, Mapped, Mapping, Sanity, Sight, testimony};
use crate::core::Probe;
use crate::daemon::engine::{Engine, Record};
use crate::daemon::looking::Found;
use crate::daemon::orders::Order;
use crate::domain::{
    Answer, DiskLook, Evidence, Failure, FilePath, FileState, Instance, Item, Listed, Now,
    Question, Said, Service, Testimony, Timestamp,
};
use crate::prober::Reply;
use crate::store::Storage;

/// Why one of whom there is no answer has none.
const NOT_ASKED: &str = "it was not asked: it is in the configuration only since";

impl<S: Storage, R: Record> Engine<S, R> {
    /// What each instance is to be asked. One that never listed the item is asked too: it may by now.
    pub(in crate::daemon) fn questions(
        &self,
        now: Now,
        probe: &Probe,
    ) -> Vec<(Instance, Question)> {
        let lost: Vec<FilePath> = probe.lost.iter().map(|file| file.path.clone()).collect();
        let titles = &self.services.titles;
        let question = |instance: &Instance| {
            let not_before = self.settled(now, probe);
            titles.question(&probe.item, &probe.places, &lost, instance, not_before)
        };
        let runs = self.services.runs.keys();
        runs.map(|instance| (instance.clone(), question(instance))).collect()
    }

    /// Weighs what the services answered beside what the disk shows.
    pub(in crate::daemon) fn testify(&mut self, now: Now, found: &mut Found) {
        let Found { probe, findings, replies } = found;
        let lost: Vec<FilePath> = probe.lost.iter().map(|file| file.path.clone()).collect();
        let (mut doubtful, mut refuted) = (Vec::new(), Vec::new());
        // One that came into the configuration since has a say as well.
        let unasked = Err(Failure::Transient { why: NOT_ASKED.to_owned(), retry_after: None });
        for (instance, run) in &self.services.runs {
            let replied = replies.iter().find(|(of, _)| of == instance);
            let reply = replied.map_or(&unasked, |(_, reply)| reply);
            let titles = &self.services.titles;
            let not_before = self.settled(now, probe);
            let question = titles.question(&probe.item, &probe.places, &lost, instance, not_before);
            let shelf = titles.shelf(instance);
            let case = Case {
                instance,
                question: &question,
                concern: titles.concerns(&probe.item, &probe.places, &lost, instance),
                sanity: run.trust.sanity(),
                about: shelf.map(|shelf| &shelf.about),
                mapping: &run.mapping,
                coverage: run.coverage(),
                seasons: None,
            };
            let sight = Seen { look: &findings.disk, probe };
            let (mut answer, mut facts) = testimony(&case, reply.as_ref(), &sight);
            let has_none = reply.as_ref().is_ok_and(|said| said.titles.is_empty());
            if matches!(answer, Answer::Unknown { .. })
                && case.concern == Concern::Never
                && case.sanity == Sanity::Sane
                && has_none
            {
                if let Some(why) = may_be_astray(run.coverage()) {
                    facts.push(why.clone());
                    answer = Answer::Unknown { why };
                } else if shelf.is_some_and(|shelf| shelf.at >= not_before) {
                    // It can't be asked for it by any number. All that it has says the same, if it is
                    // new.
                    answer = Answer::NoSay;
                    facts = vec!["it lists nothing of that name, nor at that place".to_owned()];
                } else {
                    doubtful.push(instance.clone());
                }
            }
            if answer == Answer::Absent
                && probe.lost.is_empty()
                && probe.places.is_empty()
                && let Some(why) = self.folder_in_doubt(instance, &probe.item, reply.as_ref().ok())
            {
                facts.push(why.clone());
                answer = Answer::Unknown { why };
            }
            if let (Answer::Refuted { .. }, Ok(said)) = (&answer, reply) {
                refuted.push((instance.clone(), said));
            }
            if let (Ok(said), None) = (reply, &findings.replacing) {
                let sign = said.replacing.as_ref();
                findings.replacing = sign.map(|sign| format!("{instance}: {sign}"));
            }
            let (witness, word) = (instance.witness(), word(&answer));
            findings.evidence.extend(facts.into_iter().map(|detail| Evidence {
                witness: witness.clone(),
                answer: word.to_owned(),
                path: None,
                detail,
                at: findings.at,
            }));
            findings.services.push(Testimony { witness, answer });
        }
        for (instance, said) in refuted {
            self.refuted(now, &instance, &probe.item, said);
        }
        self.orders.extend(doubtful.into_iter().map(Order::Sweep));
    }

    /// Why an item that lies in no root is not believed gone, although a manager of files says so: a
    /// disk that only the manager sees may be away.
    fn folder_in_doubt(
        &self,
        instance: &Instance,
        item: &Item,
        said: Option<&Said>,
    ) -> Option<String> {
        if !matches!(instance.service, Service::Radarr | Service::Sonarr) {
            return None;
        }
        let titles = &self.services.titles;
        // It is listed no more: where it lay is remembered from when it was.
        let Some(was) = titles.folder_of(instance, item) else {
            return Some("in which of its folders it lay is not known any more".to_owned());
        };
        let folder = &was.path;
        let now = said.and_then(|said| said.folders.iter().find(|now| now.is_at(folder)));
        if now.is_none_or(|now| now.accessible != Some(true)) {
            return Some(format!("it can't see its folder {}", folder.0));
        }
        let (before, after) = (was.free, now.and_then(|now| now.free));
        // Another disk at that place has another free space; what was deleted adds a little.
        if before.zip(after).is_some_and(|(before, after)| after / 2 > before || after < before / 2)
        {
            return Some(format!("the free space of its folder {} is another's", folder.0));
        }
        let keys = item.match_keys();
        let is_it = |title: &Listed| title.item.match_keys().iter().any(|key| keys.contains(key));
        let sibling = |title: &Listed| {
            let its = title.root_folder.as_ref().is_some_and(|root| was.is_at(root));
            its && title.file_count > 0 && !is_it(title)
        };
        let alone = !titles.shelf(instance).is_some_and(|shelf| shelf.titles.iter().any(sibling));
        alone.then(|| format!("no other title of its folder {} has a file", folder.0))
    }

    /// When the world had been quiet for long enough, by the wall clock.
    fn settled(&self, now: Now, probe: &Probe) -> Timestamp {
        let quiet = probe.after.plus(self.core.policy().settle);
        now.wall.minus(now.awake.since(quiet))
    }
}

/// The places here that the answers claim for files.
pub(in crate::daemon) fn claims(
    replies: &[Reply],
    mappings: &BTreeMap<Instance, Arc<Mapping>>,
) -> Vec<FilePath> {
    let mut claims = Vec::new();
    for (instance, said) in replies {
        let Some((mapping, said)) = mappings.get(instance).zip(said.as_ref().ok()) else {
            continue;
        };
        for file in said.titles.iter().flat_map(|title| &title.files) {
            if let Mapped::Here(path) = mapping.map(&file.path) {
                claims.push(path);
            }
        }
    }
    claims.sort();
    claims.dedup();
    claims
}

/// Why a title that an instance does not list by name may be one that it has at a place that can't be
/// seen from here, under another name.
fn may_be_astray(coverage: &Coverage) -> Option<String> {
    let (folder, counts) = coverage.unfit()?;
    let folder = folder.map_or_else(String::new, |folder| format!(" in {}", folder.0));
    Some(format!(
        "of {} places that it names{folder} {} are found here, and it may have this title at one of \
         the others: where its paths lie here may be wrong",
        counts.all(),
        counts.known,
    ))
}

fn word(answer: &Answer) -> &'static str {
    match answer {
        Answer::Verified { .. } => "present",
        Answer::Unverified { .. } => "claimed",
        Answer::Refuted { .. } => "refuted",
        Answer::Absent => "absent",
        Answer::NoSay => "no_say",
        Answer::Unknown { .. } => "unknown",
    }
}

/// What the look at the disk showed, for weighing claims.
struct Seen<'a> {
    look: &'a DiskLook,
    probe: &'a Probe,
}

impl Sight for Seen<'_> {
    fn file(&self, file: &FilePath) -> Option<FileState> {
        let looks = self.look.claims.iter().chain(&self.look.files);
        looks.into_iter().find(|look| look.path == *file).map(|look| look.state.clone())
    }

    fn below(&self, folder: &FilePath) -> Option<FileState> {
        let is_below =
            |path: &FilePath| path.root == folder.root && path.rel.is_within(&folder.rel);
        let mut found = self.look.found.iter().filter(|file| !file.extra);
        if found.any(|file| is_below(&file.path)) {
            return Some(FileState::Present);
        }
        let mut below = self.look.files.iter().filter(|look| is_below(&look.path)).peekable();
        below.peek()?;
        let unknown = below.find(|look| look.state != FileState::Absent);
        Some(unknown.map_or(FileState::Absent, |look| look.state.clone()))
    }

    fn was_seen(&self, path: &FilePath) -> bool {
        let mut lost = self.probe.lost.iter();
        lost.any(|file| file.path.root == path.root && file.path.rel.is_within(&path.rel))
    }
}

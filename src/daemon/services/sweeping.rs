//! What a listing means: whether it is believed, what is learned from it, and what is hinted at.

use std::collections::BTreeSet;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use super::{Appraisal, Run, State, difference};
use crate::catalog::{Known, Sanity};
use crate::control::AcceptView;
use crate::daemon::engine::{Engine, Record};
use crate::daemon::messages;
use crate::daemon::narrator::Line;
use crate::daemon::orders::Order;
use crate::daemon::roots::RootRun;
use crate::daemon::view::candidate_view;
use crate::domain::{
    AbsPath, Candidate, Entry, Failure, FilePath, Instance, Listing, Now, RelPath, RootName, Stage,
    Witness,
};
use crate::store::{Batch, Durability, Storage, StoreError};

/// How long a service may go on listing what is gone.
const LATELY: Duration = Duration::from_hours(30 * 24);
/// How many titles are stored in one transaction, which is held in memory.
const STORED_AT_ONCE: usize = 500;

impl<S: Storage, R: Record> Engine<S, R> {
    /// The files that are under review or were told lately: they were where services say, who may not
    /// have noticed yet.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(in crate::daemon) fn lost_files(&self, now: Now) -> Result<BTreeSet<FilePath>, StoreError> {
        let reviewed = self.core.candidates().values().flat_map(|candidate| &candidate.lost);
        let mut lost: BTreeSet<FilePath> = reviewed.map(|file| file.path.clone()).collect();
        let lately = |entry: &&Entry| now.wall.since(entry.deletion.confirmed_at) < LATELY;
        for entry in self.store.entries()?.iter().filter(lately) {
            lost.extend(entry.lost.iter().map(|file| file.path.clone()));
            // Of what was told the evidence is left.
            let facts = entry.deletion.evidence.iter();
            let gone =
                facts.filter(|fact| fact.witness == Witness::Disk && fact.answer == "absent");
            lost.extend(
                gone.filter_map(|fact| fact.path.as_ref()).flat_map(|at| self.in_roots(at)),
            );
        }
        Ok(lost)
    }

    /// A path as the roots have it that it lies in.
    fn in_roots(&self, path: &AbsPath) -> Vec<FilePath> {
        let inside = |(name, run): (&RootName, &RootRun)| {
            let rel = path.as_path().strip_prefix(&run.spec.path).ok()?;
            let rel = RelPath::parse(rel.as_os_str().as_bytes()).ok()?;
            Some(FilePath::new(name.clone(), rel))
        };
        self.roots.iter().filter_map(inside).collect()
    }

    /// The roots, for looking a better mapping up in.
    pub(in crate::daemon) fn root_names(&self) -> Vec<RootName> {
        self.roots.keys().cloned().collect()
    }

    /// An instance could not be listed.
    pub(in crate::daemon) fn not_swept(&mut self, now: Now, instance: &Instance, why: &Failure) {
        self.turn_service(now, instance, State::Failing(why.to_string()));
    }

    /// Whether what an instance listed last was not believed.
    pub(in crate::daemon) fn is_doubted(&self, instance: &Instance) -> bool {
        let run = self.services.runs.get(instance);
        run.is_some_and(|run| matches!(run.state, State::Doubted(_)))
    }

    /// An instance was listed, and held against the disk. `scheduled`: by the timer, not by a person.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub(in crate::daemon) fn swept(
        &mut self,
        now: Now,
        instance: &Instance,
        listing: Listing,
        appraisal: Appraisal,
        scheduled: bool,
    ) -> Result<(), StoreError> {
        let brake = self.services.brake;
        let Some(run) = self.services.runs.get_mut(instance) else { return Ok(()) };
        let before = self.services.titles.shelf(instance);
        let is_first = before.is_none();
        let judged = run.trust.judge(before, &listing, scheduled, brake);
        let known = Known {
            about: before.map_or(&listing.about, |shelf| &shelf.about).clone(),
            folders: before.map_or(&listing.folders, |shelf| &shelf.folders).clone(),
            at: before.map_or(listing.begun, |shelf| shelf.at),
            basis: run.basis.clone(),
            trust: run.trust.clone(),
        };
        if judged.sanity != Sanity::Sane {
            self.batch.services.push((instance.clone(), Some(known)));
            let why = judged.sanity.why().unwrap_or_default();
            self.turn_service(now, instance, State::Doubted(why));
            return self.commit(now);
        }
        run.appraisal = appraisal;
        let titles = before.map_or(&[][..], |shelf| &shelf.titles);
        // What a listing that moved while it was read lacks is kept.
        let moving = listing.moving.is_some();
        let changed = difference(titles, &listing.titles);
        let (new, changed): (Vec<_>, Vec<_>) =
            changed.into_iter().partition(|(_, listed, is_new)| listed.is_some() && *is_new);
        // What is new hints at nothing: it may be stored before, bit by bit.
        for new in new.chunks(STORED_AT_ONCE) {
            let listed = new
                .iter()
                .map(|(id, listed, _)| (instance.clone(), (*id).to_owned(), listed.cloned()));
            let batch = Batch { listed: listed.collect(), ..Batch::default() };
            self.store.commit(&batch, Durability::Soon)?;
        }
        let changed = changed.into_iter().filter(|(_, listed, _)| listed.is_some() || !moving);
        let listed =
            changed.map(|(id, listed, _)| (instance.clone(), id.to_owned(), listed.cloned()));
        self.batch.listed.extend(listed);
        let (about, folders) = (listing.about.clone(), listing.folders.clone());
        let begun = listing.begun;
        let changes = self.services.titles.learn(instance, listing);
        let past = self.services.titles.past().iter().rev();
        let new = past.take_while(|one| one.at == begun && one.instance == *instance);
        let new = new.map(|one| (instance.clone(), one.id.clone(), Some(one.clone())));
        self.batch.past.extend(new);
        let known = Known { about, folders, at: begun, ..known };
        self.batch.services.push((instance.clone(), Some(known)));
        self.turn_service(now, instance, State::Well);
        if !is_first {
            self.hint(now, instance, &changes)?;
        }
        self.hint_listed(now, instance);
        self.core.heard(now, &instance.witness());
        self.commit(now)
    }

    /// A person says that an instance is right as it is now, or asks what that would do. Why not, if
    /// nothing is doubted. It takes effect with the next listing.
    ///
    /// # Errors
    /// When the store can't be written.
    pub(in crate::daemon) fn accept_service(
        &mut self,
        now: Now,
        instance: &Instance,
        go: bool,
    ) -> Result<Result<AcceptView, String>, StoreError> {
        let known: Vec<String> = self.services.runs.keys().map(ToString::to_string).collect();
        let holds = |candidate: &&Candidate| match &candidate.stage {
            Stage::Held { holding, .. } => holding.why.witness() == instance.to_string(),
            _ => false,
        };
        let held = self.core.candidates().values().filter(holds);
        let concerns = held.map(|candidate| candidate_view(self, candidate)).collect();
        let Some(run) = self.services.runs.get_mut(instance) else {
            let known = known.join(", ");
            return Ok(Err(format!("there is no service {instance}; there are: {known}")));
        };
        let State::Doubted(why) = &run.state else {
            let why = "only a service whose listing is not believed can be accepted";
            return Ok(Err(format!("{instance} has nothing to accept: {why}")));
        };
        let view = AcceptView {
            root: instance.to_string(),
            health: "unwell".to_owned(),
            reason: why.clone(),
            accepted: go,
            concerns,
            titles: Vec::new(),
        };
        if go {
            if let Err(error) = self.recorder.record_verb("accept", &view.root, now.wall) {
                return Ok(Err(format!(
                    "the ledger can't be written, nothing was done: {error:#}"
                )));
            }
            run.trust.accept();
            if let Some(shelf) = self.services.titles.shelf(instance) {
                let known = Known {
                    about: shelf.about.clone(),
                    folders: shelf.folders.clone(),
                    at: shelf.at,
                    basis: run.basis.clone(),
                    trust: run.trust.clone(),
                };
                self.batch.services.push((instance.clone(), Some(known)));
            }
            self.commit(now)?;
        }
        Ok(Ok(view))
    }

    fn turn_service(&mut self, now: Now, instance: &Instance, to: State) {
        let Some(run) = self.services.runs.get_mut(instance) else { return };
        if run.state == to {
            return;
        }
        // Another reason not to be reached is not worth another line.
        let is_news = !matches!((&run.state, &to), (State::Failing(_), State::Failing(_)));
        run.since = if is_news { now.wall } else { run.since };
        run.state = to;
        if is_news {
            let line = line(instance, run);
            self.orders.push(Order::Say(line));
        }
    }
}

fn line(instance: &Instance, run: &Run) -> Line {
    let (message, text, why) = match &run.state {
        State::Well | State::Unheard => {
            let text = format!("{instance} answers, and what it lists is believed");
            return Line::new(messages::SERVICE_WELL, text).of_witness(instance.to_string());
        }
        State::Failing(why) => {
            let text = format!("{instance} could not be listed: {why}; it is tried again");
            (messages::SERVICE_UNWELL, text, why)
        }
        State::Doubted(why) => {
            let text = format!(
                "what {instance} lists is not believed: {why}; nothing is concluded from it until \
                 it is as before, or `obituarr accept {instance}` says that it is right"
            );
            (messages::SERVICE_UNWELL, text, why)
        }
    };
    Line::new(message, text).of_witness(instance.to_string()).because(why.clone())
}

//! The listings of services, begun and taken over by the loop, and full looks, which want them.

use std::sync::Arc;

use super::looking::Brought;
use super::run::Loop;
use super::services::{self, Appraisal};
use super::view;
use super::watching::Beside;
use crate::control::{AcceptView, CheckProgress, CheckView, Reply};
use crate::domain::{Failure, Instance, Kind, Listing, Now, Service};
use crate::sensors::sweep::Swept;
use crate::store::StoreError;

impl Loop<'_> {
    /// Begins the listings that are due. What lies on the disk must be known first: nothing can be held
    /// against it before.
    pub(super) fn sweep(&mut self, now: Now, beside: &mut Beside) {
        if !self.engine.is_ready() {
            return;
        }
        for (instance, why) in beside.panel.begin(now.awake) {
            self.engine.not_swept(now, &instance, &Failure::Permanent { why });
            beside.checks.listed(&instance);
        }
    }

    /// A service was listed, or could not be.
    ///
    /// # Errors
    /// When the store can't be read.
    pub(super) fn swept(
        &mut self,
        now: Now,
        swept: Swept,
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        let Swept { instance, number, listing } = swept;
        if !beside.panel.came(&instance, number) {
            return Ok(());
        }
        let listing = match listing {
            Ok(listing) => lighten(listing),
            Err(failure) => {
                self.engine.not_swept(now, &instance, &failure);
                beside.panel.counted(&instance, 0);
                self.listing_ended(now, &instance, true, beside);
                return Ok(());
            }
        };
        let Some(mapping) = self.engine.mappings().remove(&instance) else { return Ok(()) };
        let (lost, roots) = (self.engine.lost_files(now)?, self.engine.root_names());
        let (store, brought) = (Arc::clone(&self.store), beside.brought.clone());
        tokio::task::spawn_blocking(move || {
            let titles = &listing.titles;
            let appraisal =
                services::appraise(&*store, &mapping, titles, &listing.folders, &lost, &roots);
            let listing = Box::new((listing, appraisal));
            // The loop has ended: then nobody waits for it.
            drop(brought.blocking_send(Brought::Appraised(instance, number, listing)));
        });
        Ok(())
    }

    /// A listing was held against the disk.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub(super) fn appraised(
        &mut self,
        now: Now,
        instance: &Instance,
        number: u64,
        (listing, appraisal): (Listing, Result<Appraisal, StoreError>),
        beside: &mut Beside,
    ) -> Result<(), StoreError> {
        if !beside.panel.came(instance, number) {
            return Ok(());
        }
        let scheduled = beside.panel.is_scheduled(instance);
        beside.panel.counted(instance, listing.titles.len());
        self.engine.swept(now, instance, listing, appraisal?, scheduled)?;
        // One that is not believed may be as before soon: then it need not wait for a person.
        let in_vain = self.engine.is_doubted(instance);
        self.listing_ended(now, instance, in_vain, beside);
        Ok(())
    }

    fn listing_ended(&mut self, now: Now, instance: &Instance, in_vain: bool, beside: &mut Beside) {
        beside.panel.is_scheduled(instance);
        beside.panel.ended(now.awake, instance, in_vain);
        beside.checks.listed(instance);
    }

    /// Somebody wants a full look, and may wait for it.
    pub(super) fn check(
        &mut self,
        now: Now,
        caller: Option<Reply<CheckView>>,
        beside: &mut Beside,
    ) {
        self.engine.look_again(now);
        let readable = self.engine.readable_roots();
        // Who comes while services are being listed is given what comes of that: to list them once
        // more at once would ask much of them, and tell nothing else.
        let under_way = beside.checks.listening();
        let services = if under_way.is_empty() { beside.panel.want_all() } else { under_way };
        let number = beside.checks.want(caller, &readable, &services);
        for root in &readable {
            match beside.watchers.get(root) {
                Some((_, handle)) => handle.check(number),
                None => beside.checks.gone(root),
            }
        }
    }

    /// A person accepts a root or a service as it is now, or only wants to know what that would do.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub(super) fn accept(
        &mut self,
        now: Now,
        what: &str,
        go: bool,
        beside: &mut Beside,
    ) -> Result<Result<AcceptView, String>, StoreError> {
        let Some(instance) = instance(what) else {
            return view::accept(&mut self.engine, now, what, go);
        };
        let accepted = self.engine.accept_service(now, &instance, go)?;
        if go && accepted.is_ok() {
            beside.panel.want(&instance);
        }
        Ok(accepted)
    }
}

/// Leaves out what a folder says as well: a library has many more episodes than titles, and which of them
/// a series has is asked afresh when it matters.
fn lighten(mut listing: Listing) -> Listing {
    for title in &mut listing.titles {
        if title.item.kind == Kind::Series && title.folder.is_some() {
            title.files = Vec::new();
        }
        title.files.shrink_to_fit();
    }
    listing.titles.shrink_to_fit();
    listing
}

/// The instance of a name like `radarr.uhd`.
fn instance(name: &str) -> Option<Instance> {
    let (service, name) = name.split_once('.')?;
    let service = Service::ALL.into_iter().find(|known| known.to_string() == service)?;
    Some(Instance { service, name: name.to_owned() })
}

/// How far the full look is that somebody waits for.
pub(super) fn progress(beside: &Beside) -> Option<CheckProgress> {
    let (awaited, mut steps) = beside.checks.progress()?;
    steps.extend(beside.panel.steps(&awaited));
    Some(CheckProgress { steps })
}

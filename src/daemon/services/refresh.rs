//! Asks a manager to look again at a title that it claims and that the disk refutes, so that it does not
//! go on saying so. Only where the manager sees its folder; never for a claim that can't be checked.

use std::time::Duration;

use crate::daemon::engine::{Engine, Record};
use crate::daemon::orders::Order;
use crate::domain::{Awake, Instance, Item, Now, Said};
use crate::store::Storage;

/// How often a title may be looked at again because of us, and how soon after another title.
const ONE_TITLE: Duration = Duration::from_hours(24);
const ONE_INSTANCE: Duration = Duration::from_secs(10);

impl<S: Storage, R: Record> Engine<S, R> {
    /// An instance claims what the disk refutes.
    pub(super) fn refuted(&mut self, now: Now, instance: &Instance, item: &Item, said: &Said) {
        if !self.services.refresh.contains(&instance.service) {
            return;
        }
        let is_seen = |title: &&crate::domain::Listed| {
            let mut folders = said.folders.iter();
            folders.any(|folder| {
                Some(&folder.path) == title.root_folder.as_ref() && folder.accessible == Some(true)
            })
        };
        let mut claims = said.titles.iter().filter(|title| title.file_count > 0);
        let Some(title) = claims.find(is_seen) else { return };
        let key = (instance.clone(), item.key());
        let asked = &mut self.services.refreshed;
        asked.retain(|_, at: &mut Awake| now.awake.since(*at) < ONE_TITLE);
        let is_busy =
            asked.iter().any(|((of, _), at)| of == instance && now.awake.since(*at) < ONE_INSTANCE);
        if is_busy || asked.contains_key(&key) {
            return;
        }
        asked.insert(key, now.awake);
        self.orders.push(Order::Refresh(instance.clone(), title.id.clone()));
    }
}

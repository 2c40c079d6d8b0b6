//! Makes the index of titles anew from the inventory: nothing in it is known from anywhere else.

use std::collections::BTreeSet;
use std::ops::ControlFlow;

use super::engine::{Engine, Record};
use super::folders::{Around, Stored};
use super::messages;
use super::narrator::Line;
use super::orders::Order;
use crate::catalog::TitleAt;
use crate::domain::RelPath;
use crate::store::{Storage, StoreError};

impl<S: Storage, R: Record> Engine<S, R> {
    /// Makes the index anew if it is lost. Must be done before anybody looks for a title.
    ///
    /// # Errors
    /// When the store can't be read or written.
    pub(super) fn mend_titles(&mut self) -> Result<(), StoreError> {
        if !self.store.titles_lost()? {
            return Ok(());
        }
        let mut titles: BTreeSet<TitleAt> = BTreeSet::new();
        for (name, run) in &self.roots {
            let known = Stored { root: name, inventory: &*self.store };
            let around = Around::new(&known, &*self.store, run.spec.within.as_ref());
            let placer = around.placer(name, &run.title);
            self.store.within(name, &RelPath::root(), &mut |dir, record| {
                for file in &record.files {
                    titles.insert(placer.place(&dir.join(&file.name)).title);
                }
                ControlFlow::Continue(())
            })?;
        }
        let titles: Vec<TitleAt> = titles.into_iter().collect();
        self.store.replace_titles(&titles)?;
        let text = format!("which titles lie where was made anew: {} titles", titles.len());
        self.orders.push(Order::Say(Line::new(messages::HEALED, text)));
        Ok(())
    }
}

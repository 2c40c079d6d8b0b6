//! One listing for all who need one: it answers every question that is older than it, and is read once at
//! a time.
//!
//! Must never answer a question with a listing that was begun before it.

use std::sync::{Arc, Weak};
use std::time::Duration;

use tokio::sync::Mutex;

use crate::domain::{Failure, Timestamp};

/// A listing is dropped after this: it takes up room, and the wall clock may be set back.
const LIFE: Duration = Duration::from_secs(300);

/// What was read, and when that was begun.
#[derive(Debug)]
pub(super) struct Read<T> {
    pub(super) begun: Timestamp,
    pub(super) value: T,
    /// Why nothing that is missing in it is absent. Such a one is not kept for others.
    pub(super) moving: Option<String>,
}

/// The newest listing, if any. Who waits for the lock waits for the listing that is being read.
#[derive(Debug)]
pub(super) struct Shared<T> {
    newest: Arc<Mutex<Option<Arc<Read<T>>>>>,
}

impl<T> Default for Shared<T> {
    fn default() -> Self {
        Self { newest: Arc::default() }
    }
}

impl<T: Send + Sync + 'static> Shared<T> {
    /// A listing that was begun at `not_before` or later: the one that is there, or a new one. Only if
    /// the clock was set back may it be older.
    ///
    /// It is read to its end even if the one who asked goes away: a listing that takes longer than anyone
    /// waits would else be begun again and again.
    pub(super) async fn since<F>(
        &self,
        not_before: Timestamp,
        now: impl Fn() -> Timestamp,
        read: F,
    ) -> Result<Arc<Read<T>>, Failure>
    where
        F: Future<Output = Result<(T, Option<String>), Failure>> + Send + 'static,
    {
        let mut newest = Arc::clone(&self.newest).lock_owned().await;
        let begun = now();
        let fits = |read: &&Arc<Read<T>>| read.begun >= not_before && read.begun <= begun;
        if let Some(read) = newest.as_ref().filter(fits) {
            return Ok(Arc::clone(read));
        }
        let kept = Arc::downgrade(&self.newest);
        let reading = tokio::spawn(async move {
            *newest = None;
            let (value, moving) = read.await?;
            let read = Arc::new(Read { begun, value, moving });
            if read.moving.is_none() {
                *newest = Some(Arc::clone(&read));
                tokio::spawn(drop_later(kept, Arc::downgrade(&read)));
            }
            Ok(read)
        });
        reading.await.unwrap_or_else(|_| {
            let why = "reading a listing met a fault of its own".to_owned();
            Err(Failure::Transient { why, retry_after: None })
        })
    }
}

impl<T> Shared<T> {
    /// Drops the listing, unless one is being read: that one is new.
    pub(super) fn forget(&self) {
        if let Ok(mut newest) = self.newest.try_lock() {
            *newest = None;
        }
    }
}

/// Drops a listing after its life, if there is no newer one.
async fn drop_later<T>(newest: Weak<Mutex<Option<Arc<Read<T>>>>>, read: Weak<Read<T>>) {
    tokio::time::sleep(LIFE).await;
    let (Some(newest), Some(read)) = (newest.upgrade(), read.upgrade()) else { return };
    let mut newest = newest.lock().await;
    if newest.as_ref().is_some_and(|kept| Arc::ptr_eq(kept, &read)) {
        *newest = None;
    }
}

//! Speaks the API of each service, and hands back what it says in the words of `domain`, or a typed
//! failure.
//!
//! What is believed and what is not is decided here, once: that a title is not there counts only when the
//! application itself says so, while it is well. An error, a web page, another program, half an answer
//! or a time-out is a [`Failure`], never an absence. Whether a whole listing is sane, and whether a path
//! that is named exists here, is for the callers to judge.
//!
//! Must never follow a redirect, read a clock, touch a disk but for the certificates of the host, or let a
//! wire format out of the folder that speaks it. Keys, queries and user information of an address are
//! never in an error nor in `Debug`.

mod arr;
mod back_off;
mod binding;
mod http;
mod jellyfin;
mod radarr;
mod reply;
mod shared;
mod shoko;
mod sonarr;
#[cfg(test)]
mod tests;
mod tls;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

pub use reqwest::Url;

use crate::domain::{
    About, Failure, Instance, Listing, Question, Said, Secret, Service, ServiceFolder, Timestamp,
};
use http::Http;

/// Tells the time of this host.
pub type Wall = Arc<dyn Fn() -> Timestamp + Send + Sync>;

/// Is told how many titles have come, and of how many, while a listing is read.
pub type Progress<'a> = &'a (dyn Fn(u64, Option<u64>) + Sync);

/// How to reach an instance.
#[derive(Clone)]
pub struct Access {
    /// Which one it is.
    pub instance: Instance,
    /// Its address, with the path below which it is served, if any.
    pub url: Url,
    /// Its key.
    pub key: Secret,
    /// Certificates to believe beside those of the host, as PEM.
    pub extra_ca: Option<Vec<u8>>,
    /// How long one request may take; a whole listing may take four times as long.
    pub deadline: Duration,
    /// How many requests may be under way at once.
    pub concurrency: usize,
    /// The clock.
    pub now: Wall,
}

impl fmt::Debug for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Access").field("instance", &self.instance).finish_non_exhaustive()
    }
}

/// Why an instance can't even be tried. The configuration has to change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccessError {
    /// No address of a web server.
    #[error("`url` has to begin with http:// or https:// and name a host; `{0}:` is neither")]
    Url(String),
    /// Jellyfin's key and a login would need the same header.
    #[error(
        "`url` has a user and a password, which Jellyfin can't be sent beside its key; leave them out"
    )]
    Login,
    /// A key that no header can carry.
    #[error("`api_key` is empty, or has characters that no key has")]
    Key,
    /// Certificates that can't be read.
    #[error("the certificates under `ca` can't be read: {0}")]
    Ca(String),
    /// Anything else.
    #[error("no client can be made: {0}")]
    Client(String),
}

/// Why an instance that keeps titles nowhere can't say that one is absent: it has not been set up, or lost
/// what it knew.
fn homeless(instance: &Instance, folders: &[ServiceFolder]) -> Option<String> {
    let why = || format!("{instance} names no folder that it keeps titles in: is it set up?");
    folders.is_empty().then(why)
}

/// A client of one instance. Clones share their connections, their limits and their listings.
#[derive(Debug, Clone)]
pub struct Client {
    inner: Arc<Inner>,
}

#[derive(Debug)]
enum Inner {
    Radarr(radarr::Radarr),
    Sonarr(sonarr::Sonarr),
    Jellyfin(jellyfin::Jellyfin),
    Shoko(shoko::Shoko),
}

impl Client {
    /// A client; nothing is asked yet.
    ///
    /// # Errors
    /// When the address, the key or the certificates can't be used.
    pub fn new(access: Access) -> Result<Self, AccessError> {
        let service = access.instance.service;
        let http = Arc::new(Http::new(access)?);
        let inner = match service {
            Service::Radarr => Inner::Radarr(radarr::Radarr::new(http)),
            Service::Sonarr => Inner::Sonarr(sonarr::Sonarr::new(http)),
            Service::Jellyfin => Inner::Jellyfin(jellyfin::Jellyfin::new(http)),
            Service::Shoko => Inner::Shoko(shoko::Shoko::new(http)),
        };
        Ok(Self { inner: Arc::new(inner) })
    }

    /// Which instance it asks.
    #[must_use]
    pub fn instance(&self) -> &Instance {
        match &*self.inner {
            Inner::Radarr(client) => client.instance(),
            Inner::Sonarr(client) => client.instance(),
            Inner::Jellyfin(client) => client.instance(),
            Inner::Shoko(client) => client.instance(),
        }
    }

    /// Every title. An empty listing is returned as one: whether that can be is for the caller to judge.
    ///
    /// # Errors
    /// When it can't be read whole from one instance that is well.
    pub async fn list(&self, progress: Progress<'_>) -> Result<Listing, Failure> {
        match &*self.inner {
            Inner::Radarr(client) => client.list(progress).await,
            Inner::Sonarr(client) => client.list(progress).await,
            Inner::Jellyfin(client) => client.list(progress).await,
            Inner::Shoko(client) => client.list(progress).await,
        }
    }

    /// One title, asked afresh.
    ///
    /// # Errors
    /// When not every answer came from one instance that was well before and after.
    pub async fn ask(&self, question: &Question) -> Result<Said, Failure> {
        match &*self.inner {
            Inner::Radarr(client) => client.ask(question).await,
            Inner::Sonarr(client) => client.ask(question).await,
            Inner::Jellyfin(client) => client.ask(question).await,
            Inner::Shoko(client) => client.ask(question).await,
        }
    }

    /// Who it is, which it only says when it accepts the key.
    ///
    /// # Errors
    /// When it is not reached, not well, another program, or refuses the key.
    pub async fn about(&self) -> Result<About, Failure> {
        match &*self.inner {
            Inner::Radarr(client) => client.about().await,
            Inner::Sonarr(client) => client.about().await,
            Inner::Jellyfin(client) => client.about().await,
            Inner::Shoko(client) => client.about().await,
        }
    }

    /// Asks Radarr or Sonarr to look again at one title on its disk. Sent once, whatever comes of it.
    ///
    /// # Errors
    /// When it was not taken up; `Permanent` for services that can't be asked this.
    pub async fn refresh(&self, id: &str) -> Result<(), Failure> {
        match &*self.inner {
            Inner::Radarr(client) => client.refresh(id).await,
            Inner::Sonarr(client) => client.refresh(id).await,
            Inner::Jellyfin(_) | Inner::Shoko(_) => Err(Failure::Permanent {
                why: format!("{} can't be asked to look again at one title", self.instance()),
            }),
        }
    }
}

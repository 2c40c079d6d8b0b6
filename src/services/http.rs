//! One HTTP client per instance: bounded in time, in size and in number, and it never follows a redirect.
//!
//! Must never send anything but `GET` twice, and never show the key, a query or user information.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use reqwest::header::{ACCEPT, AUTHORIZATION, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Url, redirect};
use tokio::sync::Semaphore;

use super::reply::{Reply, unanswered};
use super::{Access, AccessError, Wall, back_off, tls};
use crate::domain::{Failure, Instance, Secret, Service, Timestamp};

/// The most bytes of a listing, and of any other answer.
pub(super) const BULK: usize = 256 << 20;
pub(super) const SMALL: usize = 4 << 20;

/// A listing may take so many times as long as another answer.
const BULK_PATIENCE: u32 = 4;

/// Says who asks, to Jellyfin, which wants to know, and in the logs of the others.
const AGENT: &str = concat!("obituarr/", env!("CARGO_PKG_VERSION"));

/// The connection to one instance.
pub(super) struct Http {
    pub(super) instance: Instance,
    client: reqwest::Client,
    base: Url,
    login: Option<(String, String)>,
    key: Secret,
    deadline: Duration,
    permits: Semaphore,
    wall: Wall,
}

impl fmt::Debug for Http {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Http").field("instance", &self.instance).finish_non_exhaustive()
    }
}

impl Http {
    pub(super) fn new(access: Access) -> Result<Self, AccessError> {
        let mut base = access.url;
        if !matches!(base.scheme(), "http" | "https") || base.host_str().is_none() {
            return Err(AccessError::Url(base.scheme().to_owned()));
        }
        let login = login(&base);
        if login.is_some() && access.instance.service == Service::Jellyfin {
            return Err(AccessError::Login);
        }
        // Only ever fails for addresses without a host.
        let plain = base.set_username("").and_then(|()| base.set_password(None));
        plain.map_err(|()| AccessError::Url(base.scheme().to_owned()))?;
        base.set_query(None);
        base.set_fragment(None);
        let (name, value) = key(access.instance.service, access.key.expose())?;
        let mut headers = HeaderMap::new();
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        headers.insert(name, value);
        let tls = tls::config(base.scheme() == "https", access.extra_ca.as_deref())?;
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .default_headers(headers)
            .user_agent(AGENT)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .http1_only()
            .connect_timeout(access.deadline)
            .pool_idle_timeout(Duration::from_secs(20))
            .build()
            .map_err(|error| AccessError::Client(error.without_url().to_string()))?;
        Ok(Self {
            instance: access.instance,
            client,
            base,
            login,
            key: access.key,
            deadline: access.deadline,
            permits: Semaphore::new(access.concurrency.max(1)),
            wall: access.now,
        })
    }

    /// The time of this host.
    pub(super) fn now(&self) -> Timestamp {
        (self.wall)()
    }

    /// Begins a row of requests that are counted together.
    pub(super) fn talk(self: &Arc<Self>) -> Talk {
        Talk { http: Arc::clone(self), count: AtomicU32::new(0) }
    }

    /// Where a path leads: below the configured address, which may have a path of its own.
    fn url(&self, call: &Call<'_>) -> Url {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(call.path.split('/'));
        }
        if !call.query.is_empty() {
            url.query_pairs_mut().extend_pairs(call.query.iter().map(|(k, v)| (k, v.as_str())));
        }
        url
    }

    /// The instance and the address of a path, for people.
    pub(super) fn place(&self, path: &str) -> String {
        let mut url = self.base.clone();
        if let Ok(mut segments) = url.path_segments_mut() {
            segments.pop_if_empty().extend(path.split('/'));
        }
        format!("{} at {url}", self.instance)
    }

    /// How long an answer may take.
    fn patience(&self, call: &Call<'_>) -> Duration {
        self.deadline * if call.most == BULK { BULK_PATIENCE } else { 1 }
    }

    /// There was no answer in time.
    fn late(&self, call: &Call<'_>) -> Failure {
        let (place, patience) = (self.place(call.path), self.patience(call));
        let why = format!("{place} gave no answer within {} s", patience.as_secs_f32());
        Failure::Transient { why, retry_after: None }
    }

    /// Sends a request once, when it is its turn. `None`: there was no answer in time.
    async fn in_time(&self, method: &Method, call: &Call<'_>) -> Option<Result<Reply, Failure>> {
        // The semaphore is never closed.
        let _permit = self.permits.acquire().await.ok()?;
        tokio::time::timeout(self.patience(call), self.once(method, call)).await.ok()
    }

    async fn once(&self, method: &Method, call: &Call<'_>) -> Result<Reply, Failure> {
        let place = self.place(call.path);
        let mut request = self.client.request(method.clone(), self.url(call));
        if let Some((user, password)) = &self.login {
            request = request.basic_auth(user, Some(password));
        }
        if let Some(body) = &call.body {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| unanswered(&place, error))?;
        Reply::read(place, call.path, response, call.most, &self.key, self.now()).await
    }
}

/// The user and password of an address, which a proxy in front of the service may want.
fn login(base: &Url) -> Option<(String, String)> {
    let plain = |text: &str| super::reply::unescape(text);
    (!base.username().is_empty())
        .then(|| (plain(base.username()), plain(base.password().unwrap_or_default())))
}

/// The header that carries the key.
fn key(service: Service, key: &str) -> Result<(HeaderName, HeaderValue), AccessError> {
    let (name, text) = match service {
        Service::Radarr | Service::Sonarr => (HeaderName::from_static("x-api-key"), key.to_owned()),
        Service::Shoko => (HeaderName::from_static("apikey"), key.to_owned()),
        Service::Jellyfin => {
            let version = env!("CARGO_PKG_VERSION");
            let text = format!(
                "MediaBrowser Token=\"{key}\", Client=\"obituarr\", Device=\"obituarr\", DeviceId=\"obituarr\", Version=\"{version}\""
            );
            (AUTHORIZATION, text)
        }
    };
    let unfit = |c: char| c.is_ascii_control() || c == '"' || !c.is_ascii();
    if key.trim().is_empty() || key.contains(unfit) {
        return Err(AccessError::Key);
    }
    let mut value = HeaderValue::from_str(&text).map_err(|_| AccessError::Key)?;
    value.set_sensitive(true);
    Ok((name, value))
}

/// One request.
#[derive(Debug)]
pub(super) struct Call<'a> {
    path: &'a str,
    query: Vec<(&'static str, String)>,
    body: Option<serde_json::Value>,
    most: usize,
}

impl<'a> Call<'a> {
    /// A path below the address, without a slash before it.
    pub(super) fn to(path: &'a str) -> Self {
        Self { path, query: Vec::new(), body: None, most: SMALL }
    }

    pub(super) fn with(mut self, name: &'static str, value: &(impl ToString + ?Sized)) -> Self {
        self.query.push((name, value.to_string()));
        self
    }

    /// Allows the size and time of a listing.
    pub(super) fn bulk(mut self) -> Self {
        self.most = BULK;
        self
    }

    pub(super) fn saying(mut self, body: serde_json::Value) -> Self {
        self.body = Some(body);
        self
    }
}

/// A row of requests for one purpose.
#[derive(Debug)]
pub(super) struct Talk {
    pub(super) http: Arc<Http>,
    count: AtomicU32,
}

impl Talk {
    /// How many requests it took so far, with those that were repeated.
    pub(super) fn count(&self) -> u32 {
        self.count.load(Ordering::Relaxed)
    }

    /// Asks, and asks again at most twice where a failure may pass soon.
    pub(super) async fn get(&self, call: Call<'_>) -> Result<Reply, Failure> {
        let mut tries = 0;
        loop {
            self.count.fetch_add(1, Ordering::Relaxed);
            let Some(reply) = self.http.in_time(&Method::GET, &call).await else {
                // It had its time; to ask again at once would only make all others wait, too.
                return Err(self.http.late(&call));
            };
            let reply = reply.and_then(Reply::well);
            match back_off::wait(tries, &reply) {
                Some(wait) => tokio::time::sleep(wait).await,
                None => return reply,
            }
            tries += 1;
        }
    }

    /// Asks for something to be done, once.
    pub(super) async fn post(&self, call: Call<'_>) -> Result<Reply, Failure> {
        self.count.fetch_add(1, Ordering::Relaxed);
        let reply = self.http.in_time(&Method::POST, &call).await;
        reply.unwrap_or_else(|| Err(self.http.late(&call))).and_then(Reply::well)
    }
}

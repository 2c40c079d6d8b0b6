//! A client that asks one question after the other and keeps what came.

use std::time::Duration;

use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, redirect};
use serde_json::Value;
use simulators::{Simulator, World};
use tempfile::TempDir;

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) text: String,
}

impl Answer {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or_else(|error| panic!("{error}: {}", self.text))
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }
}

/// Asks one simulator, with the headers it was given.
pub(crate) struct Client {
    runtime: tokio::runtime::Runtime,
    client: reqwest::Client,
    url: String,
    headers: HeaderMap,
    timeout: Duration,
}

impl Client {
    /// One that follows no redirection, keeps its connections, and waits a second.
    pub(crate) fn new(simulator: &Simulator, headers: &[(&str, &str)]) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        // Built beside the daemon, the client has TLS without a provider; plain http needs none of it.
        let provider = std::sync::Arc::new(rustls::crypto::ring::default_provider());
        let tls = rustls::ClientConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .unwrap()
            .with_root_certificates(rustls::RootCertStore::empty())
            .with_no_client_auth();
        let client = reqwest::Client::builder()
            .tls_backend_preconfigured(tls)
            .redirect(redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let headers = headers.iter().map(|(name, value)| {
            (name.parse::<HeaderName>().unwrap(), HeaderValue::from_str(value).unwrap())
        });
        Self {
            runtime,
            client,
            url: simulator.url().to_owned(),
            headers: headers.collect(),
            timeout: Duration::from_secs(1),
        }
    }

    /// One with the header that Radarr and Sonarr want.
    pub(crate) fn of_arr(simulator: &Simulator) -> Self {
        Self::new(simulator, &[("X-Api-Key", simulator.key())])
    }

    /// The same, for large answers.
    pub(crate) fn patient(mut self) -> Self {
        self.timeout = Duration::from_secs(60);
        self
    }

    /// Asks an address that may lie outside the simulator's.
    pub(crate) fn get_at(mut self, url: &str) -> Answer {
        url.clone_into(&mut self.url);
        self.get("")
    }

    pub(crate) fn try_get(&self, path: &str) -> Result<Answer, reqwest::Error> {
        self.send(Method::GET, path, None)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.try_get(path).unwrap_or_else(|error| panic!("{path}: {error:?}"))
    }

    pub(crate) fn json(&self, path: &str) -> Value {
        let answer = self.get(path);
        assert_eq!(answer.status, 200, "{path}: {}", answer.text);
        answer.json()
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(body)).unwrap()
    }

    fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> Result<Answer, reqwest::Error> {
        let url = format!("{}{path}", self.url);
        let mut request =
            self.client.request(method, url).timeout(self.timeout).headers(self.headers.clone());
        if let Some(body) = body {
            request = request.json(body);
        }
        self.runtime.block_on(async {
            let response = request.send().await?;
            let (status, headers) = (response.status().as_u16(), response.headers().clone());
            Ok(Answer { status, headers, text: response.text().await? })
        })
    }
}

/// A library on a disk that goes with the test.
pub(crate) fn world() -> (TempDir, World) {
    let directory = tempfile::tempdir().unwrap();
    let world = World::new(directory.path());
    (directory, world)
}

/// The elements of an array.
pub(crate) fn elements(value: &Value) -> &[Value] {
    value.as_array().unwrap_or_else(|| panic!("no array: {value}"))
}

//! Asks a running daemon.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use reqwest::{Method, StatusCode};
use serde::de::DeserializeOwned;

use super::check::CheckLine;
use super::lines::LINES;
use super::protocol::ErrorView;

/// How long the daemon may take to begin an answer; its loop has 10 s for most.
const PATIENCE: Duration = Duration::from_secs(15);

/// The daemon did not answer as it should.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// There is no socket.
    #[error(
        "obituarr is not running: there is no socket at {path}; start it with `obituarr run`, or name its --runtime-dir"
    )]
    NotRunning {
        /// The socket.
        path: PathBuf,
    },
    /// The socket may not be used.
    #[error("{path} may not be used by this user; run as root or join the group of the daemon")]
    Denied {
        /// The socket.
        path: PathBuf,
    },
    /// The daemon says no.
    #[error("{0}")]
    Refused(String),
    /// It takes too long.
    #[error(
        "the daemon at {path} has not answered in {} s: it is busy or stopped, or many others ask it; \
         try again, and see its log", PATIENCE.as_secs()
    )]
    Silent {
        /// The socket.
        path: PathBuf,
    },
    /// Anything else.
    #[error("the daemon at {path} gives no answer")]
    Failed {
        /// The socket.
        path: PathBuf,
        /// Why.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// A client on one socket.
#[derive(Debug)]
pub struct Client {
    socket: PathBuf,
    http: reqwest::Client,
}

impl Client {
    /// A client of the socket at `path`.
    ///
    /// # Errors
    /// When there is no socket, or it may not be used.
    pub async fn new(path: &Path) -> Result<Self, ClientError> {
        let socket = path.to_path_buf();
        // This way of asking never waits.
        match tokio::net::UnixStream::connect(path).await {
            Ok(_) => {}
            // Somebody has it whose queue is full.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {
                return Err(ClientError::Silent { path: socket });
            }
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                return Err(ClientError::Denied { path: socket });
            }
            Err(error)
                if matches!(
                    error.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused
                ) =>
            {
                return Err(ClientError::NotRunning { path: socket });
            }
            Err(error) => {
                return Err(ClientError::Failed { path: socket, source: Box::new(error) });
            }
        }
        let http =
            plain(path).map_err(|source| ClientError::Failed { path: socket.clone(), source })?;
        Ok(Self { socket, http })
    }

    /// Reads one resource, e.g. `["v1", "status"]`.
    ///
    /// # Errors
    /// When the daemon does not answer as it should.
    pub async fn get<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, ClientError> {
        self.send(Method::GET, segments).await
    }

    /// Asks for something to be done.
    ///
    /// # Errors
    /// When the daemon does not answer as it should.
    pub async fn post<T: DeserializeOwned>(&self, segments: &[&str]) -> Result<T, ClientError> {
        self.send(Method::POST, segments).await
    }

    /// Asks for a full look, and hands over each line of the answer as it comes.
    ///
    /// # Errors
    /// When the daemon does not answer as it should.
    pub async fn check(&self, mut each: impl FnMut(CheckLine)) -> Result<(), ClientError> {
        let request = self.request(Method::POST, &["v1", "check"])?.header("accept", LINES);
        // The first word comes at once; how long the look takes is up to the disks.
        let response = tokio::time::timeout(PATIENCE, request.send()).await;
        let response = response.map_err(|_| self.silent())?;
        let mut response = response.map_err(|error| self.failed(error))?;
        if response.status() != StatusCode::OK {
            let status = response.status();
            let body = response.bytes().await.map_err(|error| self.failed(error))?;
            return Err(refused(status, &body));
        }
        let mut rest: Vec<u8> = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.failed(error))? {
            rest.extend_from_slice(&chunk);
            while let Some(end) = rest.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = rest.drain(..=end).collect();
                each(serde_json::from_slice(&line).map_err(|error| self.failed(error))?);
            }
        }
        Ok(())
    }

    fn silent(&self) -> ClientError {
        ClientError::Silent { path: self.socket.clone() }
    }

    fn failed(&self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> ClientError {
        ClientError::Failed { path: self.socket.clone(), source: source.into() }
    }

    fn request(
        &self,
        method: Method,
        segments: &[&str],
    ) -> Result<reqwest::RequestBuilder, ClientError> {
        let url = reqwest::Url::parse("http://localhost/");
        let mut url = url.map_err(|error| self.failed(error))?;
        if let Ok(mut path) = url.path_segments_mut() {
            path.clear().extend(segments);
        }
        Ok(self.http.request(method, url))
    }

    async fn send<T: DeserializeOwned>(
        &self,
        method: Method,
        segments: &[&str],
    ) -> Result<T, ClientError> {
        let request = self.request(method, segments)?;
        let answer = tokio::time::timeout(PATIENCE, async {
            let response = request.send().await?;
            Ok((response.status(), response.bytes().await?))
        });
        let answer = answer.await.map_err(|_| self.silent())?;
        let (status, body) = answer.map_err(|error: reqwest::Error| self.failed(error))?;
        if status == StatusCode::OK {
            return serde_json::from_slice(&body).map_err(|error| self.failed(error));
        }
        Err(refused(status, &body))
    }
}

fn refused(status: StatusCode, body: &[u8]) -> ClientError {
    let view = serde_json::from_slice::<ErrorView>(body);
    ClientError::Refused(
        view.map_or_else(|_| format!("the daemon answered {status}"), |view| view.error),
    )
}

/// A client that believes no certificate: a socket needs none, and the store of the host may be missing.
fn plain(path: &Path) -> Result<reqwest::Client, Box<dyn std::error::Error + Send + Sync>> {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let builder = reqwest::Client::builder().tls_backend_preconfigured(tls);
    Ok(builder.unix_socket(path).no_proxy().build()?)
}

//! Certificates.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::Arc;

use rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::fixture;
use super::radarr::radarr;
use crate::domain::Failure;
use crate::services::{Access, Client};

macro_rules! bytes {
    ($path:literal) => {
        include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/", $path)).to_vec()
    };
}

/// A Radarr behind TLS, for so many connections; its port.
fn behind_tls(connections: usize) -> u16 {
    let key = PrivateKeyDer::try_from(bytes!("tls/server.key.der")).unwrap();
    let certificates = vec![CertificateDer::from(bytes!("tls/server.der"))];
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(certificates, key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming().take(connections) {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, stream.unwrap());
            let mut request = [0; 4096];
            // Who does not believe the certificate goes before it says anything.
            if stream.read(&mut request).is_ok_and(|count| count > 0) {
                let body = fixture!("radarr/6/status.json");
                let head = "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: application/json";
                let length = body.len();
                write!(stream, "{head}\r\nContent-Length: {length}\r\n\r\n{body}").unwrap();
                stream.conn.send_close_notify();
                stream.flush().unwrap();
            }
        }
    });
    port
}

async fn access(port: u16, ca: Option<Vec<u8>>) -> Access {
    let url = format!("https://127.0.0.1:{port}").parse().unwrap();
    Access { url, extra_ca: ca, ..radarr().await.access() }
}

#[tokio::test]
async fn a_certificate_of_an_own_ca_is_believed_where_that_is_named() {
    let access = access(behind_tls(1), Some(bytes!("tls/ca.pem"))).await;
    let about = Client::new(access).unwrap().about().await.unwrap();
    assert_eq!(about.application, "Radarr");
}

#[tokio::test]
async fn a_certificate_that_nobody_vouches_for_is_refused_for_good_and_says_how_to_name_its_ca() {
    let access = access(behind_tls(1), None).await;
    let failure = Client::new(access).unwrap().about().await.unwrap_err();
    let Failure::Permanent { why } = failure else { panic!("{failure:?}") };
    assert!(why.contains("certificate") && why.contains("`ca`"), "{why}");
}

#[tokio::test]
async fn plain_http_where_https_is_meant_and_the_other_way_round_are_failures() {
    let mut plain = access(behind_tls(1), None).await;
    plain.url.set_scheme("http").unwrap();
    assert!(Client::new(plain).unwrap().about().await.is_err());
    let server = radarr().await;
    let mut secure = server.access();
    secure.url.set_scheme("https").unwrap();
    assert!(Client::new(secure).unwrap().about().await.is_err());
}

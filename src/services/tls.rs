//! Which certificates are believed.
//!
//! The store of the host is only read where an address is `https`: a host without one must still be able
//! to speak plain http. TLS comes from rustls and its ring, so that a build needs nothing of the host.

use std::sync::Arc;

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};

use super::AccessError;

/// The configuration for one address. Nothing here can make a bad certificate a good one.
pub(super) fn config(secure: bool, extra: Option<&[u8]>) -> Result<ClientConfig, AccessError> {
    let mut roots = RootCertStore::empty();
    if secure {
        // Certificates of the host that can't be read are as if they weren't there.
        roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    }
    if let Some(pem) = extra {
        let before = roots.len();
        for certificate in CertificateDer::pem_slice_iter(pem) {
            let certificate = certificate.map_err(|error| AccessError::Ca(error.to_string()))?;
            roots.add(certificate).map_err(|error| AccessError::Ca(error.to_string()))?;
        }
        if roots.len() == before {
            return Err(AccessError::Ca("there is no certificate in it".to_owned()));
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| AccessError::Client(error.to_string()))?;
    Ok(config.with_root_certificates(roots).with_no_client_auth())
}

//! Owns TLS: a certificate chain and its key become what accepts connections. Ring alone does the cryptography.

use std::path::Path;
use std::sync::Arc;

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer};

use super::ServeError;
use super::options::TlsFiles;

/// Reads the files.
pub(super) fn acceptor(files: &TlsFiles) -> Result<TlsAcceptor, ServeError> {
    let wrong = |path: &Path, error: &dyn std::fmt::Display| ServeError::Certificate {
        path: path.to_owned(),
        detail: error.to_string(),
    };
    let certificate = |error: &dyn std::fmt::Display| wrong(&files.certificate, error);
    let chain = CertificateDer::pem_file_iter(&files.certificate).map_err(|error| certificate(&error))?;
    let chain = chain.collect::<Result<Vec<_>, _>>().map_err(|error| certificate(&error))?;
    let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| wrong(&files.key, &error))?;
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .map_err(|error| certificate(&error))?
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .map_err(|error| certificate(&error))?;
    Ok(TlsAcceptor::from(Arc::new(config)))
}

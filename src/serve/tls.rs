//! TLS for callers.

use std::fmt;
use std::sync::{Arc, PoisonError, RwLock};

use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::crypto;
use tokio_rustls::rustls::pki_types::CertificateDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};
use webpki::EndEntityCert;

use super::access::Certified;
use super::caller::certified;
use crate::error::Error;
use crate::server::connections::{Accepted, Accepting, Handshake, Lent};
use crate::transport::tls::{certificates, private_key};

/// The certificate of a bridge, and which client certificates it accepts: TLS 1.2 and 1.3.
#[derive(Clone)]
pub struct ServerTls(Arc<ServerConfig>);

impl ServerTls {
    /// Serves with this certificate (PEM, with its chain) and its private key (PEM). With `client_authorities`
    /// (PEM), callers may show a client certificate of one of them, for [`Identity::Certificate`](super::Identity).
    /// A certificate of another authority ends the connection; callers without one may show a token instead.
    ///
    /// # Errors
    ///
    /// Fails if one of them is not valid, or if the key is not that of the certificate.
    pub fn new(
        certificate: impl AsRef<[u8]>,
        key: impl AsRef<[u8]>,
        client_authorities: Option<&[u8]>,
    ) -> Result<Self, Error> {
        let provider = Arc::new(crypto::ring::default_provider());
        let chain = certificates(certificate.as_ref(), "the certificate")?;
        let key = private_key(key.as_ref(), "the key")?;
        let builder = ServerConfig::builder_with_provider(Arc::clone(&provider))
            .with_safe_default_protocol_versions()
            .map_err(|error| Error::config(error.to_string()))?;
        let builder = match client_authorities {
            None => builder.with_no_client_auth(),
            Some(pem) => {
                let wrong = |problem: String| {
                    Error::config(format!("the authorities of client certificates: {problem}"))
                };
                let mut roots = RootCertStore::empty();
                for authority in certificates(pem, "the authorities of client certificates")? {
                    roots.add(authority).map_err(|error| wrong(error.to_string()))?;
                }
                let verifier = WebPkiClientVerifier::builder_with_provider(roots.into(), provider);
                let verifier = verifier.allow_unauthenticated().build();
                builder.with_client_cert_verifier(verifier.map_err(|e| wrong(e.to_string()))?)
            }
        };
        let mut config = builder
            .with_single_cert(chain, key)
            .map_err(|error| Error::config(format!("the certificate and the key: {error}")))?;
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Ok(Self(Arc::new(config)))
    }
}

impl fmt::Debug for ServerTls {
    /// Omits the key.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ServerTls").finish_non_exhaustive()
    }
}

/// Replaces the certificate of a [`Bridge`](super::Bridge) while it serves.
#[derive(Clone, Debug)]
pub struct TlsHandle(Arc<RwLock<ServerTls>>);

impl TlsHandle {
    pub(super) fn new(tls: ServerTls) -> Self {
        Self(Arc::new(RwLock::new(tls)))
    }

    /// Uses this certificate for connections from now on.
    pub fn replace(&self, tls: ServerTls) {
        *self.0.write().unwrap_or_else(PoisonError::into_inner) = tls;
    }
}

impl Handshake for TlsHandle {
    fn accept(&self, stream: Lent) -> Accepting {
        let ServerTls(config) = self.0.read().unwrap_or_else(PoisonError::into_inner).clone();
        Box::pin(async move {
            let stream = TlsAcceptor::from(config).accept(stream).await;
            let stream = stream
                .inspect_err(|error| tracing::debug!("a TLS handshake failed: {error}"))
                .ok()?;
            let (_, session) = stream.get_ref();
            let certificate = session.peer_certificates().and_then(<[_]>::first);
            let mut extensions = http::Extensions::new();
            extensions.insert(Certified(certificate.map(names).unwrap_or_default()));
            Some(Accepted { stream: Box::new(stream), extensions })
        })
    }
}

/// Returns the URIs and DNS names that a verified certificate is for.
fn names(certificate: &CertificateDer<'_>) -> Arc<[String]> {
    let Ok(certificate) = EndEntityCert::try_from(certificate) else { return Arc::default() };
    certificate.valid_uri_names().chain(certificate.valid_dns_names()).map(certified).collect()
}

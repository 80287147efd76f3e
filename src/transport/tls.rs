//! TLS with rustls and ring: trusted servers and client certificates.

mod problem;
mod verifier;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError, Weak};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio_rustls::client::TlsStream;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::pki_types::pem::PemObject;
use tokio_rustls::rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use tokio_rustls::rustls::{self, AlertDescription, ClientConfig, RootCertStore, crypto};

use super::error_chain::{BoxError, find};
use super::host::bare;
use crate::error::{Error, InWords};
use verifier::{Pin, Trust, Verifier};

/// How to verify a server, and the client certificate to send.
///
/// By default, a server needs a certificate for its host name from an authority that the operating system
/// trusts. Verification cannot be turned off; [pin](Self::pinned_certificate) the self-signed certificate of
/// an On-Prem server instead.
///
/// ```
/// use eset_protect::TlsConfig;
///
/// let pem = "-----BEGIN CERTIFICATE-----\n…";
/// assert!(TlsConfig::new().ca_certificate(pem).is_err(), "that is no certificate");
/// ```
#[derive(Clone, Default)]
pub struct TlsConfig {
    authorities: Vec<CertificateDer<'static>>,
    without_system_roots: bool,
    pinned: Option<Pin>,
    identity: Option<(Vec<CertificateDer<'static>>, Arc<PrivateKeyDer<'static>>)>,
    server_name: Option<ServerName<'static>>,
}

impl TlsConfig {
    /// Trusts the operating system's authorities.
    pub fn new() -> Self {
        Self::default()
    }

    /// Also trusts these authorities: one or more certificates in PEM.
    ///
    /// # Errors
    ///
    /// Fails if the text contains no certificate or an invalid one.
    pub fn ca_certificate(mut self, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        self.authorities.extend(certificates(pem.as_ref(), "the CA certificate")?);
        Ok(self)
    }

    /// Trusts only the added authorities, not those of the operating system.
    #[must_use]
    pub fn without_system_roots(mut self) -> Self {
        self.without_system_roots = true;
        self
    }

    /// Trusts exactly this certificate (PEM) and no other, whatever its host name, issuer and dates. Use it
    /// for servers with a self-signed certificate. The server must still prove that it has the key.
    ///
    /// # Errors
    ///
    /// Fails if the text does not contain exactly one certificate.
    pub fn pinned_certificate(mut self, pem: impl AsRef<[u8]>) -> Result<Self, Error> {
        let found = certificates(pem.as_ref(), "the pinned certificate")?;
        let [certificate] = <[_; 1]>::try_from(found).map_err(|found| {
            let found = found.len();
            Error::config(format!(
                "the pinned certificate: expected one certificate, found {found}"
            ))
        })?;
        self.pinned = Some(Pin::Certificate(certificate));
        Ok(self)
    }

    /// Trusts exactly the certificate with this SHA-256 fingerprint, as [`pinned_certificate`](Self::pinned_certificate)
    /// does: 64 hexadecimal digits, with or without colons. `openssl x509 -noout -fingerprint -sha256` prints it.
    ///
    /// # Errors
    ///
    /// Fails if the text is no such fingerprint.
    pub fn pinned_sha256(mut self, fingerprint: &str) -> Result<Self, Error> {
        let digits: Vec<_> = fingerprint.bytes().filter(|byte| *byte != b':').collect();
        let pairs = digits.chunks(2).map(|pair| {
            let text = str::from_utf8(pair).ok().filter(|text| !text.starts_with('+'))?;
            u8::from_str_radix(text, 16).ok()
        });
        let bytes: Option<Vec<u8>> = pairs.collect();
        let fingerprint =
            bytes.filter(|_| digits.len() == 64).and_then(|bytes| bytes.try_into().ok());
        self.pinned = Some(Pin::Sha256(fingerprint.ok_or_else(|| {
            Error::config(
                "the fingerprint: expected 64 hexadecimal digits, the SHA-256 of a certificate",
            )
        })?));
        Ok(self)
    }

    /// Sends this certificate (PEM, with its chain) to servers that ask for one, and authenticates with this
    /// private key (PEM).
    ///
    /// # Errors
    ///
    /// Fails if a text is not valid. Whether the key matches the certificate is checked when the client is
    /// created.
    pub fn client_certificate(
        mut self,
        certificate_pem: impl AsRef<[u8]>,
        key_pem: impl AsRef<[u8]>,
    ) -> Result<Self, Error> {
        let chain = certificates(certificate_pem.as_ref(), "the client certificate")?;
        let key = private_key(key_pem.as_ref(), "the client key")?;
        self.identity = Some((chain, Arc::new(key)));
        Ok(self)
    }

    /// Expects the certificate to be for this name instead of the endpoint's host.
    ///
    /// # Errors
    ///
    /// Fails if it is neither a DNS name nor an IP address.
    pub fn server_name(mut self, name: &str) -> Result<Self, Error> {
        self.server_name = Some(parse_name(name)?);
        Ok(self)
    }

    /// Whether nothing is set that a client without https would miss. Further authorities may be set for all programs of a
    /// machine.
    pub(crate) fn is_default(&self) -> bool {
        let Self { authorities: _, without_system_roots, pinned, identity, server_name } = self;
        let is_trust_default = !without_system_roots && pinned.is_none();
        is_trust_default && identity.is_none() && server_name.is_none()
    }

    /// Creates a connector that offers these protocols.
    pub(crate) fn connector(&self, alpn: &[&[u8]]) -> Result<TlsConnector, Error> {
        let provider = Arc::new(crypto::ring::default_provider());
        let failed = |error: rustls::Error| {
            Error::config(format!("the TLS configuration: {error}")).with_source(error)
        };
        let builder = ClientConfig::builder_with_provider(provider.clone())
            .with_safe_default_protocol_versions()
            .map_err(failed)?;
        let algorithms = provider.signature_verification_algorithms;
        let trust = match &self.pinned {
            Some(pin) => Trust::Pinned(pin.clone()),
            None => Trust::Authorities(
                WebPkiServerVerifier::builder_with_provider(self.roots()?, provider)
                    .build()
                    .map_err(|error| Error::config(format!("the trusted authorities: {error}")))?,
            ),
        };
        // rustls calls all custom verifiers dangerous. Ours is its own or a stricter one, with a clearer error.
        let verifier = Arc::new(Verifier { trust, algorithms });
        let builder = builder.dangerous().with_custom_certificate_verifier(verifier);
        let mut config = match &self.identity {
            Some((chain, key)) => {
                builder.with_client_auth_cert(chain.clone(), key.clone_key()).map_err(failed)?
            }
            None => builder.with_no_client_auth(),
        };
        config.alpn_protocols = alpn.iter().map(|protocol| protocol.to_vec()).collect();
        Ok(TlsConnector { config: Arc::new(config), name: self.server_name.clone() })
    }

    fn roots(&self) -> Result<Arc<RootCertStore>, Error> {
        let system = if self.without_system_roots {
            Arc::new(RootCertStore::empty())
        } else {
            system_roots()
        };
        if self.authorities.is_empty() && !system.is_empty() {
            return Ok(system);
        }
        let mut roots = RootCertStore::clone(&system);
        for authority in &self.authorities {
            roots
                .add(authority.clone())
                .map_err(|error| Error::config(format!("the CA certificate: {error}")))?;
        }
        if roots.is_empty() {
            return Err(Error::config(
                "no trusted authorities: the system has none and none was added; add the certificate of one, or \
                 pin that of the server",
            ));
        }
        Ok(Arc::new(roots))
    }
}

/// Returns the authorities that the system trusts. Clients share them as long as there is one: a server with a
/// thousand would spend minutes on reading them.
fn system_roots() -> Arc<RootCertStore> {
    static SHARED: Mutex<Weak<RootCertStore>> = Mutex::new(Weak::new());
    let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(roots) = shared.upgrade() {
        return roots;
    }
    let mut roots = RootCertStore::empty();
    // Systems have certificates that rustls cannot parse; the others count.
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let roots = Arc::new(roots);
    *shared = Arc::downgrade(&roots);
    roots
}

impl fmt::Debug for TlsConfig {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConfig")
            .field("authorities", &self.authorities.len())
            .field("system_roots", &!self.without_system_roots)
            .field("pinned", &self.pinned.is_some())
            .field("client_certificate", &self.identity.is_some())
            .field("server_name", &self.server_name)
            .finish()
    }
}

/// Reads a private key. The error omits the cause, which may quote the key.
pub(crate) fn private_key(pem: &[u8], what: &str) -> Result<PrivateKeyDer<'static>, Error> {
    PrivateKeyDer::from_pem_slice(pem)
        .map_err(|_| Error::config(format!("{what}: expected a private key in PEM")))
}

/// Reads certificates, at least one.
pub(crate) fn certificates(pem: &[u8], what: &str) -> Result<Vec<CertificateDer<'static>>, Error> {
    let found: Result<Vec<_>, _> = CertificateDer::pem_slice_iter(pem).collect();
    match found {
        Ok(found) if !found.is_empty() => Ok(found),
        Ok(_) => Err(Error::config(format!("{what}: expected PEM, found no certificate in it"))),
        Err(error) => Err(Error::config(format!("{what}: {error}"))),
    }
}

fn parse_name(name: &str) -> Result<ServerName<'static>, Error> {
    ServerName::try_from(bare(name).to_owned()).map_err(|_| {
        Error::config(format!("the server name: expected a DNS name or an address, found {name:?}"))
    })
}

/// Whether one side does not trust the other's certificate: it is expired, for another host, from an unknown
/// issuer, or not the pinned one. A retry will fail in the same way.
pub(crate) fn is_certificate_refused(error: &(dyn std::error::Error + 'static)) -> bool {
    match find(error) {
        Some(rustls::Error::InvalidCertificate(_)) => true,
        Some(rustls::Error::AlertReceived(alert)) => {
            *alert == AlertDescription::CertificateRequired || problem::is_of_certificate(*alert)
        }
        _ => false,
    }
}

/// Adds TLS to connections.
#[derive(Clone)]
pub(crate) struct TlsConnector {
    config: Arc<ClientConfig>,
    /// The expected name, instead of the host.
    name: Option<ServerName<'static>>,
}

impl TlsConnector {
    pub(crate) async fn connect<S: AsyncRead + AsyncWrite + Unpin>(
        &self,
        host: &str,
        stream: S,
    ) -> Result<TlsStream<S>, BoxError> {
        let name = match &self.name {
            Some(name) => name.clone(),
            None => parse_name(host)?,
        };
        let connector = tokio_rustls::TlsConnector::from(self.config.clone());
        let connected = connector.connect(name, stream).await;
        Ok(connected.map_err(|error| InWords::new(problem::of(&error), error))?)
    }
}

impl fmt::Debug for TlsConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsConnector").field("name", &self.name).finish_non_exhaustive()
    }
}

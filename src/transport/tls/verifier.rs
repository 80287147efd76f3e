//! Verifies the certificate of a server, and that it has the key.

use std::fmt;
use std::sync::Arc;

use tokio_rustls::rustls;
use tokio_rustls::rustls::client::WebPkiServerVerifier;
use tokio_rustls::rustls::client::danger::{
    HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier,
};
use tokio_rustls::rustls::crypto::{
    WebPkiSupportedAlgorithms, verify_tls12_signature, verify_tls13_signature,
};
use tokio_rustls::rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use tokio_rustls::rustls::{CertificateError, DigitallySignedStruct, OtherError, SignatureScheme};

/// Which certificates to accept.
#[derive(Debug)]
pub(super) enum Trust {
    Authorities(Arc<WebPkiServerVerifier>),
    Pinned(Pin),
}

/// The only certificate to accept.
#[derive(Clone, Debug)]
pub(super) enum Pin {
    Certificate(CertificateDer<'static>),
    Sha256([u8; 32]),
}

impl Pin {
    fn is(&self, certificate: &CertificateDer<'_>) -> bool {
        match self {
            Self::Certificate(pinned) => pinned == certificate,
            Self::Sha256(pinned) => {
                ring::digest::digest(&ring::digest::SHA256, certificate).as_ref() == pinned
            }
        }
    }
}

/// Verifies as rustls does or by a pin, and tells a key that this client cannot use from a certificate that it does not
/// trust: rustls has one error for the signature of a handshake, by the server's own key, and for those of authorities.
#[derive(Debug)]
pub(super) struct Verifier {
    pub(super) trust: Trust,
    pub(super) algorithms: WebPkiSupportedAlgorithms,
}

impl ServerCertVerifier for Verifier {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        match &self.trust {
            Trust::Authorities(webpki) => webpki.verify_server_cert(
                end_entity,
                intermediates,
                server_name,
                ocsp_response,
                now,
            ),
            Trust::Pinned(pin) if pin.is(end_entity) => Ok(ServerCertVerified::assertion()),
            Trust::Pinned(_) => Err(CertificateError::ApplicationVerificationFailure.into()),
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls12_signature(message, certificate, signature, &self.algorithms).map_err(of_key)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        verify_tls13_signature(message, certificate, signature, &self.algorithms).map_err(of_key)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.algorithms.supported_schemes()
    }
}

fn of_key(error: rustls::Error) -> rustls::Error {
    match error {
        rustls::Error::InvalidCertificate(CertificateError::BadSignature) => {
            CertificateError::Other(OtherError(Arc::new(UnusableKey))).into()
        }
        other => other,
    }
}

/// The signature of the handshake is not by the key of the certificate, or that is too short for this client.
#[derive(Debug)]
pub(super) struct UnusableKey;

impl fmt::Display for UnusableKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(
            "has a key that this client cannot use, such as RSA with fewer than 2048 bits, or the server \
             does not have that key",
        )
    }
}

impl std::error::Error for UnusableKey {}

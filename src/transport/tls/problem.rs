//! Explains in plain words why a handshake failed. rustls shows most of its errors as they are named in its
//! source code.

use std::io;

use tokio_rustls::rustls::{AlertDescription, CertificateError, Error};

use super::verifier::UnusableKey;
use crate::wkt::Timestamp;

/// Returns why a handshake failed.
pub(super) fn of(error: &io::Error) -> String {
    match error.get_ref().and_then(|inner| inner.downcast_ref()) {
        Some(error) => of_tls(error),
        None if error.kind() == io::ErrorKind::UnexpectedEof => {
            "the server closed the connection in the middle of the TLS handshake".to_owned()
        }
        None => error.to_string(),
    }
}

fn of_tls(error: &Error) -> String {
    match error {
        Error::InvalidCertificate(error) => of_certificate(error),
        Error::NoCertificatesPresented => "the server shows no certificate".to_owned(),
        Error::AlertReceived(alert) => of_alert(*alert),
        // Data from a port without TLS has no valid TLS type.
        Error::InvalidMessage(_) => "the server does not speak TLS on that port".to_owned(),
        Error::PeerIncompatible(why) => {
            format!("the server's TLS does not fit this client's ({})", words(&format!("{why:?}")))
        }
        Error::PeerMisbehaved(why) => {
            format!("the server breaks the rules of TLS ({})", words(&format!("{why:?}")))
        }
        Error::NoApplicationProtocol => NO_PROTOCOL.to_owned(),
        other => format!("TLS failed: {other}"),
    }
}

const NO_PROTOCOL: &str = "the server speaks TLS, but no protocol that was offered in it (ALPN)";

fn of_certificate(error: &CertificateError) -> String {
    let problem = match error {
        CertificateError::Expired => "has expired".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("has expired: it was valid until {}", time(not_after.as_secs()))
        }
        CertificateError::NotValidYet => NOT_YET.to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("{NOT_YET}: it is from {}", time(not_before.as_secs()))
        }
        CertificateError::NotValidForName => "is for another name".to_owned(),
        CertificateError::NotValidForNameContext { expected, presented } => {
            // In the form `DnsName("protect.example")`.
            let names = presented.iter().map(|name| {
                name.split_once('(').map_or(&**name, |(_, name)| name.trim_end_matches(')'))
            });
            match names.collect::<Vec<_>>().join(", ").replace('"', "") {
                names if names.is_empty() => {
                    format!("is for no name, so not for {}", expected.to_str())
                }
                names => format!("is for {names}, not for {}", expected.to_str()),
            }
        }
        CertificateError::UnknownIssuer => {
            "is from an authority that is not trusted here".to_owned()
        }
        CertificateError::Revoked => "has been revoked".to_owned(),
        CertificateError::BadEncoding => "cannot be read".to_owned(),
        // As after a renewal: the name matches a trusted authority, but the signature does not.
        CertificateError::BadSignature => {
            "is from an authority that is not trusted here, though one of its name is".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "is not one for servers".to_owned()
        }
        // Only the check for the pinned certificate returns this.
        CertificateError::ApplicationVerificationFailure => {
            return "the server shows another certificate than the pinned one".to_owned();
        }
        CertificateError::Other(other) if other.to_string().contains("CaUsedAsEndEntity") => {
            return "the server shows the certificate of an authority (CA) as its own".to_owned();
        }
        CertificateError::Other(other) if other.0.is::<UnusableKey>() => other.to_string(),
        CertificateError::Other(other) => {
            format!("is not to be trusted ({})", words(&other.to_string()))
        }
        other => format!("is not to be trusted ({})", words(&other.to_string())),
    };
    format!("the server's certificate {problem}")
}

const NOT_YET: &str = "is not valid yet, or the clock here is wrong";

fn of_alert(alert: AlertDescription) -> String {
    use AlertDescription as Alert;
    let name = words(&format!("{alert:?}"));
    match alert {
        Alert::NoApplicationProtocol => NO_PROTOCOL.to_owned(),
        Alert::CertificateRequired => "the server wants a client certificate".to_owned(),
        _ if is_of_certificate(alert) => {
            format!("the server does not accept the client certificate ({name})")
        }
        Alert::HandshakeFailure => format!(
            "the server has no version, cipher or key of TLS in common with this client ({name}); this client \
             knows RSA, ECDSA with P-256 or P-384, and Ed25519"
        ),
        Alert::ProtocolVersion | Alert::InsufficientSecurity => {
            format!(
                "the server has no version or cipher of TLS in common with this client ({name})"
            )
        }
        Alert::UnrecognisedName => format!("the server has no such name ({name})"),
        _ => format!("the server ended the TLS handshake ({name})"),
    }
}

/// Whether an alert says that the other side does not accept the certificate that it got.
pub(super) fn is_of_certificate(alert: AlertDescription) -> bool {
    use AlertDescription as Alert;
    matches!(
        alert,
        Alert::BadCertificate
            | Alert::UnsupportedCertificate
            | Alert::CertificateRevoked
            | Alert::CertificateExpired
            | Alert::CertificateUnknown
            | Alert::UnknownCA
    )
}

/// Returns a time such as `2030-01-01T00:00:00Z`.
fn time(seconds: u64) -> String {
    let seconds = i64::try_from(seconds).unwrap_or(i64::MAX);
    Timestamp { seconds, nanos: 0 }.to_string()
}

/// Turns `UnknownIssuer` into `unknown issuer`. Leaves other texts unchanged.
fn words(name: &str) -> String {
    if !name.chars().all(|c| c.is_ascii_alphanumeric()) {
        return name.to_owned();
    }
    let mut words = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && words.ends_with(|c: char| c.is_ascii_lowercase()) {
            words.push(' ');
        }
        words.push(letter.to_ascii_lowercase());
    }
    words
}

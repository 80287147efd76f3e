//! Connections on which the server never started to speak HTTP/2.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use super::error_chain::find;
use crate::error::Error;

/// The prefix that identifies this error: HTTP/2 passes on the text and kind of an I/O error, but not the
/// error itself.
const PREFIX: &str = "no HTTP/2 from the server: ";

/// The kind of I/O error for a server that refuses our certificate.
#[cfg(feature = "tls")]
pub(super) const CERTIFICATE_REFUSED: io::ErrorKind = io::ErrorKind::PermissionDenied;

/// Why a connection failed on which the server sent no preface and so received no request.
#[derive(Clone, Debug)]
pub(super) struct NoHttp2 {
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    kind: io::ErrorKind,
    text: String,
}

impl NoHttp2 {
    /// Creates the error of a failed connection.
    pub(super) fn new(kind: io::ErrorKind, what: &str) -> Self {
        Self { kind, text: format!("{PREFIX}{what}") }
    }

    /// Returns the error for reading from the connection.
    pub(super) fn to_io(&self) -> io::Error {
        io::Error::new(self.kind, self.text.clone())
    }

    /// Returns why a request failed, if it was for this reason. A request that was still waiting for the
    /// connection learns from HTTP/2 only that there is none; `last` is why the last connection failed.
    pub(super) fn of(
        error: &(dyn StdError + 'static),
        last: impl FnOnce() -> Option<Self>,
    ) -> Option<Self> {
        if let Some(error) = find::<io::Error>(error) {
            let text = error.get_ref()?.to_string();
            return text.starts_with(PREFIX).then_some(Self { kind: error.kind(), text });
        }
        let is_unwritten = |error: &hyper::Error| error.is_canceled() || error.is_closed();
        find::<hyper::Error>(error).filter(|error| is_unwritten(error))?;
        last()
    }

    /// Returns the error of a call on this connection.
    pub(super) fn into_error(self, what: &str) -> Error {
        let message = format!("{what}: {self}");
        let error = Error::no_connection(message);
        #[cfg(feature = "tls")]
        if self.kind == CERTIFICATE_REFUSED {
            return error.permanent().with_source(self);
        }
        error.with_source(self)
    }

    /// Whether the server spoke another protocol, or closed the connection when it received HTTP/2. Silence
    /// shows nothing.
    #[cfg(feature = "rest")]
    pub(super) fn is_other_protocol(&self) -> bool {
        !matches!(self.kind, CERTIFICATE_REFUSED | io::ErrorKind::TimedOut)
    }
}

impl fmt::Display for NoHttp2 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl StdError for NoHttp2 {}

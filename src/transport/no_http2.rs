//! Connections on which the server never began to speak HTTP/2.

use std::error::Error as StdError;
use std::fmt;
use std::io;

use tonic::Code;

use super::error_chain::find;
use crate::error::{Error, ErrorKind};

/// By which an error of this is known: HTTP/2 hands on the text and the kind of an I/O error, not itself.
const PREFIX: &str = "no HTTP/2 from the server: ";

/// What a server's distrust of our certificate is among the kinds of I/O errors.
#[cfg(feature = "tls")]
pub(super) const CERTIFICATE_REFUSED: io::ErrorKind = io::ErrorKind::PermissionDenied;

/// Why a connection failed on which the server sent no preface, and so got no request.
#[derive(Clone, Debug)]
pub(super) struct NoHttp2 {
    #[cfg_attr(not(feature = "tls"), allow(dead_code))]
    kind: io::ErrorKind,
    text: String,
}

impl NoHttp2 {
    /// A connection that failed, for this reason.
    pub(super) fn new(kind: io::ErrorKind, what: &str) -> Self {
        Self { kind, text: format!("{PREFIX}{what}") }
    }

    /// The error with which reading from the connection fails.
    pub(super) fn to_io(&self) -> io::Error {
        io::Error::new(self.kind, self.text.clone())
    }

    /// What a request failed with, if it was that. One that still waited for the connection learns from HTTP/2
    /// only that there is none; `last` is why the last connection failed.
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

    /// The error of a call that was to go over the connection.
    pub(super) fn into_error(self, what: &str) -> Error {
        let message = format!("{what}: {self}");
        let error = Error::new(ErrorKind::Connect, Code::Unavailable, message);
        #[cfg(feature = "tls")]
        if self.kind == CERTIFICATE_REFUSED {
            return error.permanent().with_source(self);
        }
        error.with_source(self)
    }

    /// The server said something else, or closed the connection at the sight of HTTP/2. Silence shows
    /// nothing.
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

//! Recognizes failed requests that provably were not processed.
//!
//! What the underlying crates report, according to their sources (h2 0.4.20, hyper 1.12, hyper-util 0.1.21):
//!
//! - `RST_STREAM` with `REFUSED_STREAM`: the server did not start processing (RFC 9113, 8.7). h2 reports a
//!   remote reset only for a frame with the stream's number.
//! - `GOAWAY`: streams above the number in the frame were not and will not be processed (RFC 9113, 6.8). h2
//!   reports its remote error only to those streams and to streams that would have been opened later. The
//!   others continue, and get an I/O error if the connection then ends. There is one exception: a frame that
//!   arrives after hyper opened a stream and before it checks the connection again fails that request too,
//!   whatever its number. hyper has not started to send the body then, so a request with a body was not sent
//!   completely. A request without a body may have been, and does not count as unsent.
//! - Nothing was written: hyper returns a request that no connection accepted as canceled, or does not accept
//!   it because the channel to the connection is closed. A request that disappeared with one of hyper's own
//!   tasks ("dispatch gone") is another error, and so is an HTTP/1.1 connection that breaks when a byte of
//!   the request may have been written.
//!
//! hyper-util itself repeats a request only if hyper returned it. All of this applies before the head of a
//! response has arrived; a server that responds has started processing.

use std::error::Error as StdError;
use std::fmt;

use h2::Reason;
use tonic::Code;

use super::complete_body::BrokenOff;
use super::error_chain::{BoxError, find};
#[cfg(feature = "serve")]
use crate::error::{Error, ErrorKind};

/// Why a request was not processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `RST_STREAM` with `REFUSED_STREAM`.
    Stream,
    /// `GOAWAY`, and the request was after the last one that counts.
    GoAway,
    /// The connection was gone.
    Unwritten,
}

impl Refusal {
    /// Interprets the error of a request without a response head.
    pub(super) fn of(error: &(dyn StdError + 'static), has_body: bool) -> Option<Self> {
        if let Some(error) = find::<h2::Error>(error).filter(|error| error.is_remote()) {
            let is_refused = error.is_reset() && error.reason() == Some(Reason::REFUSED_STREAM);
            return match (is_refused, error.is_go_away() && has_body) {
                (true, _) => Some(Self::Stream),
                (false, true) => Some(Self::GoAway),
                (false, false) => None,
            };
        }
        let error = find::<hyper::Error>(error)?;
        (error.is_canceled() || error.is_closed()).then_some(Self::Unwritten)
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Stream => {
                "the server refused the stream before processing it (REFUSED_STREAM): nothing was done"
            }
            Self::GoAway => {
                "the server is going away (GOAWAY) and did not process the call: nothing was done"
            }
            Self::Unwritten => "the connection closed before the request was sent: nothing was done",
        })
    }
}

/// An error of the gRPC wire before the response head.
#[derive(Debug)]
pub(super) struct Refused {
    refusal: Refusal,
    source: BoxError,
}

impl Refused {
    /// The refusal in an error, or the error if it does not say that the call was not processed. A message of
    /// gRPC is a body.
    pub(super) fn wrap(error: BoxError) -> Result<Self, BoxError> {
        match Refusal::of(&*error, true) {
            Some(refusal) => Ok(Self { refusal, source: error }),
            None => Err(error),
        }
    }

    /// Whether the server reported it in HTTP/2.
    #[cfg(feature = "rest")]
    pub(super) fn is_by_server(&self) -> bool {
        self.refusal != Refusal::Unwritten
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.refusal.fmt(f)
    }
}

impl StdError for Refused {
    fn source(&self) -> Option<&(dyn StdError + 'static)> {
        Some(&*self.source)
    }
}

/// Whether a call failed although the server answers: it reset the stream of the call in HTTP/2, whose connection goes
/// on, or its response broke off after the head.
#[cfg(feature = "serve")]
pub(crate) fn is_by_answering_server(error: &Error) -> bool {
    let is_reset = |error: &h2::Error| error.is_reset() && error.is_remote();
    error.kind() == ErrorKind::Transport
        && (find::<BrokenOff>(error).is_some() || find::<h2::Error>(error).is_some_and(is_reset))
}

/// Returns what ended: the stream of one call, or the connection with all of them.
pub(super) fn what_broke(error: &(dyn StdError + 'static)) -> &'static str {
    let is_stream = find::<h2::Error>(error).is_some_and(h2::Error::is_reset);
    if is_stream || find::<BrokenOff>(error).is_some() { "the stream" } else { "the connection" }
}

/// Returns the code of a call whose stream or connection broke, according to gRPC's table for HTTP/2
/// ("Errors" in PROTOCOL-HTTP2), which tonic has in its server feature only. `None` if it broke elsewhere.
pub(super) fn broken_code(error: &(dyn StdError + 'static)) -> Option<Code> {
    if find::<BrokenOff>(error).is_some_and(|BrokenOff(error)| error.is_none()) {
        return Some(Code::Internal);
    }
    let Some(error) = find::<h2::Error>(error) else {
        return find::<hyper::Error>(error).map(|_| Code::Unavailable);
    };
    let Some(reason) = error.reason().filter(|_| !(error.is_go_away() && error.is_remote())) else {
        return Some(Code::Unavailable);
    };
    Some(match reason {
        Reason::NO_ERROR
        | Reason::PROTOCOL_ERROR
        | Reason::INTERNAL_ERROR
        | Reason::FLOW_CONTROL_ERROR
        | Reason::SETTINGS_TIMEOUT
        | Reason::FRAME_SIZE_ERROR
        | Reason::COMPRESSION_ERROR
        | Reason::CONNECT_ERROR => Code::Internal,
        Reason::REFUSED_STREAM => Code::Unavailable,
        Reason::CANCEL => Code::Cancelled,
        Reason::ENHANCE_YOUR_CALM => Code::ResourceExhausted,
        Reason::INADEQUATE_SECURITY => Code::PermissionDenied,
        _ => Code::Unknown,
    })
}

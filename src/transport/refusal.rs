//! Which requests that failed were provably not processed.
//!
//! What the crates below report, read in their sources (h2 0.4.20, hyper 1.12, hyper-util 0.1.21):
//!
//! - `RST_STREAM` with `REFUSED_STREAM`: the server did not begin (RFC 9113, 8.7). h2 gives a stream a
//!   remote reset for a frame with its number only.
//! - `GOAWAY`: what has a higher number than the frame says was not and will not be processed (RFC 9113,
//!   6.8). h2 gives its remote error to those streams only, and to those that would have been opened
//!   later; the others go on, and where the connection then ends they get an I/O error. There is one
//!   exception: a frame that arrives between hyper's opening a stream and its looking at the connection
//!   again fails that request too, whatever its number. hyper has then not begun with the body, so what has
//!   a body was not sent whole. What has none may have been, and is not called unsent.
//! - Nothing was written: hyper hands a request that no connection took back, as canceled, or does not take
//!   it, as the channel to the connection is closed. That a task of its own disappeared with a request
//!   ("dispatch gone") is another error, and so is a connection of HTTP/1.1 that breaks when one byte of the
//!   request may have been written.
//!
//! hyper-util sends a request again by itself only where hyper handed it back. All of this holds before the
//! head of an answer has arrived; who answers has begun.

use std::error::Error as StdError;
use std::fmt;

use h2::Reason;
use tonic::Code;

use super::complete_body::BrokenOff;
use super::error_chain::find;

type BoxError = Box<dyn StdError + Send + Sync>;

/// Why a request was not processed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refusal {
    /// `RST_STREAM` with `REFUSED_STREAM`.
    Stream,
    /// `GOAWAY`, and the request came after the last that counts.
    GoAway,
    /// The connection was no longer there.
    Unwritten,
}

impl Refusal {
    /// Reads the error of a request that got no head of an answer.
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

/// An error of the gRPC wire from before the head of an answer.
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

    /// Whether the server said so, in HTTP/2.
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

/// The code of a call whose stream or connection broke, by gRPC's table for HTTP/2 ("Errors" in
/// PROTOCOL-HTTP2). tonic has that table only where it is built as a server too. `None` if it broke
/// elsewhere.
pub(super) fn broken_code(error: &(dyn StdError + 'static)) -> Option<Code> {
    if find::<BrokenOff>(error).is_some() {
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

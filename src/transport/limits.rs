//! How large an answer may be.

use std::fmt;

use http::HeaderMap;
use tonic::Code;

use super::error_chain::find;
use crate::error::{Error, ErrorKind};

/// How many times the limit the HTTP/2 below takes, so that what is over the limit can be told from what
/// is broken. Further up it resets the stream, then the connection: that is no mistake but an attack.
const MARGIN: usize = 16;

/// What HTTP/1.1 has in one answer at most, beside the limit in bytes: hyper's own limit.
#[cfg(feature = "rest")]
const HTTP1_HEADERS: usize = 100;

/// The limits of one answer, in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Of a message, unpacked, in either direction.
    pub(crate) message: usize,
    /// Of the headers, and of the trailers, as HTTP/2 counts: names, values, and 32 for each (RFC 9113,
    /// 6.5.2).
    pub(crate) header_list: usize,
}

impl Limits {
    /// What the HTTP/2 below is told.
    pub(crate) fn http2_header_list(&self) -> u32 {
        u32::try_from(self.header_list.saturating_mul(MARGIN)).unwrap_or(u32::MAX)
    }

    /// How much of an answer over HTTP/1.1 is read in search of the end of its headers. hyper wants 8 KiB
    /// at least, and counts the status line.
    #[cfg(feature = "rest")]
    pub(crate) fn http1_buffer(&self) -> usize {
        self.header_list.saturating_add(8 * 1024)
    }

    /// Checks the headers or trailers of an answer.
    pub(super) fn check(&self, what: &str, headers: &HeaderMap) -> Result<(), TooLong> {
        let sizes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32);
        match sizes.sum::<usize>() {
            size if size <= self.header_list => Ok(()),
            size => Err(self.too_long(&format!("the {what} of the answer have {size} bytes"))),
        }
    }

    /// The error of an answer over HTTP/1.1 whose headers do not end within the limits.
    #[cfg(feature = "rest")]
    pub(super) fn no_end_of_headers(&self) -> TooLong {
        self.too_long(&format!(
            "the answer has too many bytes of headers, or more than {HTTP1_HEADERS} of them"
        ))
    }

    fn too_long(&self, what: &str) -> TooLong {
        let limit = self.header_list;
        TooLong(format!(
            "{what}; the limit of this client is {limit} bytes: raise it with \
             ClientBuilder::max_header_list_size"
        ))
    }
}

/// What else is known where the HTTP/2 of this side gave up a stream or a connection. It has one reason for
/// what is broken and for what is far over the limit.
pub(super) fn note(error: &(dyn std::error::Error + 'static)) -> &'static str {
    if find::<h2::Error>(error).is_some_and(h2::Error::is_library) {
        "; the answer breaks HTTP/2, or its headers are far over ClientBuilder::max_header_list_size"
    } else {
        ""
    }
}

/// The headers or trailers of an answer are over the limit. It was an answer: the call may have run.
#[derive(Debug)]
pub(super) struct TooLong(String);

impl TooLong {
    pub(super) fn to_error(&self) -> Error {
        Error::new(ErrorKind::Limit, Code::OutOfRange, self.0.clone())
    }
}

impl fmt::Display for TooLong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for TooLong {}

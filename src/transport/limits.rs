//! Limits the size of responses.

use std::fmt;
use std::future::Future;
use std::time::Duration;

use http::HeaderMap;
use tonic::Code;

use super::error_chain::find;
use crate::error::{Error, ErrorKind};
use crate::framing::MessageLimit;
use crate::timer::{Timer, within};

/// The factor for the limit of the HTTP/2 implementation, to distinguish responses above our limit from
/// broken ones. Above it, HTTP/2 resets the stream and then the connection: that is an attack, not a mistake.
const MARGIN: usize = 16;

/// The maximum number of headers in an HTTP/1.1 response, besides the limit in bytes: hyper's own limit.
#[cfg(feature = "rest")]
const HTTP1_HEADERS: usize = 100;

/// The limits of one response, sizes in bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// The time from the request, with connecting, to the first byte of the response.
    pub(crate) first_byte: Option<Duration>,
    pub(crate) message: MessageLimit,
    /// Of the headers, and of the trailers, as HTTP/2 counts them: names and values plus 32 for each (RFC
    /// 9113, 6.5.2).
    pub(crate) header_list: usize,
}

impl Limits {
    /// Waits for the head of a response.
    pub(super) async fn head<F: Future>(
        &self,
        timer: &dyn Timer,
        response: F,
    ) -> Result<F::Output, Error> {
        let Some(time) = self.first_byte else { return Ok(response.await) };
        within(timer, time, response).await.ok_or_else(|| {
            let message = format!("no byte of a response within {time:?}");
            let error = Error::deadline(message);
            error.transient().unanswered()
        })
    }

    /// Refuses a request whose message is over the limit.
    pub(super) fn check_request(&self, size: usize) -> Result<(), Error> {
        let limit = self.message;
        if size <= limit.bytes {
            return Ok(());
        }
        let message = format!("the request has {size} bytes, {limit}");
        Err(Error::new(ErrorKind::Limit, Code::InvalidArgument, message))
    }

    /// Returns the error of a response whose message is over the limit.
    pub(super) fn response_too_large(&self, size: impl fmt::Display) -> Error {
        let limit = self.message;
        let message = format!("the response has {size} bytes, {limit:#}");
        Error::new(ErrorKind::Limit, Code::OutOfRange, message)
    }

    /// Returns the limit for the HTTP/2 implementation.
    pub(crate) fn http2_header_list(&self) -> u32 {
        u32::try_from(self.header_list.saturating_mul(MARGIN)).unwrap_or(u32::MAX)
    }

    /// Returns how much of an HTTP/1.1 response may be read to find the end of its headers. hyper requires at
    /// least 8 KiB and counts the status line.
    #[cfg(feature = "rest")]
    pub(crate) fn http1_buffer(&self) -> usize {
        self.header_list.saturating_add(8 * 1024)
    }

    /// Checks the headers or trailers of a response.
    pub(super) fn check(&self, what: &str, headers: &HeaderMap) -> Result<(), TooLong> {
        let sizes = headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 32);
        match sizes.sum::<usize>() {
            size if size <= self.header_list => Ok(()),
            size => Err(self.too_long(&format!("the {what} of the response have {size} bytes"))),
        }
    }

    /// Returns the error of an HTTP/1.1 response whose headers exceed the limits.
    #[cfg(feature = "rest")]
    pub(super) fn no_end_of_headers(&self) -> TooLong {
        let advice = self.advice(
            ": the limit of bytes can be raised with ClientBuilder::max_header_list_size, that of headers cannot",
        );
        TooLong(format!(
            "the response has more than {HTTP1_HEADERS} headers, or more than {} bytes of them{advice}",
            self.header_list
        ))
    }

    fn too_long(&self, what: &str) -> TooLong {
        let limit = self.header_list;
        let advice = self.advice(": raise it with ClientBuilder::max_header_list_size");
        TooLong(format!("{what}; the limit of this client is {limit} bytes{advice}"))
    }

    /// Returns advice about a method, if whoever reads an error can call one rather than change a configuration.
    fn advice(&self, advice: &'static str) -> &'static str {
        match self.message.setting {
            Some(setting) if setting.starts_with("ClientBuilder::") => advice,
            _ => "",
        }
    }
}

/// Returns a note if our HTTP/2 implementation gave up a stream or connection. It reports the same reason for
/// broken responses and for those far above the limit.
pub(super) fn note(error: &(dyn std::error::Error + 'static)) -> &'static str {
    if find::<h2::Error>(error).is_some_and(h2::Error::is_library) {
        "; the response breaks HTTP/2, or its headers are far over the limit of this client"
    } else {
        ""
    }
}

/// The headers or trailers of a response exceed the limit. There was a response, so the call may have run.
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

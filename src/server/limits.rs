//! Limits on the size and duration of requests.

use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use http_body_util::{BodyExt, LengthLimitError};

use super::error_body::error;
use crate::framing::MessageLimit;

/// Limits of a [`RestFront`](super::RestFront).
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct RestLimits {
    /// The largest body: 10,024 KiB by default, as in ESET's own gateway ([facts](crate::facts#errors)).
    /// Larger ones are answered with 413.
    pub max_body: usize,
    /// How long a body may take to arrive: 30 seconds by default. Slower ones are answered with 408.
    pub body_time: Duration,
    /// The total size of the headers, and the size of the path with its query: 16 KiB each by default. Larger
    /// ones are answered with 431 and 414.
    pub max_head: usize,
}

impl Default for RestLimits {
    fn default() -> Self {
        Self { max_body: 10_024 * 1024, body_time: Duration::from_secs(30), max_head: 16 * 1024 }
    }
}

/// Why a request is refused before it is processed.
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) message: String,
}

impl From<Refusal> for Response<Bytes> {
    fn from(Refusal { status, message }: Refusal) -> Self {
        let mut response = error(status, &message);
        if status == StatusCode::METHOD_NOT_ALLOWED {
            // Before its path is known, only a gRPC request has a wrong method.
            response.headers_mut().insert(header::ALLOW, HeaderValue::from_static("POST"));
        }
        response
    }
}

impl RestLimits {
    pub(super) fn check_head(&self, head: &http::request::Parts) -> Result<(), Refusal> {
        let limit = self.max_head;
        let path = head.uri.path_and_query().map_or(0, |path| path.as_str().len());
        if path > limit {
            let message = format!("the path and query exceed {limit} bytes");
            return Err(Refusal { status: StatusCode::URI_TOO_LONG, message });
        }
        if size(&head.headers) > limit {
            let message = format!("the headers exceed {limit} bytes");
            return Err(Refusal { status: StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE, message });
        }
        Ok(())
    }

    /// Reads a whole body of at most this size.
    pub(super) async fn read<B>(&self, body: B, limit: MessageLimit) -> Result<Bytes, Refusal>
    where
        B: http_body::Body<Data = Bytes>,
    {
        if body.is_end_stream() {
            return Ok(Bytes::new());
        }
        // Does not read a body whose declared size is too large.
        if body.size_hint().lower() > limit.bytes as u64 {
            return Err(too_large("body", limit));
        }
        let read = async {
            let body = body.map_err(|_| "the body ended early");
            match http_body_util::Limited::new(body, limit.bytes).collect().await {
                Ok(body) => Ok(body.to_bytes()),
                Err(error) if error.is::<LengthLimitError>() => Err(too_large("body", limit)),
                Err(error) => {
                    Err(Refusal { status: StatusCode::BAD_REQUEST, message: error.to_string() })
                }
            }
        };
        tokio::time::timeout(self.body_time, read).await.unwrap_or_else(|_| {
            let message = format!("the body did not arrive within {:?}", self.body_time);
            Err(Refusal { status: StatusCode::REQUEST_TIMEOUT, message })
        })
    }
}

pub(super) fn too_large(what: &str, limit: MessageLimit) -> Refusal {
    let message = format!("the {what} is too large, {limit}");
    Refusal { status: StatusCode::PAYLOAD_TOO_LARGE, message }
}

fn size(headers: &HeaderMap) -> usize {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum()
}

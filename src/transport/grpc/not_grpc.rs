//! Answers that are not gRPC.

use std::fmt;

use http::{HeaderMap, HeaderValue, StatusCode, header};
use tonic::Code;

/// The server answered, and not in gRPC.
pub(in crate::transport) struct NotGrpc {
    pub(super) status: StatusCode,
    media_type: String,
    pub(super) headers: HeaderMap,
}

impl NotGrpc {
    pub(super) fn new(status: StatusCode, headers: HeaderMap) -> Self {
        let media_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let media_type = String::from_utf8_lossy(media_type.unwrap_or_default()).into_owned();
        Self { status, media_type, headers }
    }

    /// Whether the server did not let the call in, and so ran nothing.
    pub(super) fn is_refusal(&self) -> bool {
        matches!(self.status.as_u16(), 401 | 403 | 429) || self.is_other_protocol()
    }

    /// Whether the server shows that it knows no gRPC, and so that it ran nothing: there is no such
    /// path, no such method, no such type of content.
    pub(in crate::transport) fn is_other_protocol(&self) -> bool {
        matches!(self.status.as_u16(), 404 | 405 | 406 | 415 | 426 | 501 | 505)
    }

    /// Whether a proxy responded because it cannot reach the server, or refuses requests for now.
    #[cfg(feature = "rest")]
    pub(in crate::transport) fn is_out_of_order(&self) -> bool {
        let is_json = self.media_type.starts_with("application/json");
        !is_json && matches!(self.status.as_u16(), 429 | 500 | 502..=504)
    }
}

impl fmt::Debug for NotGrpc {
    /// Without headers, which may hold what does not belong in a log.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("NotGrpc")
            .field("status", &self.status)
            .field("media_type", &self.media_type)
            .finish_non_exhaustive()
    }
}

impl fmt::Display for NotGrpc {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { status, media_type, .. } = self;
        let kind = if media_type.is_empty() { "no content-type" } else { media_type };
        write!(f, "the server does not answer in gRPC but with HTTP {status} and {kind}")
    }
}

impl std::error::Error for NotGrpc {}

/// The code of an HTTP status by gRPC's table (http-grpc-status-mapping).
pub(super) fn code_of(status: StatusCode) -> Code {
    match status.as_u16() {
        400 => Code::Internal,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 => Code::Unimplemented,
        429 | 502..=504 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

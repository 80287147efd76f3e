//! What a transport returns.

use std::fmt;
use std::sync::OnceLock;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue, StatusCode};
use prost::Message;
use tonic::metadata::MetadataMap;
use tonic::{Extensions, Response};

use super::metadata;
use crate::framing::Trailers;

/// The reply to one attempt: the response, or the news that it is pending. Clones share the bytes.
#[derive(Clone)]
pub struct Reply(Box<Inner>);

/// Boxed, because a reply passes through every layer of a call.
#[derive(Clone)]
struct Inner {
    body: Body,
    /// As they came from the wire.
    headers: HeaderMap,
    /// What of the headers is metadata. Sorted out when somebody asks, since most callers do not.
    metadata: OnceLock<MetadataMap>,
    /// Which of the headers came as trailers.
    trailers: Trailers,
    http_status: Option<StatusCode>,
}

#[derive(Clone)]
pub(super) enum Body {
    Protobuf(Bytes),
    #[cfg(feature = "rest")]
    Json(Bytes),
    Pending(HeaderValue),
}

impl Reply {
    /// Returns a reply with the response message as protobuf.
    pub fn protobuf(bytes: impl Into<Bytes>) -> Self {
        Self::new(Body::Protobuf(bytes.into()))
    }

    /// Returns a reply with a response message.
    pub fn message(message: &impl Message) -> Self {
        Self::protobuf(message.encode_to_vec())
    }

    /// Returns a reply with the body of an HTTP response, in JSON.
    #[cfg(feature = "rest")]
    pub fn json(bytes: impl Into<Bytes>) -> Self {
        Self::new(Body::Json(bytes.into()))
    }

    /// Returns the news that the response is pending (202, [facts](crate::facts#pending-responses)). The client
    /// pauses and sends the same request again with this identifier.
    pub fn pending(response_id: HeaderValue) -> Self {
        Self::new(Body::Pending(response_id))
    }

    fn new(body: Body) -> Self {
        let (headers, metadata) = (HeaderMap::new(), OnceLock::new());
        let trailers = Trailers::default();
        Self(Box::new(Inner { body, headers, metadata, trailers, http_status: None }))
    }

    /// Sets the headers and trailers as they came.
    pub(super) fn with_headers(mut self, headers: HeaderMap) -> Self {
        self.0.headers = headers;
        self
    }

    /// Sets which of the headers came as trailers.
    pub(super) fn with_trailers(mut self, trailers: Trailers) -> Self {
        self.0.trailers = trailers;
        self
    }

    /// Returns the metadata, and perhaps other headers.
    pub(crate) fn headers(&self) -> &HeaderMap {
        self.0.metadata.get().map_or(&self.0.headers, AsRef::as_ref)
    }

    pub(crate) fn headers_mut(&mut self) -> &mut HeaderMap {
        self.0.metadata.get_mut().map_or(&mut self.0.headers, AsMut::as_mut)
    }

    /// Returns the response with this message.
    pub(crate) fn into_response<M>(self, message: M) -> Response<M> {
        let Inner { headers, metadata: sorted_out, trailers, .. } = *self.0;
        let metadata = sorted_out.into_inner().unwrap_or_else(|| metadata(headers));
        let mut extensions = Extensions::default();
        if !trailers.0.is_empty() {
            extensions.insert(trailers);
        }
        Response::from_parts(metadata, message, extensions)
    }

    /// Sets the metadata: headers and trailers, without those that [`Error::metadata`](crate::Error::metadata) omits.
    #[must_use]
    pub fn with_metadata(mut self, map: MetadataMap) -> Self {
        self.0.metadata = metadata(map.into_headers()).into();
        self
    }

    /// Sets the HTTP status.
    #[must_use]
    pub fn with_http_status(mut self, status: StatusCode) -> Self {
        self.0.http_status = Some(status);
        self
    }

    /// Returns the status, if it came over HTTP.
    pub fn http_status(&self) -> Option<StatusCode> {
        self.0.http_status
    }

    pub(super) fn body(&self) -> &Body {
        &self.0.body
    }

    /// Returns the metadata.
    pub fn metadata(&self) -> &MetadataMap {
        self.0.metadata.get_or_init(|| metadata(self.0.headers.clone()))
    }

    /// Returns the response as it came: protobuf, or [JSON](Self::is_json). `None` if it is pending.
    pub fn bytes(&self) -> Option<&Bytes> {
        match self.body() {
            Body::Protobuf(bytes) => Some(bytes),
            #[cfg(feature = "rest")]
            Body::Json(bytes) => Some(bytes),
            Body::Pending(_) => None,
        }
    }

    /// Whether the [bytes](Self::bytes) are the JSON of an HTTP response, rather than protobuf.
    pub fn is_json(&self) -> bool {
        #[cfg(feature = "rest")]
        return matches!(self.body(), Body::Json(_));
        #[cfg(not(feature = "rest"))]
        false
    }

    /// Returns the identifier of the pending response; `None` if the response is there.
    pub fn pending_id(&self) -> Option<&HeaderValue> {
        match self.body() {
            Body::Pending(id) => Some(id),
            _ => None,
        }
    }
}

impl fmt::Debug for Reply {
    /// Shows neither the message nor the metadata: they may hold secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Reply")
            .field("bytes", &self.bytes().map(Bytes::len))
            .field("is_pending", &self.pending_id().is_some())
            .field("http_status", &self.http_status())
            .finish_non_exhaustive()
    }
}

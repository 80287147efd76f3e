//! The step between TCP and HTTP.

use std::future::Future;
use std::pin::Pin;

use tokio::io::{AsyncRead, AsyncWrite};

use super::lent::Lent;

/// The bytes of a connection.
pub(crate) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// A connection that is ready for HTTP, and what to add to the extensions of its requests.
pub(crate) struct Accepted {
    pub(crate) stream: Box<dyn Stream>,
    pub(crate) extensions: http::Extensions,
}

/// A pending handshake; `None` if it failed.
pub(crate) type Accepting = Pin<Box<dyn Future<Output = Option<Accepted>> + Send>>;

/// Prepares connections for HTTP.
pub(crate) trait Handshake: Send + Sync {
    fn accept(&self, stream: Lent) -> Accepting;
}

/// No handshake: HTTP without TLS.
pub(crate) struct Plain;

impl Handshake for Plain {
    fn accept(&self, stream: Lent) -> Accepting {
        let accepted = Accepted { stream: Box::new(stream), extensions: http::Extensions::new() };
        Box::pin(std::future::ready(Some(accepted)))
    }
}

//! The server of a request, as the conventions name it.

use std::sync::Arc;

use http::Uri;
use tracing::Span;

/// A host and port. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(super) address: Arc<str>,
    pub(super) port: u16,
}

impl Server {
    /// Returns the server of a URI.
    pub(crate) fn of(uri: &Uri) -> Self {
        let host = uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        Self { address: bare.unwrap_or(host).into(), port: uri.port_u16().unwrap_or(usual) }
    }

    pub(super) fn record(&self, span: &Span) {
        span.record("server.address", &*self.address);
        span.record("server.port", self.port);
    }
}

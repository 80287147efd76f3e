//! Where a request goes, as the conventions name it.

use std::sync::Arc;

use http::Uri;

/// A host and a port. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct Server {
    pub(super) address: Arc<str>,
    pub(super) port: u16,
}

impl Server {
    /// The server of an address.
    pub(crate) fn of(uri: &Uri) -> Self {
        let host = uri.host().unwrap_or_default();
        let bare = host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']'));
        let usual = if uri.scheme_str() == Some("https") { 443 } else { 80 };
        Self { address: bare.unwrap_or(host).into(), port: uri.port_u16().unwrap_or(usual) }
    }
}

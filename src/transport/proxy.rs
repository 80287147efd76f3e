//! Proxies from the environment: `HTTP_PROXY`, `HTTPS_PROXY`, `ALL_PROXY` and `NO_PROXY`.

use std::fmt;
use std::sync::Arc;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::proxy::matcher::Matcher;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::connector::is_loopback;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Which connections go through which proxy.
pub(crate) struct Proxy(Matcher);

impl Proxy {
    pub(crate) fn from_env() -> Self {
        Self(Matcher::from_env())
    }
}

impl fmt::Debug for Proxy {
    /// A proxy's address may hold a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Proxy(..)")
    }
}

/// Opens a connection, through a proxy's tunnel if there is one for the target. This machine is never
/// reached through a proxy.
pub(crate) async fn connect(
    proxy: Arc<Proxy>,
    mut tcp: HttpConnector,
    uri: Uri,
    secure: bool,
) -> Result<TokioIo<TcpStream>, BoxError> {
    if is_loopback(uri.host().unwrap_or_default()) {
        return Ok(tcp.call(uri).await?);
    }
    // tonic's URIs say `http` also where TLS follows.
    let mut parts = uri.clone().into_parts();
    if secure {
        parts.scheme = Some(http::uri::Scheme::HTTPS);
    }
    let target = Uri::from_parts(parts)?;
    match proxy.0.intercept(&target) {
        None => Ok(tcp.call(uri).await?),
        Some(found) => {
            if !matches!(found.uri().scheme_str(), Some("http")) {
                // The address is not shown: it may hold a password.
                return Err("the proxy of the environment is not an http proxy".into());
            }
            let mut tunnel = Tunnel::new(found.uri().clone(), tcp);
            if let Some(auth) = found.basic_auth() {
                tunnel = tunnel.with_auth(auth.clone());
            }
            Ok(tunnel.call(target).await?)
        }
    }
}

//! Opens connections: TCP, through a proxy if the environment names one, and TLS if the target requires it.
//!
//! tonic's own TLS cannot pin a certificate, so TLS is ours. tonic gets an `http` URI and adds nothing; the
//! `:scheme` on the wire is that of the origin.

use std::future::Future;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::rt::TokioIo;
use tower_service::Service;

use super::error_chain::{BoxError, find};
use super::keep_alive::KeepAlive;
use super::monitored_connection::{MonitoredConnection, Stream};
use super::proxy::{self, Proxies, Proxy, ProxyError, ProxyErrorKind};
use super::readiness::Readiness;
use super::tcp::Tcp;
use crate::error::Error;
#[cfg(feature = "tls")]
use crate::transport::tls::TlsConnector;

/// Opens connections. HTTP clients copy it for every request, so it is one pointer.
#[derive(Clone, Debug)]
pub(crate) struct Connector(Arc<Settings>);

#[derive(Clone, Debug)]
struct Settings {
    tcp: Tcp,
    readiness: Readiness,
    #[cfg(feature = "tls")]
    tls: Option<TlsConnector>,
    /// Whether to use TLS for `https` URIs only instead of all.
    #[cfg(feature = "rest")]
    is_tls_by_scheme: bool,
    proxies: Arc<Proxies>,
    /// Where to connect instead of looking up the host, unless a proxy does that.
    address: Option<SocketAddr>,
}

impl Connector {
    /// A connector without TLS, which uses the proxies that the environment names or none.
    pub(crate) fn new(
        connect_timeout: Duration,
        keep_alive: KeepAlive,
        uses_proxies: bool,
    ) -> Self {
        Self(Arc::new(Settings {
            tcp: Tcp { timeout: connect_timeout, keep_alive },
            readiness: Readiness::default(),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "rest")]
            is_tls_by_scheme: false,
            proxies: Arc::new(if uses_proxies { Proxies::from_env() } else { Proxies::none() }),
            address: None,
        }))
    }

    /// Returns the keep-alive of its connections.
    pub(super) fn keep_alive(&self) -> &KeepAlive {
        &self.0.tcp.keep_alive
    }

    /// Returns the readiness of its connections.
    pub(super) fn readiness(&self) -> &Readiness {
        &self.0.readiness
    }

    /// Returns a connector to another server, which may be one of the addresses of the host.
    pub(super) fn to_server(&self, address: Option<SocketAddr>, readiness: &Readiness) -> Self {
        let readiness = readiness.of_other_server();
        Self(Arc::new(Settings { address, readiness, ..Settings::clone(&self.0) }))
    }

    /// Uses TLS for `https` URIs only.
    #[cfg(feature = "rest")]
    pub(crate) fn by_scheme(mut self) -> Self {
        Arc::make_mut(&mut self.0).is_tls_by_scheme = true;
        self
    }

    /// Adds TLS.
    #[cfg(feature = "tls")]
    pub(crate) fn with_tls(mut self, tls: TlsConnector) -> Self {
        Arc::make_mut(&mut self.0).tls = Some(tls);
        self
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<MonitoredConnection>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        let settings = self.0.clone();
        Box::pin(async move {
            let Tcp { timeout, keep_alive } = settings.tcp.clone();
            let proxy = settings.proxies.to(&uri, settings.is_secure(&uri));
            let by = match &proxy {
                Ok(Some(proxy)) => format!(" by way of {proxy}"),
                _ => String::new(),
            };
            // The server or proxy may accept a connection and then say nothing.
            let connection = tokio::time::timeout(timeout, settings.connect(uri, proxy))
                .await
                .map_err(|_| format!("not connected within {timeout:?}{by}"))??;
            let readiness = settings.readiness.clone();
            Ok(TokioIo::new(MonitoredConnection::new(connection, timeout, keep_alive, readiness)))
        })
    }
}

impl Settings {
    /// Whether connections to this address use TLS. tonic's URIs have the scheme `http` even then.
    fn is_secure(&self, uri: &Uri) -> bool {
        #[cfg(feature = "rest")]
        if self.is_tls_by_scheme && uri.scheme_str() != Some("https") {
            return false;
        }
        let _ = uri;
        #[cfg(feature = "tls")]
        return self.tls.is_some();
        #[cfg(not(feature = "tls"))]
        false
    }

    /// Opens a stream, over which TLS may have negotiated HTTP/2.
    async fn connect(
        &self,
        uri: Uri,
        proxy: Result<Option<Proxy>, ProxyError>,
    ) -> Result<(Box<dyn Stream>, bool), BoxError> {
        let is_secure = self.is_secure(&uri);
        #[cfg(feature = "tls")]
        let host = uri.host().unwrap_or_default().to_owned();
        let stream: Box<dyn Stream> = match (proxy?, self.address) {
            (Some(proxy), _) => proxy::connect(&proxy, &self.tcp, &uri, is_secure).await?,
            (None, Some(address)) => Box::new(self.tcp.connect_to(address).await?),
            (None, None) => Box::new(self.tcp.connect(uri).await?),
        };
        #[cfg(feature = "tls")]
        if let Some(tls) = self.tls.as_ref().filter(|_| is_secure) {
            let stream = tls.connect(&host, stream).await?;
            let is_http2 = stream.get_ref().1.alpn_protocol() == Some(b"h2");
            return Ok((Box::new(stream), is_http2));
        }
        Ok((stream, false))
    }
}

/// Creates the error for a connection that failed.
pub(crate) fn connect_error(message: String, cause: &(dyn std::error::Error + 'static)) -> Error {
    let error = match find::<ProxyError>(cause).map(|error| error.kind) {
        Some(ProxyErrorKind::Variable) => return Error::config(message),
        Some(ProxyErrorKind::Lasting) => return Error::no_connection(message).permanent(),
        Some(ProxyErrorKind::Passing) | None => Error::no_connection(message),
    };
    #[cfg(feature = "tls")]
    if crate::transport::tls::is_certificate_refused(cause) {
        return error.permanent();
    }
    error
}

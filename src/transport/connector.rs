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
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioIo;
use tonic::Code;
use tower_service::Service;

use super::connection::Connection;
use super::error_chain::find;
use super::keep_alive::KeepAlive;
use super::monitored_connection::MonitoredConnection;
use super::proxy::{self, Proxies, ProxyError, ProxyErrorKind};
use super::readiness::Readiness;
use crate::error::{Error, ErrorKind};
#[cfg(feature = "tls")]
use crate::transport::tls::TlsConnector;

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// Opens connections.
#[derive(Clone, Debug)]
pub(crate) struct Connector {
    tcp: HttpConnector,
    timeout: Duration,
    keep_alive: KeepAlive,
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
        let mut tcp = HttpConnector::new();
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(connect_timeout));
        keep_alive.set_on(&mut tcp, connect_timeout);
        Self {
            tcp,
            timeout: connect_timeout,
            keep_alive,
            readiness: Readiness::default(),
            #[cfg(feature = "tls")]
            tls: None,
            #[cfg(feature = "rest")]
            is_tls_by_scheme: false,
            proxies: Arc::new(if uses_proxies { Proxies::from_env() } else { Proxies::none() }),
            address: None,
        }
    }

    /// Returns the keep-alive of its connections.
    pub(super) fn keep_alive(&self) -> &KeepAlive {
        &self.keep_alive
    }

    /// Returns the readiness of its connections.
    pub(super) fn readiness(&self) -> &Readiness {
        &self.readiness
    }

    /// Returns a connector to another server, which may be one of the addresses of the host.
    pub(super) fn to_server(&self, address: Option<SocketAddr>, readiness: &Readiness) -> Self {
        Self { address, readiness: readiness.of_other_server(), ..self.clone() }
    }

    /// Adds TLS for `https` URIs.
    #[cfg(feature = "rest")]
    pub(crate) fn with_tls_by_scheme(mut self, tls: TlsConnector) -> Self {
        self.is_tls_by_scheme = true;
        self.with_tls(tls)
    }

    /// Adds TLS for all URIs.
    #[cfg(feature = "tls")]
    pub(crate) fn with_tls(mut self, tls: TlsConnector) -> Self {
        self.tls = Some(tls);
        self
    }
}

impl Service<Uri> for Connector {
    type Response = TokioIo<MonitoredConnection>;
    type Error = BoxError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, BoxError>> + Send>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), BoxError>> {
        self.tcp.poll_ready(cx).map_err(Into::into)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        #[cfg(feature = "tls")]
        let tls = self.tls.clone();
        #[cfg(feature = "rest")]
        let tls = tls.filter(|_| !self.is_tls_by_scheme || uri.scheme_str() == Some("https"));
        #[cfg(feature = "tls")]
        let host = uri.host().unwrap_or_default().to_owned();
        // tonic's URIs have the scheme `http` even with TLS.
        #[cfg(feature = "tls")]
        let is_secure = tls.is_some();
        #[cfg(not(feature = "tls"))]
        let is_secure = false;
        let (tcp, timeout) = (self.tcp.clone(), self.timeout);
        let proxy = self.proxies.to(&uri, is_secure);
        let by = match &proxy {
            Ok(Some(proxy)) => format!(" by way of {proxy}"),
            _ => String::new(),
        };
        let direct = match self.address {
            Some(address) => Uri::try_from(format!("http://{address}")),
            None => Ok(uri.clone()),
        };
        let (keep_alive, readiness) = (self.keep_alive.clone(), self.readiness.clone());
        let connecting = async move {
            let stream = proxy::connect(proxy?, tcp, direct?, uri, is_secure).await?;
            #[cfg(feature = "tls")]
            if let Some(tls) = tls {
                let stream = tls.connect(&host, stream).await?;
                return Ok(Connection::Tls(Box::new(stream)));
            }
            Ok::<_, BoxError>(Connection::Plain(stream))
        };
        Box::pin(async move {
            // The server or proxy may accept a connection and then say nothing.
            let connection = tokio::time::timeout(timeout, connecting)
                .await
                .map_err(|_| format!("not connected within {timeout:?}{by}"))??;
            Ok(TokioIo::new(MonitoredConnection::new(connection, timeout, keep_alive, readiness)))
        })
    }
}

/// Creates the error for a connection that failed.
pub(crate) fn connect_error(message: String, cause: &(dyn std::error::Error + 'static)) -> Error {
    let error = match find::<ProxyError>(cause).map(|error| error.kind) {
        Some(ProxyErrorKind::Variable) => return Error::config(message),
        Some(ProxyErrorKind::Lasting) => {
            return Error::new(ErrorKind::Connect, Code::Unavailable, message).permanent();
        }
        Some(ProxyErrorKind::Passing) | None => {
            Error::new(ErrorKind::Connect, Code::Unavailable, message)
        }
    };
    #[cfg(feature = "tls")]
    if crate::transport::tls::is_certificate_refused(cause) {
        return error.permanent();
    }
    error
}

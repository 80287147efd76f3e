//! What is configured once.

use std::sync::Arc;
use std::time::Duration;

use http::Uri;
use tonic::transport::Endpoint;

use super::{Client, Inner};
use crate::error::Error;
use crate::transport::grpc::{Connector, GrpcTransport};
#[cfg(feature = "tls")]
use crate::transport::tls::TlsConfig;

const TIMEOUT: Duration = Duration::from_secs(60);
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_MESSAGE_SIZE: usize = 16 * 1024 * 1024;
const KEEP_ALIVE_INTERVAL: Duration = Duration::from_secs(30);
const KEEP_ALIVE_TIMEOUT: Duration = Duration::from_secs(20);

/// Configures a [`Client`].
///
/// | what | default | why |
/// |---|---|---|
/// | [`timeout`](Self::timeout) | 60 s | a call that nobody limits should end all the same |
/// | [`connect_timeout`](Self::connect_timeout) | 10 s | a host that drops packets would hold a call for minutes |
/// | [`max_message_size`](Self::max_message_size) | 16 MiB | a page of 1,000 policies does not fit in gRPC's usual 4 MiB |
/// | keep-alive | a ping after 30 s of silence during a call, 20 s for its answer | finds connections that died unseen |
#[derive(Clone, Debug)]
pub struct ClientBuilder {
    endpoint: String,
    timeout: Duration,
    connect_timeout: Duration,
    max_message_size: usize,
    #[cfg(feature = "tls")]
    tls: TlsConfig,
}

impl ClientBuilder {
    pub(super) fn new(endpoint: &str) -> Self {
        Self {
            endpoint: endpoint.to_owned(),
            timeout: TIMEOUT,
            connect_timeout: CONNECT_TIMEOUT,
            max_message_size: MAX_MESSAGE_SIZE,
            #[cfg(feature = "tls")]
            tls: TlsConfig::new(),
        }
    }

    /// How long a call may take that does not say it itself
    /// ([`CallOptions::timeout`](crate::CallOptions::timeout)). 60 seconds by default.
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = timeout;
        self
    }

    /// How long connecting may take. 10 seconds by default; a call's own timeout goes on.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many bytes a message may have, in either direction. 16 MiB by default. A message over it is
    /// an error ([`Error::is_limit_exceeded`]).
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.max_message_size = bytes;
        self
    }

    /// How to verify the server and how to show who we are; for `https` endpoints.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// Connects.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong, or the server cannot be connected.
    pub async fn connect(self) -> Result<Client, Error> {
        let (endpoint, connector) = self.prepare()?;
        let transport =
            GrpcTransport::connect(&self.endpoint, &endpoint, connector, self.max_message_size)
                .await?;
        Ok(self.client(transport))
    }

    /// Makes a client that connects with its first call. Needs a tokio runtime.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let (endpoint, connector) = self.prepare()?;
        let transport = GrpcTransport::lazy(&endpoint, connector, self.max_message_size);
        Ok(self.client(transport))
    }

    fn client(self, transport: GrpcTransport) -> Client {
        let Self { endpoint, timeout, .. } = self;
        Client { inner: Arc::new(Inner { endpoint, transport, timeout }) }
    }

    fn prepare(&self) -> Result<(Endpoint, Connector), Error> {
        let target = Target::parse(&self.endpoint)?;
        let connector = Connector::new(self.connect_timeout);
        let connector = self.with_tls(connector, &target)?;
        let wrong = |error: tonic::transport::Error| {
            Error::config(format!("endpoint {:?}: {error}", self.endpoint)).with_source(error)
        };
        let endpoint = Endpoint::from_shared(format!("http://{}", target.authority))
            .map_err(wrong)?
            .origin(target.origin)
            .user_agent(concat!("eset-protect/", env!("CARGO_PKG_VERSION")))
            .map_err(wrong)?
            .connect_timeout(self.connect_timeout)
            .http2_keep_alive_interval(KEEP_ALIVE_INTERVAL)
            .keep_alive_timeout(KEEP_ALIVE_TIMEOUT);
        Ok((endpoint, connector))
    }

    #[cfg(feature = "tls")]
    fn with_tls(&self, connector: Connector, target: &Target) -> Result<Connector, Error> {
        if !target.is_secure {
            return Ok(connector);
        }
        Ok(connector.with_tls(self.tls.connector(&target.host, &[b"h2"])?))
    }

    #[cfg(not(feature = "tls"))]
    fn with_tls(&self, connector: Connector, target: &Target) -> Result<Connector, Error> {
        if target.is_secure {
            return Err(Error::config(format!(
                "endpoint {:?}: https needs the cargo feature `tls`",
                self.endpoint
            )));
        }
        Ok(connector)
    }
}

/// Where a client connects to.
struct Target {
    authority: String,
    #[cfg(feature = "tls")]
    host: String,
    is_secure: bool,
    origin: Uri,
}

impl Target {
    fn parse(endpoint: &str) -> Result<Self, Error> {
        let wrong = |problem: &str| {
            Error::config(format!(
                "endpoint: expected http://HOST:PORT or https://HOST[:PORT], found {endpoint:?}: \
                 {problem}"
            ))
        };
        let uri: Uri = endpoint.parse().map_err(|error| wrong(&format!("{error}")))?;
        let is_secure = match uri.scheme_str() {
            Some("http" | "grpc") => false,
            Some("https" | "grpcs") => true,
            Some(_) => return Err(wrong("the scheme is neither http nor https")),
            None => return Err(wrong("it has no scheme")),
        };
        let authority = uri.authority().ok_or_else(|| wrong("it has no host"))?;
        if authority.as_str().contains('@') {
            // Not shown: it may be a password.
            return Err(Error::config("endpoint: credentials do not belong in an endpoint"));
        }
        if !matches!(uri.path(), "" | "/") || uri.query().is_some() {
            return Err(wrong("a gRPC server has neither path nor query"));
        }
        let default = if is_secure { 443 } else { 80 };
        let port = match authority.port_u16() {
            Some(0) => return Err(wrong("no server listens at port 0")),
            Some(port) => port,
            None if authority.as_str() == authority.host() => default,
            None => return Err(wrong("the port is not a number from 1 to 65535")),
        };
        let authority = format!("{}:{port}", authority.host());
        let scheme = if is_secure { "https" } else { "http" };
        let origin = format!("{scheme}://{authority}");
        Ok(Self {
            #[cfg(feature = "tls")]
            host: uri.host().unwrap_or_default().to_owned(),
            origin: origin.parse().map_err(|error| wrong(&format!("{error}")))?,
            authority,
            is_secure,
        })
    }
}

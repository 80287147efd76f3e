//! What is configured once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

#[cfg(not(feature = "rest"))]
use tonic::metadata::MetadataMap;
use tonic::transport::Endpoint;

use super::Client;
use super::target::{Address, Target};
use crate::auth::Credentials;
use crate::backoff::Jitter;
use crate::call::{CallContext, Limit, Links, Policy, RetryPolicy, RetryThrottle};
use crate::error::Error;
use crate::rate_limiter::RateLimiter;
use crate::timer::Timer;
use crate::transport::connector::Connector;
use crate::transport::grpc::GrpcTransport;
use crate::transport::keep_alive::{self, KeepAlive};
#[cfg(feature = "tls")]
use crate::transport::tls::TlsConfig;
use crate::transport::{CONNECTION_WINDOW, Limits, Link};
use crate::wkt::TypeRegistry;

#[cfg(feature = "rest")]
mod rest;
mod transport;
#[cfg(feature = "rest")]
pub(super) use rest::token_address;

const TIMEOUT: Duration = Duration::from_secs(60);
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_MESSAGE_SIZE: usize = 16 * 1024 * 1024;
const MAX_HEADER_LIST_SIZE: usize = 1024 * 1024;

/// Which rate limit a client has.
#[derive(Clone, Debug, Default)]
enum RateLimit {
    /// The documented one where it applies.
    #[default]
    Default,
    /// This one.
    Asked(RateLimiter),
    /// None.
    Off,
}

/// Configures a [`Client`].
///
/// | what | default | why |
/// |---|---|---|
/// | [`timeout`](Self::timeout) | 60 s; 150 s for the cloud and On-Prem | a call that nobody limits should end all the same; ESET's gateway itself may take 120 s |
/// | [`retry`](Self::retry) | five attempts, backoff from 250 ms, of calls for which that is safe; what the rate limit refuses, until the deadline | see [`RetryPolicy`] |
/// | [`retry_throttle`](Self::retry_throttle) | 100 tokens | see [`RetryThrottle`] |
/// | [`rate_limiter`](Self::rate_limiter) | 10 calls a second over REST with credentials, none over gRPC | see [`RateLimiter`] |
/// | [`connect_timeout`](Self::connect_timeout) | 10 s | a host that drops packets would hold a call for minutes |
/// | [`max_message_size`](Self::max_message_size) | 16 MiB | a page of 1,000 policies does not fit in gRPC's usual 4 MiB |
/// | [`max_header_list_size`](Self::max_header_list_size) | 1 MiB | a long error message, its details and metadata fit, and a server that sends without end does not fill the memory |
/// | [`keep_alive_interval`](Self::keep_alive_interval), [`keep_alive_timeout`](Self::keep_alive_timeout) | over HTTP/2, a ping after 330 s of silence during a call, 20 s for its answer; over TCP, 30 s and 20 s | finds connections that died unseen, which all later calls would share, and no server with gRPC's defaults minds |
///
/// # Proxies
///
/// Calls over either wire, and the login, go through the proxy that the environment names when the client is
/// made, by a tunnel (`CONNECT`), also where the address is `http`. So the proxy sees the host and no more where
/// it is `https`.
///
/// | variable | what |
/// |---|---|
/// | `HTTPS_PROXY`, `HTTP_PROXY` | the proxy for `https` and `http` addresses |
/// | `ALL_PROXY` | the proxy for both, where the one above says nothing |
/// | `NO_PROXY` | what is reached without a proxy, by commas or spaces: `*`, hosts with those below them (`eset.example`, `.eset.example`), addresses (`10.1.2.3`, `[fd00::1]`), networks (`10.0.0.0/8`); each but a network also with `:PORT` |
///
/// Upper case goes before lower case, an empty variable is none, and this machine is never reached through a
/// proxy; so it is in Go. Under CGI (`REQUEST_METHOD` is set) `HTTP_PROXY` is not read, since a request may set
/// it. An address is `http://[USER:PASSWORD@]HOST[:PORT]`, with or without `http://`, port 80
/// if none is given; `#`, `/`, `?`, `\` and spaces in a user name or password are percent-encoded. What is no such
/// address, or that of an https or SOCKS proxy, is an error of each call that would go through it
/// ([`ErrorKind::Config`](crate::ErrorKind::Config)); no call goes around it. A proxy that refuses is named, with
/// its status, in an error of kind [`Connect`](crate::ErrorKind::Connect): nothing was sent, and of its answers
/// 408, 429, 502, 503 and 504 are worth another attempt.
#[derive(Clone)]
pub struct ClientBuilder {
    pub(super) target: Target,
    timeout: Option<Duration>,
    connect_timeout: Duration,
    limits: Limits,
    keep_alive_interval: Option<Duration>,
    keep_alive_timeout: Duration,
    credentials: Option<Arc<dyn Credentials>>,
    policy: Policy,
    rate_limit: RateLimit,
    uses_proxies: bool,
    seam: transport::Seam,
    type_registry: TypeRegistry,
    #[cfg(feature = "tls")]
    tls: TlsConfig,
    #[cfg(feature = "rest")]
    rest: rest::Options,
}

impl ClientBuilder {
    pub(super) fn new(target: Target) -> Self {
        Self {
            #[cfg(feature = "rest")]
            rest: rest::Options::new(&target),
            target,
            timeout: None,
            connect_timeout: CONNECT_TIMEOUT,
            limits: Limits { message: MAX_MESSAGE_SIZE, header_list: MAX_HEADER_LIST_SIZE },
            keep_alive_interval: Some(keep_alive::INTERVAL),
            keep_alive_timeout: keep_alive::TIMEOUT,
            credentials: None,
            policy: Policy::default(),
            rate_limit: RateLimit::default(),
            uses_proxies: true,
            seam: transport::Seam::default(),
            type_registry: TypeRegistry::default(),
            #[cfg(feature = "tls")]
            tls: TlsConfig::new(),
        }
    }

    /// How long a call may take that does not say it itself
    /// ([`CallOptions::timeout`](crate::CallOptions::timeout)).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// How long connecting may take. 10 seconds by default; a call's own timeout goes on.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// How many bytes a message may have, in either direction, unpacked. 16 MiB by default. A message
    /// over it is an error ([`Error::is_limit_exceeded`]).
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.limits.message = bytes;
        self
    }

    /// How many bytes the headers of an answer may have, and its trailers, as HTTP/2 counts them: names and
    /// values, and 32 for each (RFC 9113, 6.5.2). 1 MiB by default, over HTTP/1.1 with 100 headers at most.
    /// The message of an error over gRPC is in them, its details and all metadata.
    ///
    /// A call whose answer has more fails ([`Error::is_limit_exceeded`]); it may have run. The other calls on
    /// the connection go on, unless the server sends more than 16 times the limit. gRPC's other clients
    /// take from 8 KiB (C++, Java) to 16 MiB (Go), so a server had better say less.
    #[must_use]
    pub fn max_header_list_size(mut self, bytes: usize) -> Self {
        self.limits.header_list = bytes;
        self
    }

    /// Pings a connection of HTTP/2, over either wire, after so long without a word from the server during a
    /// call; `None` never does. Without a call there are no pings. 5 minutes 30 seconds by default: servers
    /// with gRPC's defaults take a ping every 5 minutes and close the connection at the third too many, with
    /// all calls on it ([gRFC A8]). Set less only for servers that are configured for it, as where calls of
    /// minutes go through a proxy that drops what is silent.
    ///
    /// Where a server closes a connection for `too_many_pings`, the client doubles the interval, to the
    /// default at least, for all connections that it opens from then on, and says so as a warning
    /// ([`telemetry`](crate::telemetry)).
    ///
    /// A host that is gone is found by TCP, whatever is set here: by its keep-alive after 30 seconds of
    /// silence, and on Linux and Android, where something was sent, by `TCP_USER_TIMEOUT` after
    /// [`keep_alive_timeout`](Self::keep_alive_timeout) ([gRFC A18]).
    ///
    /// [gRFC A8]: https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md
    /// [gRFC A18]: https://github.com/grpc/proposal/blob/master/A18-tcp-user-timeout.md
    #[must_use]
    pub fn keep_alive_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive_interval = interval.into();
        self
    }

    /// How long the answer to a ping may take, and on Linux and Android TCP's acknowledgement of anything
    /// that was sent (but never less than [`connect_timeout`](Self::connect_timeout)). 20 seconds by default.
    /// Then the connection is dead, and the calls on it fail; they may have run.
    #[must_use]
    pub fn keep_alive_timeout(mut self, timeout: Duration) -> Self {
        self.keep_alive_timeout = timeout;
        self
    }

    /// Connects without a proxy, whatever the environment says; the login, too.
    #[must_use]
    pub fn no_proxy(mut self) -> Self {
        self.uses_proxies = false;
        self
    }

    /// Where access tokens come from. They travel as `authorization: Bearer`, and only by TLS or to
    /// this machine itself.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// How long one attempt of a call may take that does not say it itself
    /// ([`CallOptions::attempt_timeout`](crate::CallOptions::attempt_timeout)). By default the call's own
    /// time: a slow answer is an answer, and ESET's gateway may take 30 s for its first.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = Some(timeout);
        self
    }

    /// When calls are tried again that do not say it themselves
    /// ([`CallOptions::retry`](crate::CallOptions::retry)).
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.policy.retry = retry;
        self
    }

    /// The budget of retries, which several clients may share. By default each client, with its clones,
    /// has one of its own.
    #[must_use]
    pub fn retry_throttle(mut self, throttle: &RetryThrottle) -> Self {
        self.policy.throttle = throttle.clone();
        self
    }

    /// Keeps all calls of the client, with its clones, to a rate, over whichever wire. Clients that share
    /// credentials share the limit of the service, so give the same limiter to each of them.
    ///
    /// By default a client that speaks REST with credentials has a limiter of its own for ESET's
    /// documented limit, [`RateLimiter::eset`]; On-Prem servers document none, and take more if this gives
    /// more. A gRPC server is somebody's own, so calls over gRPC wait for no turn.
    #[must_use]
    pub fn rate_limiter(mut self, limiter: &RateLimiter) -> Self {
        self.rate_limit = RateLimit::Asked(limiter.clone());
        self
    }

    /// No limit of calls on this side. Over the documented one, ESET answers 429, and a call that is refused
    /// so waits and is made again, which costs more time than the turn would have.
    #[must_use]
    pub fn no_rate_limiter(mut self) -> Self {
        self.rate_limit = RateLimit::Off;
        self
    }

    /// Draws the waits between attempts: from a ceiling, what is really waited. By default any time from
    /// zero to the ceiling is as likely as any other. More than the ceiling counts as the ceiling.
    #[must_use]
    pub fn jitter(mut self, draw: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.policy.jitter = Jitter::new(draw);
        self
    }

    /// The clock for deadlines and for everything that waits. By default tokio's; tests drive their own.
    #[must_use]
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.policy.timer = Arc::new(timer);
        self
    }

    /// How to verify the server and how to show who we are; for `https` endpoints.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// Connects. A client that speaks REST connects with its calls, so nothing is sent yet.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong, or the gRPC server cannot be connected.
    pub async fn connect(self) -> Result<Client, Error> {
        if !self.is_grpc() || self.seam.transport.is_some() {
            return self.connect_lazy();
        }
        let credentials = self.checked_credentials()?;
        let (endpoint, connector) = self.grpc_endpoint()?;
        let target = self.target.to_string();
        let grpc = GrpcTransport::connect(&target, endpoint, connector, self.limits).await?;
        let link = self.layered(Link::grpc(grpc));
        self.client(Links::One(link), credentials)
    }

    /// Makes a client that connects with its first call. Its calls need a tokio runtime, this does not.
    ///
    /// # Errors
    ///
    /// If the configuration is wrong.
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let credentials = self.checked_credentials()?;
        let links = match &self.seam.transport {
            Some(transport) => Links::One(self.layered(Link::custom(transport.clone()))),
            None => self.links()?,
        };
        self.client(links, credentials)
    }

    #[cfg(not(feature = "rest"))]
    fn is_grpc(&self) -> bool {
        true
    }

    #[cfg(not(feature = "rest"))]
    fn links(&self) -> Result<Links, Error> {
        self.lazy_grpc().map(Links::One)
    }

    #[cfg(not(feature = "rest"))]
    fn login_credentials(&self) -> Result<Option<Arc<dyn Credentials>>, Error> {
        Ok(None)
    }

    #[cfg(not(feature = "rest"))]
    fn default_timeout(&self) -> Duration {
        TIMEOUT
    }

    #[cfg(not(feature = "rest"))]
    fn metadata(&self) -> Result<MetadataMap, Error> {
        Ok(MetadataMap::new())
    }

    /// The credentials, if there are any; an error if they would travel in the clear.
    fn checked_credentials(&self) -> Result<Option<Arc<dyn Credentials>>, Error> {
        let login = self.login_credentials()?;
        let credentials = self.credentials.clone().or(login);
        if credentials.is_some()
            && self.seam.transport.is_none()
            && let Some(address) = self.target.address()
        {
            Address::parse(address)?.check_token(address)?;
        }
        Ok(credentials)
    }

    /// Adds message types of your own: an [`Any`](crate::wkt::Any) of such a type is sent and received over
    /// REST too. Over gRPC an `Any` passes whether its type is registered or not. The crate's own types are
    /// always known.
    ///
    /// See [`Client::type_registry`] for reading and writing what the client received as JSON.
    #[must_use]
    pub fn type_registry(mut self, registry: TypeRegistry) -> Self {
        self.type_registry = registry;
        self
    }

    fn client(
        self,
        links: Links,
        credentials: Option<Arc<dyn Credentials>>,
    ) -> Result<Client, Error> {
        let mut policy = self.policy.clone();
        policy.limit = self.limit(credentials.is_some());
        Ok(Client {
            context: Arc::new(CallContext {
                target: self.target.to_string(),
                links,
                timeout: self.timeout.unwrap_or_else(|| self.default_timeout()),
                credentials,
                policy,
                metadata: self.metadata()?,
                interceptors: self.seam.interceptors.clone(),
                type_registry: self.type_registry.remember_enum_names(),
            }),
        })
    }

    /// The documented limit is one of each credential, and of REST.
    fn limit(&self, has_credentials: bool) -> Limit {
        match &self.rate_limit {
            RateLimit::Asked(limiter) => Limit::All(limiter.clone()),
            RateLimit::Default
                if has_credentials && !self.is_grpc() && self.seam.transport.is_none() =>
            {
                Limit::Rest(RateLimiter::eset())
            }
            RateLimit::Default | RateLimit::Off => Limit::None,
        }
    }

    fn lazy_grpc(&self) -> Result<Link, Error> {
        let (endpoint, connector) = self.grpc_endpoint()?;
        let grpc = GrpcTransport::lazy(endpoint, connector, self.limits);
        Ok(self.layered(Link::grpc(grpc)))
    }

    fn grpc_endpoint(&self) -> Result<(Endpoint, Connector), Error> {
        let Some(address) = self.target.address() else {
            return Err(Error::config("wire: ESET Connect has no gRPC endpoint, only REST"));
        };
        let address = Address::parse(address)?;
        let connector = self.connector(address.is_secure, &[b"h2"])?;
        let wrong = |error: tonic::transport::Error| {
            Error::config(format!("endpoint {:?}: {error}", self.target)).with_source(error)
        };
        let origin = address.origin();
        let origin = origin.parse().map_err(|error| {
            Error::config(format!("endpoint {origin:?}: {error}")).with_source(error)
        })?;
        let endpoint = Endpoint::from_shared(format!("http://{}", address.authority))
            .map_err(wrong)?
            .origin(origin)
            .user_agent(self.user_agent()?)
            .map_err(wrong)?
            .connect_timeout(self.connect_timeout)
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_max_header_list_size(self.limits.http2_header_list());
        Ok((endpoint, connector))
    }

    fn keep_alive(&self) -> KeepAlive {
        KeepAlive::new(self.keep_alive_interval, self.keep_alive_timeout)
    }

    #[cfg(feature = "tls")]
    fn connector(&self, is_secure: bool, alpn: &[&[u8]]) -> Result<Connector, Error> {
        let connector = Connector::new(self.connect_timeout, self.keep_alive(), self.uses_proxies);
        if is_secure { Ok(connector.with_tls(self.tls.connector(alpn)?)) } else { Ok(connector) }
    }

    #[cfg(not(feature = "tls"))]
    fn connector(&self, is_secure: bool, _alpn: &[&[u8]]) -> Result<Connector, Error> {
        if is_secure {
            let message =
                format!("endpoint {:?}: https needs the cargo feature `tls`", self.target);
            return Err(Error::config(message));
        }
        Ok(Connector::new(self.connect_timeout, self.keep_alive(), self.uses_proxies))
    }
}

impl fmt::Debug for ClientBuilder {
    /// Credentials show themselves without their secrets.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ClientBuilder")
            .field("target", &self.target)
            .field("timeout", &self.timeout)
            .field("connect_timeout", &self.connect_timeout)
            .field("limits", &self.limits)
            .field("credentials", &self.credentials)
            .finish_non_exhaustive()
    }
}

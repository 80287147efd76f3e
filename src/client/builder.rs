//! The configuration of a client.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use grpc_options::GrpcOptions;
#[cfg(feature = "rest")]
use rest_options::RestOptions;
use seam::Seam;
#[cfg(not(feature = "rest"))]
use tonic::metadata::MetadataMap;

use super::Client;
use super::target::{Address, Target};
use crate::auth::Credentials;
use crate::backoff::Jitter;
use crate::call::{CallContext, Deployed, Limit, Links, Policy, RetryPolicy, RetryThrottle};
use crate::error::Error;
use crate::rate_limiter::{RateLimiter, SharedLimit};
use crate::timer::Timer;
use crate::transport::connector::Connector;
use crate::transport::keep_alive::{self, KeepAlive};
#[cfg(feature = "tls")]
use crate::transport::tls::TlsConfig;
use crate::transport::{Limited, Limits, Link, MessageLimit};
use crate::wkt::TypeRegistry;

mod grpc;
mod grpc_options;
#[cfg(feature = "rest")]
mod rest;
#[cfg(feature = "rest")]
mod rest_options;
mod seam;
mod transport;
mod unused;
#[cfg(feature = "rest")]
pub(super) use rest::token_address;

const TIMEOUT: Duration = Duration::from_secs(60);
pub(super) const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
const MAX_MESSAGE_SIZE: &str = "ClientBuilder::max_message_size";
const MAX_HEADER_LIST_SIZE: usize = 1024 * 1024;

/// Configures a [`Client`].
///
/// | setting | default | reason |
/// |---|---|---|
/// | [`timeout`](Self::timeout) | 60 s; 150 s for the cloud and On-Prem | every call should end; ESET's gateway itself may take 120 s |
/// | [`retry`](Self::retry) | five attempts with backoff from 250 ms for calls that are safe to repeat; calls refused by the rate limit are repeated until the deadline | see [`RetryPolicy`] |
/// | [`retry_throttle`](Self::retry_throttle) | 100 tokens | see [`RetryThrottle`] |
/// | [`rate_limiter`](Self::rate_limiter) | 10 calls per second over REST with credentials, none over gRPC | see [`RateLimiter`] |
/// | [`connect_timeout`](Self::connect_timeout) | 10 s | a host that drops packets would block a call for minutes |
/// | [`max_message_size`](Self::max_message_size) | 16 MiB | a page of 1,000 policies exceeds gRPC's usual 4 MiB |
/// | [`max_header_list_size`](Self::max_header_list_size) | 1 MiB | enough for a long error message with details and metadata, while a server that never stops sending cannot exhaust the memory |
/// | [`keep_alive_interval`](Self::keep_alive_interval), [`keep_alive_timeout`](Self::keep_alive_timeout) | over HTTP/2, a ping after 330 s without data during a call, and 20 s for its response; over TCP, 30 s and 20 s | detects dead connections, which all later calls would share, at a rate that servers with gRPC's default settings accept |
///
/// # Proxies
///
/// Calls over either wire, and logins, use the proxy that the environment names when the client is created.
/// They use a tunnel (`CONNECT`) even for `http` addresses, so for `https` the proxy sees only the host.
///
/// | variable | meaning |
/// |---|---|
/// | `HTTPS_PROXY`, `HTTP_PROXY` | the proxy for `https` and `http` addresses |
/// | `ALL_PROXY` | the proxy for both, if the variable above is not set |
/// | `NO_PROXY` | hosts to reach directly, separated by commas or spaces: `*`, hosts including their subdomains (`eset.example`, `.eset.example`), addresses (`10.1.2.3`, `[fd00::1]`), networks (`10.0.0.0/8`); all except networks may have a `:PORT` |
///
/// As in Go, upper case takes precedence over lower case, empty variables count as unset, and the local
/// machine is never reached through a proxy. Under CGI (if `REQUEST_METHOD` is set) `HTTP_PROXY` is ignored,
/// since a request could set it. An address is `[http://][USER:PASSWORD@]HOST[:PORT]` with 80 as the default
/// port; `#`, `/`, `?`, `\` and spaces in the user name or password must be percent-encoded. An invalid
/// address, or that of an https or SOCKS proxy, is an error of every call that would use it
/// ([`ErrorKind::Config`](crate::ErrorKind::Config)); no call bypasses it. If a proxy refuses a tunnel, the
/// error of kind [`Connect`](crate::ErrorKind::Connect) contains its address and status. Nothing was sent
/// then, and the statuses 408, 429, 502, 503 and 504 are retried.
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
    /// The configured rate limit; `None` for the documented one where it applies.
    rate_limit: Option<Limit>,
    /// The limit that other processes share.
    shared_limit: Option<Arc<dyn SharedLimit>>,
    /// The limiter to go on with, instead of a new one.
    resumed_limiter: Option<RateLimiter>,
    uses_proxies: bool,
    grpc: GrpcOptions,
    seam: Seam,
    type_registry: TypeRegistry,
    #[cfg(feature = "tls")]
    tls: TlsConfig,
    #[cfg(feature = "rest")]
    rest: RestOptions,
}

impl Client {
    /// Connects to a gRPC server, such as `http://127.0.0.1:50051` or `https://eset.example:443`, with the
    /// default configuration.
    ///
    /// # Errors
    ///
    /// Fails if the endpoint is invalid or unreachable.
    pub async fn connect(endpoint: &str) -> Result<Self, Error> {
        Self::builder(endpoint).connect().await
    }

    /// Configures a client for a server. An IPv6 address is in brackets, such as `http://[fd00::1]:50051`, and has no
    /// zone (`%eth0`).
    pub fn builder(endpoint: &str) -> ClientBuilder {
        ClientBuilder::new(Target::Endpoint(endpoint.to_owned()))
    }
}

impl ClientBuilder {
    pub(super) fn new(target: Target) -> Self {
        Self {
            target,
            timeout: None,
            connect_timeout: CONNECT_TIMEOUT,
            limits: Limits {
                first_byte: None,
                message: MessageLimit { setting: Some(MAX_MESSAGE_SIZE), ..Default::default() },
                header_list: MAX_HEADER_LIST_SIZE,
            },
            keep_alive_interval: Some(keep_alive::INTERVAL),
            keep_alive_timeout: keep_alive::TIMEOUT,
            credentials: None,
            policy: Policy::default(),
            rate_limit: None,
            shared_limit: None,
            resumed_limiter: None,
            uses_proxies: true,
            grpc: GrpcOptions::default(),
            seam: Seam::default(),
            type_registry: TypeRegistry::default(),
            #[cfg(feature = "tls")]
            tls: TlsConfig::new(),
            #[cfg(feature = "rest")]
            rest: RestOptions::default(),
        }
    }

    /// Sets the timeout of calls that do not set their own
    /// ([`CallOptions::timeout`](crate::CallOptions::timeout)).
    #[must_use]
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.timeout = Some(timeout);
        self
    }

    /// Sets the timeout for connecting: 10 seconds by default. It does not extend the timeout of a call.
    #[must_use]
    pub fn connect_timeout(mut self, timeout: Duration) -> Self {
        self.connect_timeout = timeout;
        self
    }

    /// Sets how long the first byte of a response may take, including the time to connect; unlike an
    /// [`attempt_timeout`](Self::attempt_timeout), not the whole of it. No limit by default but that of the call. After
    /// that the attempt fails with `DEADLINE_EXCEEDED`, and the call may have run; it is repeated if that does no harm.
    /// ESET's gateway takes up to 120 seconds ([facts](crate::facts#pending-responses)), and usually at most 30. Of a
    /// [transport](Self::transport) of your own, the first byte is the whole reply.
    #[must_use]
    pub fn first_byte_timeout(mut self, timeout: Duration) -> Self {
        self.limits.first_byte = Some(timeout);
        self
    }

    /// Sets the maximum size of a message in either direction, uncompressed: 16 MiB by default. Larger
    /// messages are errors ([`Error::is_limit_exceeded`]).
    #[must_use]
    pub fn max_message_size(mut self, bytes: usize) -> Self {
        self.limits.message.bytes = bytes;
        self
    }

    /// Lets errors name no method of the builder, for a program whose users cannot call one.
    #[doc(hidden)]
    #[must_use]
    pub fn without_methods_in_errors(mut self) -> Self {
        self.limits.message.setting = None;
        self
    }

    /// Sets the maximum size of a message, and how errors call this setting.
    #[cfg(feature = "serve")]
    pub(crate) fn message_limit(mut self, limit: MessageLimit) -> Self {
        self.limits.message = limit;
        self
    }

    /// Sets the maximum size of the headers of a response, and of its trailers, as HTTP/2 counts them: names
    /// and values plus 32 bytes for each (RFC 9113, 6.5.2). 1 MiB by default; over HTTP/1.1 also at most 100
    /// headers. Over gRPC this includes the message and details of an error, and all metadata.
    ///
    /// A call whose response exceeds it fails ([`Error::is_limit_exceeded`]) and may have run. Other calls on
    /// the connection continue, unless the server sends more than 16 times the limit. Other gRPC clients
    /// accept from 8 KiB (C++, Java) to 16 MiB (Go), so servers should send less.
    #[must_use]
    pub fn max_header_list_size(mut self, bytes: usize) -> Self {
        self.limits.header_list = bytes;
        self
    }

    /// Sets after how long without data from the server an HTTP/2 connection is pinged during a call, over
    /// either wire; `None` turns pings off. There are no pings without a call. 5 minutes 30 seconds by
    /// default: servers with gRPC's default settings accept a ping every 5 minutes, and close the connection
    /// with all calls on it at the third ping too many ([gRFC A8]). Set a shorter interval only for servers
    /// that are configured for it, for example if calls of several minutes go through a proxy that drops idle
    /// connections.
    ///
    /// If a server closes a connection with `too_many_pings`, the client doubles the interval, at least to
    /// the default, for all new connections, and logs a warning ([`telemetry`](crate::telemetry)).
    ///
    /// TCP detects dead hosts regardless of this setting: with its keep-alive after 30 seconds of silence,
    /// and on Linux and Android, if something was sent, with `TCP_USER_TIMEOUT` after
    /// [`keep_alive_timeout`](Self::keep_alive_timeout) ([gRFC A18]).
    ///
    /// [gRFC A8]: https://github.com/grpc/proposal/blob/master/A8-client-side-keepalive.md
    /// [gRFC A18]: https://github.com/grpc/proposal/blob/master/A18-tcp-user-timeout.md
    #[must_use]
    pub fn keep_alive_interval(mut self, interval: impl Into<Option<Duration>>) -> Self {
        self.keep_alive_interval = interval.into();
        self
    }

    /// Sets how long the response to a ping may take, and on Linux and Android also TCP's acknowledgement of
    /// sent data (but never less than [`connect_timeout`](Self::connect_timeout)). 20 seconds by default.
    /// After that the connection is considered dead and the calls on it fail; they may have run.
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

    /// Sets the source of access tokens. They are sent as `authorization: Bearer`, and only with TLS or to
    /// the local machine. Replaces a login and its token endpoint.
    #[must_use]
    pub fn credentials(mut self, credentials: impl Credentials) -> Self {
        #[cfg(feature = "rest")]
        {
            self.rest.login = None;
            self.rest.token_url = None;
        }
        self.credentials = Some(Arc::new(credentials));
        self
    }

    /// Sets the timeout for single attempts of calls that do not set their own
    /// ([`CallOptions::attempt_timeout`](crate::CallOptions::attempt_timeout)). By default an attempt may use
    /// all of the call's time: a slow response is still a response, and ESET's gateway may take 30 s for the
    /// first one.
    #[must_use]
    pub fn attempt_timeout(mut self, timeout: Duration) -> Self {
        self.policy.attempt_timeout = Some(timeout);
        self
    }

    /// Sets the retry policy of calls that do not set their own
    /// ([`CallOptions::retry`](crate::CallOptions::retry)).
    #[must_use]
    pub fn retry(mut self, retry: RetryPolicy) -> Self {
        self.policy.retry = retry;
        self
    }

    /// Sets the retry budget, which several clients can share. By default, each client has its own, shared by
    /// its clones.
    #[must_use]
    pub fn retry_throttle(mut self, throttle: &RetryThrottle) -> Self {
        self.policy.throttle = throttle.clone();
        self
    }

    /// Limits the rate of all calls of the client and its clones, over either wire. Clients that share
    /// credentials also share the service's limit, so give all of them the same limiter.
    ///
    /// By default, a client over REST with credentials has its own limiter with ESET's documented limit,
    /// [`RateLimiter::eset`]. On-Prem servers document no limit; set a higher one if yours allows it. gRPC
    /// servers are your own, so calls over gRPC are not limited.
    #[must_use]
    pub fn rate_limiter(mut self, limiter: &RateLimiter) -> Self {
        self.rate_limit = Some(Limit { limiter: Some(limiter.clone()), is_for_rest: false });
        self
    }

    /// Turns the client's rate limit off. ESET answers calls above the documented limit with 429, and such
    /// calls wait and are repeated, which takes longer than waiting for the limiter.
    #[must_use]
    pub fn no_rate_limiter(mut self) -> Self {
        self.rate_limit = Some(Limit::default());
        self
    }

    /// Sets how the wait between attempts is drawn from its maximum. By default it is uniform between zero
    /// and the maximum. Values above the maximum count as the maximum.
    #[must_use]
    pub fn jitter(mut self, draw: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        self.policy.jitter = Jitter::new(draw);
        self
    }

    /// Sets the clock for deadlines and waits: tokio's by default. Tests can use their own.
    #[must_use]
    pub fn timer(mut self, timer: impl Timer) -> Self {
        self.policy.timer = Arc::new(timer);
        self
    }

    /// Sets how to verify the server and which client certificate to send, for `https` addresses.
    #[cfg(feature = "tls")]
    #[must_use]
    pub fn tls(mut self, tls: TlsConfig) -> Self {
        self.tls = tls;
        self
    }

    /// Connects. A client over REST connects when it makes calls, so this sends nothing.
    ///
    /// # Errors
    ///
    /// Fails if the configuration is invalid or the gRPC server is unreachable. A setting that would have no effect makes
    /// it invalid, such as [`tls`](Self::tls) without an `https` address.
    pub async fn connect(self) -> Result<Client, Error> {
        if !self.is_grpc() || self.seam.transport.is_some() {
            return self.connect_lazy();
        }
        let credentials = self.checked_credentials()?;
        let balancer = self.balancer()?;
        self.check_unused()?;
        balancer.connect().await?;
        let link = self.seam.layered(Link::grpc(balancer));
        self.client(Links::One(link), credentials)
    }

    /// Creates a client that connects on its first call. This needs no tokio runtime; its calls do.
    ///
    /// # Errors
    ///
    /// Fails if the configuration is invalid, as in [`connect`](Self::connect).
    pub fn connect_lazy(self) -> Result<Client, Error> {
        let credentials = self.checked_credentials()?;
        let links = match &self.seam.transport {
            Some(transport) => {
                let (limits, timer) = (self.limits, self.policy.timer.clone());
                let limited = Limited { transport: transport.clone(), limits, timer };
                Links::One(self.seam.layered(Link::custom(Arc::new(limited))))
            }
            None => self.links()?,
        };
        self.check_unused()?;
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

    /// Returns the credentials, if any; fails if they would be sent unencrypted.
    fn checked_credentials(&self) -> Result<Option<Arc<dyn Credentials>>, Error> {
        let login = self.login_credentials()?;
        let credentials = self.credentials.clone().or(login);
        if let Some(credentials) = &credentials {
            credentials.check()?;
        }
        if credentials.is_some() && self.seam.transport.is_none() {
            for address in self.addresses() {
                Address::parse(address)?.check_token(address)?;
            }
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
                #[cfg(feature = "serve")]
                message_limit: self.limits.message,
                links,
                deployed: Deployed::new(self.target.deployment()),
                timeout: self.timeout.unwrap_or_else(|| self.default_timeout()),
                credentials,
                policy,
                metadata: self.metadata()?,
                interceptors: self.seam.interceptors.clone(),
                type_registry: self.type_registry.remember_enum_names(),
            }),
        })
    }

    /// Shares the rate limit with other processes, if there is one.
    #[cfg(feature = "redis")]
    pub(crate) fn shared_limit(mut self, limit: Arc<dyn SharedLimit>) -> Self {
        self.shared_limit = Some(limit);
        self
    }

    /// Goes on with a limiter, which another client for the same credential may still use, if there is a limit.
    #[cfg(feature = "serve")]
    pub(crate) fn resume_limiter(mut self, limiter: Option<&RateLimiter>) -> Self {
        self.resumed_limiter = limiter.cloned();
        self
    }

    fn limit(&self, has_credentials: bool) -> Limit {
        // The documented limit applies per credentials, and to REST only.
        let is_documented = has_credentials && !self.is_grpc() && self.seam.transport.is_none();
        let mut limit = self.rate_limit.clone().unwrap_or_else(|| Limit {
            limiter: is_documented.then(RateLimiter::eset),
            is_for_rest: true,
        });
        if let Some(own) = &mut limit.limiter {
            if let Some(resumed) = &self.resumed_limiter {
                *own = resumed.clone();
            } else if let Some(outer) = &self.shared_limit {
                *own = own.shared_with(outer.clone());
            }
        }
        limit
    }

    #[cfg_attr(not(feature = "tls"), allow(unused_variables))]
    fn connector(&self, is_secure: bool, alpn: &[&[u8]]) -> Result<Connector, Error> {
        let keep_alive = KeepAlive::new(self.keep_alive_interval, self.keep_alive_timeout);
        let connector = Connector::new(self.connect_timeout, keep_alive, self.uses_proxies);
        if !is_secure {
            return Ok(connector);
        }
        #[cfg(feature = "tls")]
        return Ok(connector.with_tls(self.tls.connector(alpn)?));
        #[cfg(not(feature = "tls"))]
        Err(Error::config(format!(
            "endpoint {:?}: https needs the cargo feature `tls`",
            self.target
        )))
    }
}

impl fmt::Debug for ClientBuilder {
    /// The `Debug` of credentials omits secrets.
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

//! The gRPC part of the configuration: endpoints and connections.

use std::sync::Arc;

use tonic::transport::Endpoint;

use super::ClientBuilder;
use crate::client::target::Address;
use crate::error::Error;
use crate::transport::balancer::{Balancer, Balancing, Target};
use crate::transport::{CONNECTION_WINDOW, Link, Resolver, bare};

/// Several endpoints, and several connections to each, over gRPC.
///
/// Each attempt goes to the connection with the fewest calls. An endpoint that cannot be reached, or breaks a
/// connection, is **ejected**: other calls avoid it for a second, then for 1.6 times as long after each further
/// failure, at most for two minutes; the times are drawn between half of that and all of it. After that, one call
/// tries it again. If all endpoints are ejected, calls try them nevertheless.
///
/// A call whose connection cannot be opened goes on to the next endpoint at once, whatever the RPC: nothing was
/// sent. A call in progress on a connection that breaks is retried by its [`RetryPolicy`](crate::RetryPolicy), so
/// a create is not; these failures take no tokens of the [`RetryThrottle`](crate::RetryThrottle) as long as there is
/// another endpoint. A response from the server ejects nothing, even if it is an error.
impl ClientBuilder {
    /// Adds endpoints of the same service, such as further instances of a bridge: the calls are spread over all of
    /// them. They get the same access tokens, TLS settings and metadata as the first one. For gRPC alone
    /// (`Wire::Grpc`); with another wire, it is an error to create the client.
    ///
    /// ```
    /// # fn run() -> Result<(), eset_protect::Error> {
    /// use eset_protect::Client;
    ///
    /// let client = Client::builder("https://bridge-1.internal:8443")
    ///     .endpoints(["https://bridge-2.internal:8443"])
    ///     .connect_lazy()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn endpoints<I>(mut self, endpoints: I) -> Self
    where
        I: IntoIterator,
        I::Item: Into<String>,
    {
        self.grpc.endpoints.extend(endpoints.into_iter().map(Into::into));
        self
    }

    /// Sets how many connections to open to each endpoint over gRPC: one by default, and 0 counts as one. One
    /// HTTP/2 connection is served by one core at a time and carries as many calls at once as the server allows
    /// (often 100); more connections help a client with more.
    #[must_use]
    pub fn connections(mut self, connections: usize) -> Self {
        self.grpc.connections = Some(connections);
        self
    }

    /// Treats each address of an endpoint's host as an endpoint of its own, such as the instances of a headless
    /// service of Kubernetes. The certificate is still verified for the host.
    ///
    /// Addresses are looked up before the first call, every 30 seconds while there are calls, and within a second
    /// after an endpoint failed. Calls do not wait for a repeated lookup. Connections to addresses that are gone
    /// close after their last call. A [proxy](Self#proxies) looks up the host itself, so this has no effect behind
    /// one. For gRPC alone, like [`endpoints`](Self::endpoints).
    ///
    /// ```
    /// # fn run() -> Result<(), eset_protect::Error> {
    /// use eset_protect::Client;
    /// use eset_protect::transport::Dns;
    ///
    /// let client = Client::builder("https://bridge.eset.svc:8443").resolver(Dns).connect_lazy()?;
    /// # Ok(())
    /// # }
    /// ```
    #[must_use]
    pub fn resolver(mut self, resolver: impl Resolver) -> Self {
        self.grpc.resolver = Some(Arc::new(resolver));
        self
    }

    /// Returns the URLs of all endpoints; none for the cloud.
    pub(super) fn addresses(&self) -> impl Iterator<Item = &str> {
        self.target.address().into_iter().chain(self.grpc.endpoints.iter().map(String::as_str))
    }

    pub(super) fn lazy_grpc(&self) -> Result<Link, Error> {
        Ok(self.seam.layered(Link::grpc(self.balancer()?)))
    }

    pub(super) fn balancer(&self) -> Result<Balancer, Error> {
        if self.target.address().is_none() {
            return Err(Error::config("wire: ESET Connect has no gRPC endpoint, only REST"));
        }
        let targets = self.addresses().map(|address| self.grpc_target(address));
        let balancing = Balancing {
            connections: self.grpc.connections.unwrap_or(1),
            resolver: self.grpc.resolver.clone(),
            timer: self.policy.timer.clone(),
            jitter: self.policy.jitter.clone(),
            limits: self.limits,
        };
        Ok(Balancer::new(targets.collect::<Result<_, _>>()?, balancing))
    }

    fn grpc_target(&self, text: &str) -> Result<Target, Error> {
        let address = Address::parse(text)?;
        let connector = self.connector(address.is_secure, &[b"h2"])?;
        let wrong = |error: tonic::transport::Error| {
            Error::config(format!("endpoint {text:?}: {error}")).with_source(error)
        };
        let origin = address.origin().parse().map_err(|error| {
            Error::config(format!("endpoint {text:?}: {error}")).with_source(error)
        })?;
        let endpoint = Endpoint::from_shared(format!("http://{}:{}", address.host, address.port))
            .map_err(wrong)?
            .origin(origin)
            .user_agent(self.seam.user_agent()?)
            .map_err(wrong)?
            .initial_connection_window_size(CONNECTION_WINDOW)
            .http2_max_header_list_size(self.limits.http2_header_list());
        let (host, port) = (bare(&address.host).to_owned(), address.port);
        Ok(Target { name: text.to_owned(), host, port, endpoint, connector })
    }
}

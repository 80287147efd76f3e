//! Opens TCP connections.

use std::convert::Infallible;
use std::future::{Ready, poll_fn, ready};
use std::iter::{Once, once};
use std::net::SocketAddr;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::{GaiResolver, Name};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tower_service::Service;

use super::error_chain::BoxError;
use super::keep_alive::KeepAlive;

/// How to open TCP connections.
#[derive(Clone, Debug)]
pub(super) struct Tcp {
    /// For each address of a host.
    pub(super) timeout: Duration,
    pub(super) keep_alive: KeepAlive,
}

impl Tcp {
    /// Connects to the host of a URI, whose addresses the operating system looks up.
    pub(super) async fn connect(&self, uri: Uri) -> Result<TcpStream, BoxError> {
        self.open(GaiResolver::new(), uri).await
    }

    /// Connects to an address.
    pub(super) async fn connect_to(&self, address: SocketAddr) -> Result<TcpStream, BoxError> {
        self.open(Known(address), Uri::from_static("http://known")).await
    }

    async fn open<R>(&self, resolver: R, uri: Uri) -> Result<TcpStream, BoxError>
    where
        HttpConnector<R>: Service<Uri, Response = TokioIo<TcpStream>, Error: Into<BoxError>>,
    {
        let mut tcp = HttpConnector::new_with_resolver(resolver);
        tcp.enforce_http(false);
        tcp.set_nodelay(true);
        tcp.set_connect_timeout(Some(self.timeout));
        self.keep_alive.set_on(&mut tcp, self.timeout);
        poll_fn(|cx| tcp.poll_ready(cx)).await.map_err(Into::into)?;
        Ok(tcp.call(uri).await.map_err(Into::into)?.into_inner())
    }
}

/// Resolves every name to one address, since a URI cannot express the scope of an IPv6 address such as `fe80::1%2`.
#[derive(Clone)]
struct Known(SocketAddr);

impl Service<Name> for Known {
    type Response = Once<SocketAddr>;
    type Error = Infallible;
    type Future = Ready<Result<Self::Response, Infallible>>;

    fn poll_ready(&mut self, _cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, _name: Name) -> Self::Future {
        ready(Ok(once(self.0)))
    }
}

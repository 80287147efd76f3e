//! The gRPC wire, over tonic's channel.

mod not_grpc;
mod status;
mod unary;

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tonic::transport::{Channel, Endpoint};
use tower_service::Service;

use super::per_runtime::PerRuntime;
use super::{Limits, Reply, Request};
use crate::error::Error;
use crate::framing::PREFIX;
use crate::timer::Timer;
use crate::transport::connector::Connector;
#[cfg(feature = "rest")]
pub(super) use not_grpc::NotGrpc;
#[cfg(feature = "rest")]
pub(super) use status::Garbled;

/// A channel to one server for each runtime that uses it.
#[derive(Clone, Debug)]
pub(crate) struct GrpcTransport {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    connector: Connector,
    channels: PerRuntime<Arc<RuntimeChannel>>,
    limits: Limits,
    timer: Arc<dyn Timer>,
}

/// The channel of one runtime.
#[derive(Debug)]
struct RuntimeChannel {
    channel: Channel,
    /// Clones that calls no longer need. A clone has its own place in the queue to the connection, which costs more
    /// than to reuse one.
    idle: Mutex<Vec<Channel>>,
}

impl RuntimeChannel {
    const MOST_IDLE: usize = 16;

    fn new(channel: Channel) -> Arc<Self> {
        Arc::new(Self { channel, idle: Mutex::default() })
    }

    fn idle(&self) -> MutexGuard<'_, Vec<Channel>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Returns a channel for one request.
    fn take(&self) -> Channel {
        self.idle().pop().unwrap_or_else(|| self.channel.clone())
    }

    fn put_back(&self, channel: Channel) {
        let mut idle = self.idle();
        if idle.len() < Self::MOST_IDLE {
            idle.push(channel);
        }
    }
}

impl GrpcTransport {
    /// Creates a transport that connects on the first call.
    pub(crate) fn lazy(
        endpoint: Endpoint,
        connector: Connector,
        limits: Limits,
        timer: Arc<dyn Timer>,
    ) -> Self {
        let endpoint = endpoint.keep_alive_timeout(connector.keep_alive().timeout());
        let channels = PerRuntime::default();
        Self { inner: Arc::new(Inner { endpoint, connector, channels, limits, timer }) }
    }

    /// Connects; errors name `target`.
    pub(crate) async fn connect(&self, target: &str) -> Result<(), Error> {
        let connector = self.inner.connector.clone();
        let interval = connector.keep_alive().interval();
        let connected = self.endpoint(interval).connect_with_connector(connector).await;
        let channel = connected.map_err(|error| status::connect_error(target, error))?;
        self.inner.channels.set(interval, RuntimeChannel::new(channel))
    }

    /// The endpoint with this keep-alive interval.
    fn endpoint(&self, interval: Option<Duration>) -> Endpoint {
        let endpoint = self.inner.endpoint.clone();
        match interval {
            Some(interval) => endpoint.http2_keep_alive_interval(interval),
            None => endpoint,
        }
    }

    fn channel(&self) -> Result<Arc<RuntimeChannel>, Error> {
        let connector = &self.inner.connector;
        let interval = connector.keep_alive().interval();
        let make = || {
            let channel = self.endpoint(interval).connect_with_connector_lazy(connector.clone());
            RuntimeChannel::new(channel)
        };
        self.inner.channels.get(interval, make)
    }

    /// Makes one attempt; errors of the connection name `target`.
    pub(super) async fn attempt(
        &self,
        target: &str,
        request: &mut Request<'_>,
    ) -> Result<Reply, Error> {
        let inner = &*self.inner;
        inner.limits.check_request(request.framed().len() - PREFIX)?;
        let is_bounded = request.is_bounded;
        let kept = self.channel()?;
        let mut channel = kept.take();
        poll_fn(|cx| channel.poll_ready(cx))
            .await
            .map_err(|error| status::not_sent(target, &error))?;
        let response = channel.call(unary::encode(request));
        kept.put_back(channel);
        let (timer, readiness) = (&*inner.timer, inner.connector.readiness());
        let reply =
            unary::exchange(target, request.outgoing, response, inner.limits, timer, readiness);
        reply.await.map_err(|error| {
            // tonic's or the server's clock was faster than ours: the call itself has time left.
            if is_bounded && error.is_deadline_exceeded() { error.transient() } else { error }
        })
    }
}

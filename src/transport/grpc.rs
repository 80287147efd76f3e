//! The gRPC wire, by tonic.

mod codec;
mod guard;
mod server_status;
mod status;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Status, Streaming};

use super::per_runtime::PerRuntime;
use super::readiness::Readiness;
use super::{Limits, Reply, Request, Transport, metadata};
use crate::error::{Error, ErrorKind};
use crate::telemetry::Server;
use crate::timer::BoxFuture;
use crate::transport::connector::Connector;
use crate::transport::no_http2::NoHttp2;
use codec::BytesCodec;
use guard::Guard;
#[cfg(feature = "rest")]
pub(super) use guard::NotGrpc;
use server_status::ServerStatus;
#[cfg(feature = "rest")]
pub(super) use status::Garbled;

/// A channel to one server, in each runtime in which it is used.
#[derive(Clone, Debug)]
pub(crate) struct GrpcTransport {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    connector: Connector,
    channels: PerRuntime<RuntimeChannel>,
    limits: Limits,
}

/// The channel of one runtime, and the keep-alive interval of its connections.
#[derive(Clone, Debug)]
struct RuntimeChannel {
    channel: Channel,
    interval: Option<Duration>,
}

impl GrpcTransport {
    /// A transport that connects with the first call.
    pub(crate) fn lazy(endpoint: Endpoint, connector: Connector, limits: Limits) -> Self {
        let endpoint = endpoint.keep_alive_timeout(connector.keep_alive().timeout());
        let channels = PerRuntime::default();
        Self { inner: Arc::new(Inner { endpoint, connector, channels, limits }) }
    }

    /// A transport that is connected; an error names `target`.
    pub(crate) async fn connect(
        target: &str,
        endpoint: Endpoint,
        connector: Connector,
        limits: Limits,
    ) -> Result<Self, Error> {
        let transport = Self::lazy(endpoint, connector, limits);
        let interval = transport.inner.connector.keep_alive().interval();
        let endpoint = transport.endpoint(interval);
        let connected = endpoint.connect_with_connector(transport.inner.connector.clone()).await;
        let channel = connected.map_err(|error| status::connect_error(target, error))?;
        transport.inner.channels.set(RuntimeChannel { channel, interval })?;
        Ok(transport)
    }

    /// The endpoint with this keep-alive interval.
    fn endpoint(&self, interval: Option<Duration>) -> Endpoint {
        let endpoint = self.inner.endpoint.clone();
        match interval {
            Some(interval) => endpoint.http2_keep_alive_interval(interval),
            None => endpoint,
        }
    }

    fn channel(&self) -> Result<Channel, Error> {
        let connector = &self.inner.connector;
        let interval = connector.keep_alive().interval();
        let make = || {
            let channel = self.endpoint(interval).connect_with_connector_lazy(connector.clone());
            RuntimeChannel { channel, interval }
        };
        self.inner.channels.get(|kept| kept.interval == interval, make).map(|kept| kept.channel)
    }

    /// Whether it has connections that take requests.
    pub(super) fn readiness(&self) -> &Readiness {
        self.inner.connector.readiness()
    }

    /// Where requests go.
    pub(crate) fn server(&self) -> Server {
        Server::of(self.inner.endpoint.uri())
    }

    async fn attempt(&self, request: Request<'_>) -> Result<Reply, Error> {
        let message = request.protobuf().clone();
        let (size, limit) = (message.len(), self.inner.limits.message);
        if size > limit {
            let message = format!(
                "the request has {size} bytes, the limit of this client is {limit}: raise it with \
                 ClientBuilder::max_message_size"
            );
            return Err(Error::new(ErrorKind::Limit, Code::InvalidArgument, message));
        }
        let path = PathAndQuery::from_static(request.spec().path);
        let is_bounded = request.is_bounded;
        let extensions = tonic::Extensions::default();
        let mut unary = tonic::Request::from_parts(request.metadata, extensions, message);
        unary.set_timeout(request.timeout);
        self.unary(unary, path).await.map_err(|error| {
            // tonic's clock, or the server's, was faster than ours: the call itself has time left.
            if is_bounded && error.is_deadline_exceeded() { error.transient() } else { error }
        })
    }

    async fn unary(
        &self,
        message: tonic::Request<Bytes>,
        path: PathAndQuery,
    ) -> Result<Reply, Error> {
        let heard = ServerStatus::default();
        let max_message_size = self.inner.limits.message;
        let mut grpc = Grpc::new(Guard::new(self.channel()?, heard.clone(), self.inner.limits))
            .max_decoding_message_size(max_message_size)
            .max_encoding_message_size(max_message_size);
        grpc.ready().await.map_err(|error| status::not_sent(&*error))?;
        let answer =
            async { only(grpc.server_streaming(message, path, BytesCodec).await?, &heard).await };
        answer.await.map_err(|found| match NoHttp2::of(&found, || self.readiness().failure()) {
            Some(failed) => failed.into_error("cannot connect"),
            None => status::into_error(found, &heard, max_message_size),
        })
    }
}

impl Transport for GrpcTransport {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(self.attempt(request))
    }
}

/// The one message of an answer. tonic's own `unary` passes over any further ones, and a caller would take
/// the first for the whole.
async fn only(
    response: tonic::Response<Streaming<Bytes>>,
    heard: &ServerStatus,
) -> Result<Reply, Status> {
    let (found, mut messages, _) = response.into_parts();
    let mut headers = found.into_headers();
    let read = async {
        let first = messages.message().await?;
        if first.is_some() && (messages.message().await?.is_some() || heard.is_cut()) {
            return Err(Status::internal("the answer of a unary call has more than one message"));
        }
        first.ok_or_else(|| Status::internal("the answer of a unary call has no message"))
    };
    match read.await {
        Ok(message) => {
            if let Some(trailers) = messages.trailers().await? {
                headers.extend(trailers.into_headers());
            }
            Ok(Reply::protobuf(message).with_metadata(metadata(headers)))
        }
        Err(mut status) => {
            headers.extend(std::mem::take(status.metadata_mut()).into_headers());
            *status.metadata_mut() = MetadataMap::from_headers(headers);
            Err(status)
        }
    }
}

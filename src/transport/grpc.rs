//! The gRPC wire, by tonic.

mod codec;
mod guard;
pub(crate) mod status;

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::uri::PathAndQuery;
use prost::Message;
use tonic::client::Grpc;
use tonic::metadata::MetadataMap;
use tonic::transport::{Channel, Endpoint};
use tonic::{Code, Request, Response, Status, Streaming};

use super::per_runtime::PerRuntime;
use super::readiness::Readiness;
use super::{Attempt, Limits, metadata};
use crate::error::{Error, ErrorKind, Secrets};
use crate::rate_limiter::Priority;
use crate::rpc::Rpc;
use crate::telemetry::{self, Server};
use crate::transport::connector::Connector;
use crate::transport::no_http2::NoHttp2;
use codec::EncodedCodec;
pub(crate) use guard::NotGrpc;
use guard::{Guard, Said};

/// A channel to one server, in each runtime in which it is used.
#[derive(Clone, Debug)]
pub(crate) struct GrpcTransport {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    endpoint: Endpoint,
    connector: Connector,
    channels: PerRuntime<Held>,
    limits: Limits,
}

/// A channel, and the keep-alive interval of its connections.
#[derive(Clone, Debug)]
struct Held {
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
        let (endpoint, interval) = transport.endpoint();
        let connected = endpoint.connect_with_connector(transport.inner.connector.clone()).await;
        let channel = connected.map_err(|error| status::connect_error(target, error))?;
        transport.inner.channels.set(Held { channel, interval })?;
        Ok(transport)
    }

    /// The endpoint with the keep-alive interval of now.
    fn endpoint(&self) -> (Endpoint, Option<Duration>) {
        let (endpoint, interval) =
            (self.inner.endpoint.clone(), self.inner.connector.keep_alive().interval());
        match interval {
            Some(interval) => (endpoint.http2_keep_alive_interval(interval), Some(interval)),
            None => (endpoint, None),
        }
    }

    fn channel(&self) -> Result<Channel, Error> {
        let (endpoint, interval) = self.endpoint();
        let connector = &self.inner.connector;
        let make =
            || Held { channel: endpoint.connect_with_connector_lazy(connector.clone()), interval };
        self.inner.channels.get(|held| held.interval == interval, make).map(|held| held.channel)
    }

    /// Whether it has connections that take requests.
    pub(super) fn readiness(&self) -> &Readiness {
        self.inner.connector.readiness()
    }

    /// Where requests go.
    pub(crate) fn server(&self) -> Server {
        Server::of(self.inner.endpoint.uri())
    }

    /// Sends a request once.
    pub(crate) async fn attempt<R: Rpc>(
        &self,
        request: &R::Request,
        attempt: Attempt,
    ) -> Result<Response<R::Response>, Error> {
        let size = request.encoded_len();
        if size > self.inner.limits.message {
            return Err(Error::new(
                ErrorKind::Limit,
                Code::InvalidArgument,
                format!(
                    "the request has {size} bytes, the limit of this client is {}: raise it with \
                     ClientBuilder::max_message_size",
                    self.inner.limits.message
                ),
            ));
        }
        let message = Bytes::from(request.encode_to_vec());
        self.exchange(message, PathAndQuery::from_static(R::SPEC.path), attempt).await
    }

    /// Asks for something that every server may answer or not, to see whether it speaks gRPC.
    #[cfg(feature = "rest")]
    pub(crate) async fn probe(&self, attempt: Attempt) -> Result<(), Error> {
        let path = PathAndQuery::from_static("/grpc.health.v1.Health/Check");
        self.exchange::<()>(Bytes::new(), path, attempt).await.map(drop)
    }

    async fn exchange<M: Message + Default + 'static>(
        &self,
        message: Bytes,
        path: PathAndQuery,
        attempt: Attempt,
    ) -> Result<Response<M>, Error> {
        let Attempt { exchange, mut metadata, .. } = attempt;
        let unary = || async {
            let server = || self.server();
            let watched = telemetry::Exchange::grpc(path.as_str(), server, exchange.sending);
            watched.inject(metadata.as_mut());
            let is_bounded = exchange.is_bounded();
            let mut message = Request::new(message);
            *message.metadata_mut() = metadata;
            message.set_timeout(exchange.time());
            // In a box, for it would be moved through all that stands around it.
            let unary = Box::pin(self.unary(message, path, &exchange.secrets));
            watched.rpc(exchange.timed(unary)).await.map_err(|error| {
                // tonic's clock, or the server's, was faster than ours: the call itself has time left.
                if is_bounded && error.is_deadline_exceeded() { error.transient() } else { error }
            })
        };
        exchange.run(exchange.limit.of_grpc(), Priority::New, unary).await
    }

    async fn unary<M: Message + Default + 'static>(
        &self,
        message: Request<Bytes>,
        path: PathAndQuery,
        secrets: &Secrets,
    ) -> Result<Response<M>, Error> {
        let said = Said::default();
        let max_message_size = self.inner.limits.message;
        let mut grpc = Grpc::new(Guard::new(self.channel()?, said.clone(), self.inner.limits))
            .max_decoding_message_size(max_message_size)
            .max_encoding_message_size(max_message_size);
        grpc.ready().await.map_err(|error| status::not_sent(&*error))?;
        let answer = async {
            let codec = EncodedCodec::<M>::default();
            only(grpc.server_streaming(message, path, codec).await?, &said).await
        };
        match answer.await {
            Ok(mut response) => {
                secrets.redact_request_id(response.metadata_mut().as_mut());
                Ok(response)
            }
            Err(found) => Err(match NoHttp2::of(&found, || self.readiness().failure()) {
                Some(failed) => failed.into_error("cannot connect"),
                // Telemetry shows a part of it before the caller does.
                None => status::into_error(found, &said, max_message_size).redacted(secrets),
            }),
        }
    }
}

/// The one message of an answer. tonic's own `unary` passes over any further ones, and a caller would take
/// the first for the whole.
async fn only<M>(response: Response<Streaming<M>>, said: &Said) -> Result<Response<M>, Status> {
    let (found, mut messages, extensions) = response.into_parts();
    let mut headers = found.into_headers();
    let read = async {
        let first = messages.message().await?;
        if first.is_some() && (messages.message().await?.is_some() || said.is_cut()) {
            return Err(Status::internal("the answer of a unary call has more than one message"));
        }
        first.ok_or_else(|| Status::internal("the answer of a unary call has no message"))
    };
    match read.await {
        Ok(message) => {
            if let Some(trailers) = messages.trailers().await? {
                headers.extend(trailers.into_headers());
            }
            Ok(Response::from_parts(metadata(headers), message, extensions))
        }
        Err(mut status) => {
            headers.extend(std::mem::take(status.metadata_mut()).into_headers());
            *status.metadata_mut() = MetadataMap::from_headers(headers);
            Err(status)
        }
    }
}

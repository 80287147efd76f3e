//! A transport, and what the client knows of its wire.

use std::sync::Arc;

use super::balancer::Balancer;
use super::readiness::{Readiness, Sent};
#[cfg(feature = "rest")]
use super::rest::{Hosts, RestTransport};
use super::{Outgoing, Reply, Request, Transport};
use crate::error::Error;
use crate::rpc::MethodSpec;
use crate::telemetry::{Attempt, Sending, Server};
use crate::timer::BoxFuture;

/// A transport, and what the client knows of its wire.
#[derive(Clone, Debug)]
pub(crate) struct Link {
    transport: Arc<dyn Transport>,
    wire: Wire,
    /// The readiness of its connections, if that is known.
    readiness: Option<Readiness>,
}

#[derive(Clone, Debug)]
enum Wire {
    Grpc(Option<Server>),
    #[cfg(feature = "rest")]
    Rest(Arc<Hosts>),
    /// A transport of the user's own.
    Custom,
}

impl Link {
    pub(crate) fn grpc(balancer: Balancer) -> Self {
        let readiness = Some(balancer.readiness().clone());
        let wire = Wire::Grpc(balancer.server());
        Self { transport: Arc::new(balancer), wire, readiness }
    }

    #[cfg(feature = "rest")]
    pub(crate) fn rest(transport: RestTransport) -> Self {
        let readiness = Some(transport.readiness().clone());
        let wire = Wire::Rest(transport.hosts().clone());
        Self { transport: Arc::new(transport), wire, readiness }
    }

    pub(crate) fn custom(transport: Arc<dyn Transport>) -> Self {
        Self { transport, wire: Wire::Custom, readiness: None }
    }

    /// Puts a layer around the transport.
    #[must_use]
    pub(crate) fn layered(
        self,
        layer: impl FnOnce(Arc<dyn Transport>) -> Arc<dyn Transport>,
    ) -> Self {
        Self { transport: layer(self.transport), ..self }
    }

    /// Whether this is ESET's wire, which has a documented rate limit.
    pub(crate) fn is_rest(&self) -> bool {
        #[cfg(feature = "rest")]
        return matches!(self.wire, Wire::Rest(_));
        #[cfg(not(feature = "rest"))]
        false
    }

    /// Where the requests of an RPC go, if that is known.
    pub(crate) fn server(&self, spec: &MethodSpec) -> Option<Server> {
        let _ = spec;
        match &self.wire {
            Wire::Grpc(server) => server.clone(),
            #[cfg(feature = "rest")]
            Wire::Rest(hosts) => hosts.origin(spec).ok().map(|origin| origin.server),
            Wire::Custom => None,
        }
    }

    /// Watches whether part of a request is sent from now on.
    pub(crate) fn watch(&self) -> Sent {
        self.readiness.as_ref().map_or_else(Sent::unknown, Sent::begin)
    }

    /// Opens the span of an attempt after this number of polls.
    pub(crate) fn begin(&self, outgoing: &Outgoing<'_>, sending: Sending, polls: u32) -> Attempt {
        let spec = outgoing.spec();
        match &self.wire {
            #[cfg(feature = "rest")]
            Wire::Rest(hosts) => Attempt::http(sending, polls, || {
                let (form, origin) = (outgoing.http().ok()?, hosts.origin(spec).ok()?);
                let method = form.method().parse().ok()?;
                Some((method, origin.uri(form.path_and_query()).ok()?))
            }),
            _ => {
                let _ = polls;
                Attempt::grpc(spec.path, || self.server(spec), sending)
            }
        }
    }

    pub(crate) fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        self.transport.send(request)
    }
}

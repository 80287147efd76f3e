//! The endpoints of a client, and how to spread its attempts over them.

use std::sync::Arc;

use tonic::transport::Endpoint;

use crate::backoff::Jitter;
use crate::timer::Timer;
use crate::transport::Limits;
use crate::transport::connector::Connector;
use crate::transport::resolver::Resolver;

/// An endpoint of the service.
#[derive(Clone, Debug)]
pub(crate) struct Target {
    /// As errors and events show it.
    pub(crate) name: String,
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) endpoint: Endpoint,
    pub(crate) connector: Connector,
}

/// How to spread the attempts.
#[derive(Clone, Debug)]
pub(crate) struct Balancing {
    /// The number of connections to each address.
    pub(crate) connections: usize,
    /// If there is one, each address of an endpoint counts as an endpoint.
    pub(crate) resolver: Option<Arc<dyn Resolver>>,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) jitter: Jitter,
    pub(crate) limits: Limits,
}

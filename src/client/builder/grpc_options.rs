//! The settings of the gRPC part.

use std::sync::Arc;

#[cfg(feature = "rest")]
use crate::error::Error;
use crate::transport::Resolver;

/// The endpoints beside the target, and the connections to each.
#[derive(Clone, Debug, Default)]
pub(super) struct GrpcOptions {
    pub(super) endpoints: Vec<String>,
    pub(super) connections: Option<usize>,
    pub(super) resolver: Option<Arc<dyn Resolver>>,
}

impl GrpcOptions {
    /// Fails if a setting would have no effect because calls go over REST.
    #[cfg(feature = "rest")]
    pub(super) fn check_unused(&self) -> Result<(), Error> {
        let setting = match self {
            Self { endpoints, .. } if !endpoints.is_empty() => "endpoints",
            Self { resolver: Some(_), .. } => "resolver",
            _ => return Ok(()),
        };
        Err(Error::config(format!("{setting}: is for gRPC: set the wire to Wire::Grpc")))
    }
}

//! The settings of the gRPC part.

use std::sync::Arc;

use crate::transport::Resolver;

/// The endpoints beside the target, and the connections to each.
#[derive(Clone, Debug, Default)]
pub(super) struct GrpcOptions {
    pub(super) endpoints: Vec<String>,
    pub(super) connections: Option<usize>,
    pub(super) resolver: Option<Arc<dyn Resolver>>,
}

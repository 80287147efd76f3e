//! Handles the requests of all connections.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use http::{Request, Response};
use tonic::body::Body;
use tower_http::cors::CorsLayer;
use tower_layer::Layer;
use tower_service::Service;

use crate::emulator::gate::{Gate, Gated};

type BoxError = Box<dyn std::error::Error + Send + Sync>;

/// The gate, with CORS in front of it if configured.
#[derive(Clone)]
pub(super) struct Calls {
    gated: Gated,
    cors: Option<CorsLayer>,
}

impl Calls {
    pub(super) fn new(gated: Gated, cors: Option<CorsLayer>) -> Self {
        Self { gated, cors }
    }

    pub(super) fn gate(&self) -> &Arc<Gate> {
        &self.gated.gate
    }

    /// Handles a request. An error breaks the connection.
    pub(super) fn call(
        mut self,
        request: Request<Body>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Body>, BoxError>> + Send>> {
        match self.cors {
            Some(cors) => Box::pin(cors.layer(self.gated).call(request)),
            None => self.gated.call(request),
        }
    }
}

//! What a server says of itself over gRPC: health and reflection.

use std::time::Duration;

use http::{Request, Response};
use prost::DecodeError;
use tokio::time::timeout;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};
use tower::Service;

use super::{Reflection, bounded, encoded};

/// Whether this gRPC path is one of health checks or reflection.
#[cfg(feature = "serve")]
pub(crate) fn has(path: &str) -> bool {
    matches!(
        path,
        "/grpc.health.v1.Health/Check"
            | "/grpc.health.v1.Health/Watch"
            | "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"
            | "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo"
    )
}

/// Returns health checks and reflection of these descriptors.
pub(crate) fn routes<'a>(
    health: impl Health,
    descriptors: impl Iterator<Item = &'a [u8]>,
) -> Result<Routes, DecodeError> {
    /// Configures a service to accept compressed messages, like the other RPCs.
    macro_rules! accepting_compressed {
        ($service:expr) => {
            $service
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Deflate)
        };
    }
    let reflection = Reflection::new(descriptors.chain([tonic_health::pb::FILE_DESCRIPTOR_SET]))?;
    Ok(Routes::new(accepting_compressed!(HealthServer::new(health)))
        .add_service(accepting_compressed!(reflection.v1()))
        .add_service(accepting_compressed!(reflection.v1alpha()))
        .prepare())
}

/// Calls these routes. What they need of the request before their response begins must arrive within `time`; streams go on
/// then.
pub(crate) async fn call(
    mut routes: Routes,
    request: Request<Body>,
    time: Duration,
) -> Response<Body> {
    match timeout(time, routes.call(request)).await {
        Ok(Ok(response)) => response,
        Ok(Err(never)) => match never {},
        Err(_) => bounded::into_http(encoded::too_late(time)),
    }
}

//! What a server says of itself over gRPC: health and reflection.

use std::time::Duration;

use http::{Request, Response};
use prost::DecodeError;
use tokio::time::timeout;
use tonic::Status;
use tonic::body::Body;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::pb::health_server::{Health, HealthServer};
use tower::Service;

use super::connections::Place;
use super::deadline::Deadline;
use super::deadline::stream::each_within;
use super::{Reflection, encoded};

/// The largest message: the name of a service or of a symbol. Nobody needs a token here, so nobody may fill the memory.
const MAX_MESSAGE: usize = 4 * 1024;
/// What the path of reflection begins with.
const REFLECTION: &str = "/grpc.reflection.";

/// Whether this gRPC path is one of health checks or reflection.
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
    /// Configures a service to accept compressed messages, like the other RPCs, and only small ones.
    macro_rules! configured {
        ($service:expr) => {
            $service
                .max_decoding_message_size(MAX_MESSAGE)
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Deflate)
        };
    }
    let reflection = Reflection::new(descriptors.chain([tonic_health::pb::FILE_DESCRIPTOR_SET]))?;
    Ok(Routes::new(configured!(HealthServer::new(health)))
        .add_service(configured!(reflection.v1()))
        .add_service(configured!(reflection.v1alpha()))
        .prepare())
}

/// Calls these routes. What they need of the request before their response begins must arrive within `time`, and so must
/// each further message of reflection; otherwise streams go on until the deadline. Nobody needs a token here: without one,
/// no call keeps its connection from leaving.
///
/// # Errors
///
/// Fails if the request comes too late, its deadline cannot be read, or its path is another one.
pub(super) async fn call(
    mut routes: Routes,
    mut request: Request<Body>,
    time: Duration,
) -> Result<Response<Body>, Status> {
    let path = request.uri().path();
    if !has(path) {
        return Err(Status::unimplemented(format!("there is no RPC {path}")));
    }
    let is_reflection = path.starts_with(REFLECTION);
    let deadline = Deadline::of(request.headers())?;
    let place = request.extensions_mut().remove::<Place>();
    let called = timeout(time, routes.call(request));
    match deadline.limit(Box::pin(called)).await? {
        Ok(Ok(response)) => Ok(response.map(|body| {
            // It answers each message at once.
            let body = if is_reflection { each_within(time, body) } else { body };
            let body = deadline.limit_body(body);
            match place {
                Some(place) => place.limit_body(body),
                None => body,
            }
        })),
        Ok(Err(never)) => match never {},
        Err(_) => Err(encoded::too_late(time)),
    }
}

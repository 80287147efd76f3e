//! What a server says of itself over gRPC: health and reflection.

use std::collections::BTreeSet;
use std::sync::Arc;

use prost::DecodeError;
use tokio::sync::Mutex;
use tonic::codec::CompressionEncoding;
use tonic::service::Routes;
use tonic_health::ServingStatus;
use tonic_health::server::HealthReporter;

use super::Reflection;

/// The health of a server and of what it serves. After [`stop`](Self::stop) nothing serves any more.
#[derive(Clone)]
pub(crate) struct ReportedHealth {
    reporter: HealthReporter,
    /// Held while the reporter changes, so that no report overtakes the stop.
    reported: Arc<Mutex<Reported>>,
}

#[derive(Default)]
struct Reported {
    services: BTreeSet<String>,
    is_stopping: bool,
}

impl ReportedHealth {
    /// Reports whether a service serves; the server itself has the name `""`.
    pub(crate) async fn report(&self, service: &str, is_serving: bool) {
        let mut reported = self.reported.lock().await;
        if !reported.is_stopping {
            reported.services.insert(service.to_owned());
            let status =
                if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing };
            self.reporter.set_service_status(service, status).await;
        }
    }

    /// Reports that nothing serves any more.
    pub(crate) async fn stop(&self) {
        let mut reported = self.reported.lock().await;
        reported.is_stopping = true;
        for service in &reported.services {
            self.reporter.set_service_status(service, ServingStatus::NotServing).await;
        }
    }
}

/// Returns health checks, which report that these services serve, and reflection of these descriptors.
pub(crate) async fn routes<'a>(
    services: impl Iterator<Item = &'a str>,
    descriptors: impl Iterator<Item = &'a [u8]>,
) -> Result<(ReportedHealth, Routes), DecodeError> {
    /// Configures a service to accept compressed messages, like the other RPCs.
    macro_rules! accepting_compressed {
        ($service:expr) => {
            $service
                .accept_compressed(CompressionEncoding::Gzip)
                .accept_compressed(CompressionEncoding::Deflate)
        };
    }
    let (reporter, service) = tonic_health::server::health_reporter();
    let health = ReportedHealth { reporter, reported: Arc::default() };
    for service in [""].into_iter().chain(services) {
        health.report(service, true).await;
    }
    let reflection = Reflection::new(descriptors.chain([tonic_health::pb::FILE_DESCRIPTOR_SET]))?;
    let routes = Routes::new(accepting_compressed!(service))
        .add_service(accepting_compressed!(reflection.v1()))
        .add_service(accepting_compressed!(reflection.v1alpha()))
        .prepare();
    Ok((health, routes))
}

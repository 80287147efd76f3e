//! Health checks (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>).

use std::collections::BTreeSet;
use std::sync::Arc;

use futures_util::stream;
use tokio::sync::watch;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// The health of a server and of its services, which serve until [`stop`](Self::stop).
#[derive(Clone)]
pub(crate) struct ReportedHealth {
    /// The server itself has the name `""`.
    services: Arc<BTreeSet<String>>,
    is_stopping: Arc<watch::Sender<bool>>,
}

impl ReportedHealth {
    /// Reports that the server and these services serve.
    pub(crate) fn new<'a>(services: impl Iterator<Item = &'a str>) -> Self {
        let names = [""].into_iter().chain(services).map(str::to_owned);
        Self { services: Arc::new(names.collect()), is_stopping: Arc::default() }
    }

    /// Reports that nothing serves any more.
    pub(crate) fn stop(&self) {
        self.is_stopping.send_replace(true);
    }

    /// Returns whether the server has [stopped](Self::stop).
    #[cfg(feature = "serve")]
    pub(crate) fn is_stopping(&self) -> watch::Receiver<bool> {
        self.is_stopping.subscribe()
    }

    fn status(&self, service: &str, is_stopping: bool) -> ServingStatus {
        match self.services.contains(service) {
            false => ServingStatus::ServiceUnknown,
            true if is_stopping => ServingStatus::NotServing,
            true => ServingStatus::Serving,
        }
    }
}

pub(crate) fn response(status: ServingStatus) -> HealthCheckResponse {
    HealthCheckResponse { status: status.into() }
}

/// The answer to a check of an unknown service.
pub(crate) fn unknown() -> Status {
    Status::not_found("there is no such service")
}

#[tonic::async_trait]
impl Health for ReportedHealth {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.status(&request.get_ref().service, *self.is_stopping.borrow()) {
            ServingStatus::ServiceUnknown => Err(unknown()),
            status => Ok(Response::new(response(status))),
        }
    }

    type WatchStream = BoxStream<HealthCheckResponse>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let state = (self.clone(), self.is_stopping.subscribe(), service, None);
        let changes = stream::unfold(state, |(health, mut stopping, service, last)| async move {
            loop {
                let status = health.status(&service, *stopping.borrow_and_update());
                if last != Some(status) {
                    let next = (health, stopping, service, Some(status));
                    return Some((Ok(response(status)), next));
                }
                stopping.changed().await.ok()?;
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }
}

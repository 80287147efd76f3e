//! Health checks (<https://github.com/grpc/grpc/blob/master/doc/health-checking.md>).

use std::collections::BTreeMap;
use std::sync::Arc;

use futures_util::stream;
use tokio::sync::watch;
use tonic::codegen::BoxStream;
use tonic::{Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

/// The health of a server and of what it serves. After [`stop`](Self::stop) nothing serves any more.
#[derive(Clone)]
pub(crate) struct ReportedHealth(Arc<watch::Sender<Reported>>);

struct Reported {
    /// Whether each service serves; the server itself has the name `""`.
    services: BTreeMap<String, bool>,
    is_stopping: bool,
}

impl ReportedHealth {
    /// Reports that the server and these services serve.
    pub(crate) fn new<'a>(services: impl Iterator<Item = &'a str>) -> Self {
        let names = [""].into_iter().chain(services);
        let services = names.map(|name| (name.to_owned(), true)).collect();
        Self(Arc::new(watch::Sender::new(Reported { services, is_stopping: false })))
    }

    /// Reports whether a service serves.
    #[cfg(feature = "serve")]
    pub(crate) fn report(&self, service: String, is_serving: bool) {
        self.0.send_modify(|reported| reported.services.extend([(service, is_serving)]));
    }

    /// Reports that nothing serves any more.
    pub(crate) fn stop(&self) {
        self.0.send_modify(|reported| reported.is_stopping = true);
    }
}

impl Reported {
    fn status(&self, service: &str) -> ServingStatus {
        match self.services.get(service) {
            None => ServingStatus::ServiceUnknown,
            Some(true) if !self.is_stopping => ServingStatus::Serving,
            Some(_) => ServingStatus::NotServing,
        }
    }
}

#[tonic::async_trait]
impl Health for ReportedHealth {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        match self.0.borrow().status(&request.get_ref().service) {
            ServingStatus::ServiceUnknown => Err(Status::not_found("there is no such service")),
            status => Ok(Response::new(HealthCheckResponse { status: status.into() })),
        }
    }

    type WatchStream = BoxStream<HealthCheckResponse>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let service = request.into_inner().service;
        let state = (self.0.subscribe(), service, None);
        let changes = stream::unfold(state, |(mut reported, service, last)| async move {
            loop {
                let status = reported.borrow_and_update().status(&service);
                if last != Some(status) {
                    let response = HealthCheckResponse { status: status.into() };
                    return Some((Ok(response), (reported, service, Some(status))));
                }
                reported.changed().await.ok()?;
            }
        });
        Ok(Response::new(Box::pin(changes)))
    }
}

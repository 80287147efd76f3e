//! Health checks, in which only those who may use a tenant know of it.

use tonic::{Request, Response, Status};
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::access_handle::AccessHandle;
use crate::server::health::ReportedHealth;

/// What the names of tenants begin with.
const TENANTS: &str = "tenants/";

/// Returns the name of a tenant in health checks.
pub(super) fn name(tenant: &str) -> String {
    format!("{TENANTS}{tenant}")
}

pub(super) struct HealthChecks {
    pub(super) access: AccessHandle,
    pub(super) reported: ReportedHealth,
}

impl HealthChecks {
    /// Returns a request for an unknown service instead of one for a tenant that the caller may not use.
    async fn allowed(
        &self,
        mut request: Request<HealthCheckRequest>,
    ) -> Request<HealthCheckRequest> {
        if let Some(tenant) = request.get_ref().service.strip_prefix(TENANTS) {
            let (headers, extensions) = (request.metadata().as_ref(), request.extensions());
            let identified = self.access.current().identify(headers, extensions).await;
            if !identified.is_ok_and(|found| found.caller.may_use(tenant)) {
                // No service has this name.
                request.get_mut().service = "tenants".to_owned();
            }
        }
        request
    }
}

#[tonic::async_trait]
impl Health for HealthChecks {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        self.reported.check(self.allowed(request).await).await
    }

    type WatchStream = <ReportedHealth as Health>::WatchStream;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        self.reported.watch(self.allowed(request).await).await
    }
}

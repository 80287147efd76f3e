//! Health checks, in which only those who may use a tenant know of it.

use std::sync::Arc;

use futures_util::stream;
use http::HeaderMap;
use tokio::sync::watch;
use tokio::time::Instant;
use tonic::codegen::BoxStream;
use tonic::{Code, Extensions, Request, Response, Status};
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_server::Health;
use tonic_health::pb::{HealthCheckRequest, HealthCheckResponse};

use super::access::{Access, Tenant};
use super::access_handle::AccessHandle;
use super::health::Down;
use crate::server::health::{ReportedHealth, response, unknown};

/// What the names of tenants begin with.
const TENANTS: &str = "tenants/";

pub(super) struct HealthChecks {
    pub(super) access: AccessHandle,
    pub(super) reported: ReportedHealth,
}

/// Who asks for a tenant.
struct Asked {
    tenant: String,
    headers: HeaderMap,
    extensions: Extensions,
}

impl Asked {
    /// Returns `None` for a request that is not about a tenant.
    fn of(request: &Request<HealthCheckRequest>) -> Option<Self> {
        let tenant = request.get_ref().service.strip_prefix(TENANTS)?.to_owned();
        let headers = request.metadata().clone().into_headers();
        Some(Self { tenant, headers, extensions: request.extensions().clone() })
    }

    /// Returns the tenant; `None` if there is none or the caller may not use it.
    ///
    /// # Errors
    ///
    /// Returns `UNAVAILABLE` if it cannot be said now who the caller is.
    async fn found(&self, access: &Access) -> Result<Option<Arc<Tenant>>, Status> {
        match access.identify(&self.headers, &self.extensions).await {
            Ok(found) => Ok(access.tenant_of(&found.caller, &self.tenant)),
            Err(status) if status.code() == Code::Unavailable => Err(status),
            Err(_) => Ok(None),
        }
    }
}

/// A tenant as its callers see it.
struct Watched {
    asked: Asked,
    access: watch::Receiver<Arc<Access>>,
    is_stopping: watch::Receiver<bool>,
    found: Option<(Arc<Tenant>, watch::Receiver<Option<Down>>)>,
    last: Option<ServingStatus>,
}

impl Watched {
    /// Waits until the status is another than the last one.
    ///
    /// # Errors
    ///
    /// Fails if the caller may no longer use the tenant, or may do so only with a newer token.
    async fn next(&mut self) -> Result<ServingStatus, Status> {
        loop {
            if self.last.is_none() || self.access.has_changed().unwrap_or_default() {
                self.identify().await?;
            }
            let (status, until) = self.status();
            if self.last.replace(status) != Some(status) {
                return Ok(status);
            }
            self.change(until).await?;
        }
    }

    async fn identify(&mut self) -> Result<(), Status> {
        let access = Arc::clone(&self.access.borrow_and_update());
        let found = self.asked.found(&access).await?;
        if self.found.is_some() && found.is_none() {
            return Err(Status::unavailable("the callers of the tenant have changed: watch again"));
        }
        self.found = found.map(|tenant| {
            let health = tenant.health.subscribe();
            (tenant, health)
        });
        Ok(())
    }

    /// Returns the status, and until when the upstream is down.
    fn status(&mut self) -> (ServingStatus, Option<Instant>) {
        let is_stopping = *self.is_stopping.borrow_and_update();
        let Some((_, health)) = &mut self.found else {
            return (ServingStatus::ServiceUnknown, None);
        };
        let until = health.borrow_and_update().as_ref().map(|down| down.until);
        let until = until.filter(|until| *until > Instant::now());
        (serving(!is_stopping && until.is_none()), until)
    }

    /// Waits for whatever may change the status.
    async fn change(&mut self, until: Option<Instant>) -> Result<(), Status> {
        let health = async {
            match &mut self.found {
                Some((_, health)) => drop(health.changed().await),
                None => std::future::pending().await,
            }
        };
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        let changed = tokio::select! {
            changed = self.access.changed() => {
                // Not seen by `next` yet.
                self.access.mark_changed();
                changed
            }
            changed = self.is_stopping.changed() => changed,
            () = health => Ok(()),
            () = over => Ok(()),
        };
        changed.map_err(|_| Status::unavailable("the server has stopped"))
    }
}

fn serving(is_serving: bool) -> ServingStatus {
    if is_serving { ServingStatus::Serving } else { ServingStatus::NotServing }
}

#[tonic::async_trait]
impl Health for HealthChecks {
    async fn check(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<HealthCheckResponse>, Status> {
        let Some(asked) = Asked::of(&request) else { return self.reported.check(request).await };
        let found = asked.found(&self.access.current()).await?;
        let tenant = found.ok_or_else(unknown)?;
        let is_stopping = *self.reported.is_stopping().borrow();
        Ok(Response::new(response(serving(!is_stopping && tenant.health.down().is_none()))))
    }

    type WatchStream = BoxStream<HealthCheckResponse>;

    async fn watch(
        &self,
        request: Request<HealthCheckRequest>,
    ) -> Result<Response<Self::WatchStream>, Status> {
        let Some(asked) = Asked::of(&request) else { return self.reported.watch(request).await };
        let watched = Watched {
            asked,
            access: self.access.subscribe(),
            is_stopping: self.reported.is_stopping(),
            found: None,
            last: None,
        };
        let changes = stream::try_unfold(watched, |mut watched| async move {
            let status = watched.next().await?;
            Ok(Some((response(status), watched)))
        });
        Ok(Response::new(Box::pin(changes)))
    }
}

//! What a bridge does with a request: finds out who calls, and forwards the call.

use std::collections::BTreeMap;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, Request, Response};
use tonic::Status;
use tonic::body::Body;
use tower::BoxError;
use tracing::Instrument;

use super::access_handle::AccessHandle;
use super::admitted::Admitted;
use super::audit::{AuditLog, Target};
use super::hosted_rpc::HostedRpc;
use super::{large, rules};
use crate::server::connections::{Peer, Place};
use crate::server::deadline::Deadline;
use crate::server::front::{Form, Front, Host};
use crate::server::head::full;
use crate::server::{RestCall, RestFront, encoded, introspection};
use crate::telemetry::Served;
use crate::transcode::RpcTypes;

/// The state shared by all connections.
pub(super) struct Gate {
    pub(super) front: Front,
    pub(super) access: AccessHandle,
    pub(super) audit: Option<AuditLog>,
    /// The RPCs by gRPC path.
    pub(super) rpcs: BTreeMap<&'static str, HostedRpc>,
}

impl Host for Gate {
    fn front(&self) -> &Front {
        &self.front
    }

    fn is_open(&self) -> bool {
        self.access.current().is_open()
    }

    async fn answer(
        self: &Arc<Self>,
        form: Form,
        mut request: Request<Body>,
    ) -> Result<Response<Body>, BoxError> {
        let path = request.uri().path();
        let path = match form {
            Form::Grpc if introspection::has(path) => {
                return Ok(self.front.introspect(request).await?);
            }
            Form::Grpc => Some(path),
            Form::Rest(spec) => {
                if let Some(page) = self.front.page(&request, self.is_open()) {
                    return Ok(page.map(full));
                }
                spec.map(|spec| spec.path)
            }
        };
        let found = path.and_then(|path| self.rpcs.get(path)).copied();
        let mut served = Served::begin(found.map(|rpc| rpc.spec), request.headers_mut());
        let span = served.span();
        // Pinned first, because a future is copied whenever it is wrapped.
        let called = pin!(self.call(form, found, request, &mut served)).instrument(span).await;
        served.end(called.as_ref().map_or_else(Status::code, RestFront::code));
        Ok(called?)
    }
}

impl Gate {
    /// Decides whether a request may call an RPC, and for which caller and tenant.
    async fn admit(
        &self,
        rpc: HostedRpc,
        headers: &HeaderMap,
        extensions: &http::Extensions,
        served: &mut Served,
    ) -> Result<Admitted, Status> {
        let deadline = Deadline::of(headers)?;
        let access = self.access.current();
        let identified = deadline.limit(access.identify(headers, extensions)).await??;
        served.set_caller(&identified.caller.name);
        let tenant = access.tenant_for(&identified.caller, headers)?;
        served.set_tenant(Arc::clone(&tenant.name));
        let audit = self.audit.clone();
        let peer = extensions.get().map(|Peer(address)| *address);
        let admitted = Admitted { rpc, identified, tenant, deadline, audit, peer };
        let (caller, spec) = (&admitted.identified.caller, rpc.spec);
        if caller.rules.permits(spec) {
            return Ok(admitted);
        }
        if let Some(log) = self.audit.as_ref().filter(|_| rules::is_write(spec)) {
            let call = admitted.described(Target::default());
            deadline.limit(Box::pin(log.note("refused", &call))).await??;
        }
        let (name, path) = (&caller.name, spec.path.trim_start_matches('/'));
        Err(Status::permission_denied(format!("{name:?} may not call {path}")))
    }

    async fn call(
        &self,
        form: Form,
        found: Option<HostedRpc>,
        request: Request<Body>,
        served: &mut Served,
    ) -> Result<Response<Body>, Status> {
        let Front { rest, body_time, .. } = &self.front;
        let Some(rpc) = found else {
            return match form {
                Form::Grpc => self.front.introspect(request).await,
                Form::Rest(_) => {
                    let answer = rest.answer(request.map(|_| Bytes::new()));
                    Ok(Box::pin(answer).await.map(full))
                }
            };
        };
        let admitted = self.admit(rpc, request.headers(), request.extensions(), served).await?;
        if let Some(place) = request.extensions().get::<Place>() {
            place.hold();
        }
        let (deadline, limit) = (admitted.deadline, admitted.client().message_limit());
        // Boxed: the future of every request would have the size of the largest.
        match form {
            Form::Grpc => {
                let time = deadline.left().map_or(*body_time, |left| left.min(*body_time));
                let forward = |request: tonic::Request<Bytes>| {
                    large::call(request.get_ref().len(), admitted.forward(request))
                };
                Box::pin(encoded::serve(request, time, limit, forward)).await
            }
            Form::Rest(_) => {
                let answer = Box::pin(async move {
                    let request = deadline.limit(rest.read_if(Some(limit), request)).await?;
                    let call = |call: RestCall| {
                        let call = call.with_registry(admitted.type_registry().clone());
                        let size = call.body().len();
                        let forward = |request| admitted.forward(request);
                        let call = call.answer_encoded(rpc.types, RpcTypes::whole_request, forward);
                        large::call(size, call)
                    };
                    Ok::<_, Status>(match request {
                        Ok(request) => rest.answer_by(request, call).await,
                        Err(refusal) => refusal,
                    })
                });
                Ok(answer.await?.map(full))
            }
        }
    }
}

//! A call that may be forwarded.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;

use bytes::Bytes;
use tonic::metadata::MetadataMap;
use tonic::{Response, Status};

use super::access::{Identified, Tenant};
use super::audit::{self, AuditLog, Target};
use super::health::{Attempted, Problem};
use super::hosted_rpc::HostedRpc;
use super::own_tokens::OwnToken;
use super::{failure, metadata, rules};
use crate::call::CallOptions;
use crate::client::Client;
use crate::error::Error;
use crate::server::deadline::Deadline;
use crate::server::rich_status::refused;
use crate::telemetry::for_tenant;
use crate::transcode::TranscodeError;
use crate::wkt::TypeRegistry;

/// A call that its caller may make, and where it goes.
pub(super) struct Admitted {
    pub(super) rpc: HostedRpc,
    pub(super) identified: Identified,
    pub(super) tenant: Arc<Tenant>,
    pub(super) deadline: Deadline,
    pub(super) audit: Option<AuditLog>,
    pub(super) peer: Option<SocketAddr>,
}

impl Admitted {
    pub(super) fn client(&self) -> &Client {
        &self.tenant.client
    }

    pub(super) fn type_registry(&self) -> &TypeRegistry {
        &self.tenant.type_registry
    }

    /// Returns the options of the call to the upstream: the metadata and the remaining time.
    fn options(&self, metadata: MetadataMap) -> CallOptions {
        let flow = Arc::clone(&self.identified.caller.name);
        let own = self.identified.own_token.as_ref();
        let tokens = &self.tenant.own_tokens;
        let limiter = own.and_then(|own| tokens.limiter(own.hash, self.client().rate_limiter()));
        let options = CallOptions::default().forwarded(metadata).flow(flow).limiter(limiter);
        match self.deadline.left() {
            Some(left) => options.timeout(left),
            None => options,
        }
    }

    /// Returns what the request is about, for the audit log.
    fn target(&self, message: &Bytes) -> Result<Target, TranscodeError> {
        let HostedRpc { spec, types, .. } = self.rpc;
        let encoded = self.type_registry().scope_of_wire(|| types.to_http(message, spec.http))?;
        Ok(Target::of(&encoded))
    }

    /// Describes the call for the audit log.
    pub(super) fn described(&self, target: Target) -> audit::Call {
        let path = self.rpc.spec.path;
        let Identified { caller, subject, own_token } = &self.identified;
        let is_unproven = |own: &OwnToken| !self.tenant.own_tokens.is_accepted(own.hash);
        audit::Call {
            caller: caller.name.to_string(),
            is_unproven: own_token.as_ref().is_some_and(is_unproven),
            subject: subject.clone(),
            token: own_token.as_ref().map(|own| own.hash.beginning()),
            peer: self.peer,
            tenant: self.tenant.name.to_string(),
            rpc: path.strip_prefix('/').unwrap_or(path),
            target,
        }
    }

    /// Forwards the call by its encoded messages, after its entry in the audit log if it changes something; or only checks
    /// it.
    pub(super) async fn forward(
        self,
        request: tonic::Request<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        let (metadata, _, message) = request.into_parts();
        let HostedRpc { spec, types, .. } = self.rpc;
        let Identified { caller, own_token, .. } = &self.identified;
        let own_header = own_token.as_ref().map(|own| own.header.clone());
        let metadata = metadata::for_upstream(metadata.into_headers(), own_header)?;
        if caller.rules.is_dry_run(spec) {
            return Err(Box::pin(self.dry_run(message)).await);
        }
        let entry = match &self.audit {
            Some(log) if rules::is_write(spec) => {
                let target = self.target(&message);
                let target = target.unwrap_or_else(|_| Target::unreadable(&message));
                let begun = log.begin(self.described(target));
                Some(self.deadline.limit(Box::pin(begun)).await??)
            }
            _ => None,
        };
        let options = self.options(metadata);
        // Pinned first, because a future is copied whenever it is wrapped.
        let call = pin!(self.client().forward(spec, types, message.clone(), &options));
        let result = for_tenant(&self.tenant.name, call).await;
        let result = result.map_err(|error| failure::of_request(error, self.rpc, message));
        let attempted = Attempted {
            by_tenant: own_token.is_none() && self.client().has_credentials(),
            had_deadline: self.deadline.left().is_some(),
        };
        let error = result.as_ref().err();
        match (own_token, error) {
            (Some(own), None) => {
                self.tenant.own_tokens.accept(own.hash, self.client().rate_limiter());
            }
            (Some(own), Some(error)) if error.is_unauthenticated() => {
                self.tenant.own_tokens.refuse(own.hash);
            }
            _ => {}
        }
        let problem = error.and_then(|error| Problem::of(error, attempted));
        self.tenant.health.record(error, problem);
        let may_have_run = error.is_none_or(Error::may_have_executed);
        let mut result = result.map_err(|error| failure::status(error, problem, &self.tenant.name));
        if let Ok(response) = &mut result {
            metadata::keep_for_caller(response.metadata_mut());
        }
        if let Some(entry) = entry {
            entry.end(result.as_ref().map(Response::metadata), may_have_run);
        }
        result
    }

    /// Returns the answer to a call that is only checked.
    async fn dry_run(&self, message: Bytes) -> Status {
        let target = self.target(&message);
        let checked = self.type_registry().scope_of_wire(|| (self.rpc.check)(message));
        let target = match (checked, target) {
            (Err(error), _) => {
                return Status::internal(failure::undecodable(self.rpc.spec, &error));
            }
            (_, Err(error)) => return refused(&error),
            (Ok(Err(problems)), _) => return failure::invalid(&problems),
            (Ok(Ok(())), Ok(target)) => target,
        };
        let call = self.described(target);
        let noted = match &self.audit {
            Some(log) => log.note("dry_run", &call).await,
            None => Ok(()),
        };
        let path = &call.target.path;
        noted.err().unwrap_or_else(|| failure::dry_run(call.rpc, path, &self.tenant.name))
    }
}

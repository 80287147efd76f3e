//! What a caller gets of a call that failed.

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use super::health;
use super::metadata::{INFERRED_FROM, TENANT};
use crate::error::Error;
use crate::proto::google::rpc::PreconditionFailure;
use crate::proto::google::rpc::precondition_failure::Violation;
use crate::server::rich_status::with_details;
use crate::wkt::Any;

/// "Do not retry" (gRFC A6).
const NEVER: &str = "-1";

/// Returns the error of the upstream call for the caller.
pub(super) fn status(error: Error, tenant: &str) -> Status {
    let is_down = health::is_down(&error);
    // The client has retried as often as it may. Callers that retry again would multiply the attempts.
    let is_final = error.is_retryable();
    let inferred = error.http_status().filter(|_| error.is_code_inferred());
    let mut status = Status::from(error);
    if is_final {
        status.metadata_mut().insert("grpc-retry-pushback-ms", MetadataValue::from_static(NEVER));
    }
    if let Some(http) = inferred {
        status.metadata_mut().insert(INFERRED_FROM, http.into());
    }
    if is_down && let Ok(tenant) = tenant.parse() {
        status.metadata_mut().as_mut().insert(TENANT, tenant);
    }
    status
}

/// Returns the answer to a valid call that was not sent because of a rule. Success would be a lie, and the code is
/// one that no client retries.
pub(super) fn dry_run(rpc: &str, path: &str, tenant: &str) -> Status {
    let message = format!("dry run: valid, and not sent to the tenant {tenant:?}: {path}");
    let violation = Violation {
        r#type: "DRY_RUN".to_owned(),
        subject: rpc.to_owned(),
        description: message.clone(),
    };
    let detail = PreconditionFailure { violations: vec![violation] };
    with_details(Code::FailedPrecondition, message, vec![Any::pack(&detail)])
}

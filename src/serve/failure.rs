//! What a caller gets of a call that failed.

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use super::health::Problem;
use super::metadata::{INFERRED_FROM, TENANT};
use crate::check::Problems;
use crate::error::{Error, ErrorKind, code_name};
use crate::proto::google::rpc::PreconditionFailure;
use crate::proto::google::rpc::precondition_failure::Violation;
use crate::server::metadata::{NEVER, PUSHBACK, remove_foreign};
use crate::server::rich_status::{bad_request, violation, with_details};
use crate::wkt::Any;

/// Returns the error of a failed call for the caller. `UNAUTHENTICATED` is about the caller's own token alone: where the
/// login of the tenant fails, the tenant is unavailable to everybody.
pub(super) fn status(error: Error, problem: Option<Problem>, tenant: &str) -> Status {
    let is_of_login = problem == Some(Problem::Login);
    // The client has retried as often as it may, and renewed its token. Callers that retry again would multiply the
    // attempts.
    let is_final = error.is_retryable() || is_of_login;
    let is_inferred = error.is_code_inferred() && !is_of_login;
    let inferred = error.http_status().filter(|_| is_inferred);
    let mut status = if is_of_login {
        login_failed(&error)
    } else if error.kind() == ErrorKind::Limit && error.code() == Code::OutOfRange {
        // The response of the upstream is over a limit: the client's code would tell the caller that the request was
        // wrong.
        Status::with_metadata(Code::Internal, error.message(), error.metadata().clone())
    } else {
        Status::from(error)
    };
    remove_foreign(status.metadata_mut());
    if is_final {
        status.metadata_mut().insert(PUSHBACK, MetadataValue::from_static(NEVER));
    }
    if let Some(http) = inferred {
        status.metadata_mut().insert(INFERRED_FROM, http.into());
    }
    if problem.is_some()
        && let Ok(tenant) = tenant.parse()
    {
        status.metadata_mut().as_mut().insert(TENANT, tenant);
    }
    status
}

fn login_failed(error: &Error) -> Status {
    let (name, message) = (code_name(error.code()), error.message());
    let message = format!("this server's own login at the upstream failed, {name}: {message}");
    let mut status = with_details(Code::Unavailable, message, error.details().to_vec());
    *status.metadata_mut() = error.metadata().clone();
    status
}

/// Returns the answer to a call that a check found to be wrong.
pub(super) fn invalid(problems: &Problems) -> Status {
    let violations = problems.iter().map(|problem| violation(&problem.field, problem.to_string()));
    bad_request(problems.to_string(), violations.collect())
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

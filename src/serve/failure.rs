//! What a caller gets of a call that failed.

use bytes::Bytes;
use http::StatusCode;
use prost::DecodeError;
use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use super::health::Problem;
use super::hosted_rpc::HostedRpc;
use super::metadata::{INFERRED_FROM, TENANT, keep_for_caller};
use crate::check::Problems;
use crate::error::{BEFORE, Error, ErrorKind, code_name};
use crate::metadata_form::PUSHBACK;
use crate::proto::google::rpc::PreconditionFailure;
use crate::proto::google::rpc::precondition_failure::Violation;
use crate::rpc::MethodSpec;
use crate::server::metadata::NEVER;
use crate::server::rich_status::{bad_request, violation, with_details};
use crate::transport::names_a_place;
use crate::wkt::Any;

/// Returns the error of a call that was not sent. If its bytes are not a valid message, it has the code of gRPC's servers;
/// an upstream over gRPC finds that out itself.
pub(super) fn of_request(error: Error, rpc: HostedRpc, message: Bytes) -> Error {
    if error.kind() != ErrorKind::Config {
        return error;
    }
    match (rpc.check)(message) {
        Err(wrong) => Error::new(ErrorKind::Config, Code::Internal, undecodable(rpc.spec, &wrong)),
        Ok(_) => error,
    }
}

pub(super) fn undecodable(spec: &MethodSpec, error: &DecodeError) -> String {
    format!("the request is not a valid {}: {error}", spec.request)
}

/// Returns the error of a failed call for the caller. `UNAUTHENTICATED` is about the caller's own token alone: where the
/// login of the tenant fails, the tenant is unavailable to everybody.
pub(super) fn status(error: Error, problem: Option<Problem>, tenant: &str) -> Status {
    let is_of_login = problem == Some(Problem::Login);
    // The client has retried as often as it may, and renewed its token. Callers that retry again would multiply the
    // attempts.
    let is_final = error.is_retryable() || is_of_login;
    let is_inferred = error.is_code_inferred() && !is_of_login;
    let inferred = error.http_status().filter(|_| is_inferred);
    let message = message(&error, tenant);
    let mut status = if is_of_login {
        let name = code_name(error.code());
        let message = format!("this server's own login at the upstream failed, {name}: {message}");
        replaced(Code::Unavailable, message, &error)
    } else if error.kind() == ErrorKind::Limit && error.code() == Code::OutOfRange {
        // The response of the upstream is over a limit: the client's code would tell the caller that the request was
        // wrong.
        replaced(Code::Internal, message, &error)
    } else if message != error.message() {
        replaced(error.code(), message, &error)
    } else {
        Status::from(error)
    };
    keep_for_caller(status.metadata_mut());
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

/// Returns the message for the caller. Where the upstream is, or a proxy on the way to it, and what the proxy's page says
/// concern the operator alone, who finds it in the log and in [`Operations`](super::Operations).
fn message(error: &Error, tenant: &str) -> String {
    // The error of the attempt before the deadline.
    let last = error.underlying().and_then(|cause| cause.downcast_ref::<Error>());
    if let (Some(last), Some((own, _))) = (last, error.message().split_once(BEFORE)) {
        return format!("{own}{BEFORE}{}: {}", code_name(last.code()), message(last, tenant));
    }
    match error.kind() {
        _ if error.is_foreign() => {
            let status = error.http_status().and_then(|status| StatusCode::from_u16(status).ok());
            let status = status.unwrap_or(StatusCode::BAD_GATEWAY);
            format!(
                "the upstream of the tenant {tenant:?} answered HTTP {status}, without an error of its API"
            )
        }
        _ if !names_a_place(error) => error.message().to_owned(),
        ErrorKind::Transport => {
            let nothing = if error.may_have_executed() { "" } else { ": nothing was done" };
            format!("the connection to the upstream of the tenant {tenant:?} broke{nothing}")
        }
        _ => format!("the upstream of the tenant {tenant:?} cannot be reached"),
    }
}

/// Returns the error with another code and message.
fn replaced(code: Code, message: String, error: &Error) -> Status {
    let mut status = with_details(code, message, error.details().to_vec());
    *status.metadata_mut() = error.metadata().clone();
    status
}

/// Returns the answer to a call that a check found to be wrong.
pub(super) fn invalid(problems: &Problems) -> Status {
    let violations =
        problems.iter().map(|problem| violation(&problem.field, problem.description().to_string()));
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

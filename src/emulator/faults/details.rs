//! Failures with the usual details for their codes.

use std::time::Duration;

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use crate::code_name;
use crate::proto::google::rpc::{
    BadRequest, ErrorInfo, PreconditionFailure, QuotaFailure, RetryInfo, precondition_failure,
    quota_failure,
};
use crate::server::rich_status::{violation, with_details};
use crate::wkt::Any;

/// The prefix of identifiers that ask for a failure.
const ASKS: &str = "code-";

/// Returns the failure that an identifier such as `code-14` asks for.
pub(crate) fn asked_by_id(id: &str) -> Option<Status> {
    let number: i32 = id.strip_prefix(ASKS)?.parse().ok()?;
    (1..=16).contains(&number).then(|| status(Code::from(number), None, None))
}

/// Returns a failure with a code.
pub(super) fn status(code: Code, message: Option<&str>, retry_after: Option<Duration>) -> Status {
    let code = if code == Code::Ok { Code::Unknown } else { code };
    let message =
        message.map_or_else(|| format!("{} was asked for", code_name(code)), str::to_owned);
    let info = ErrorInfo {
        reason: "ASKED_FOR".to_owned(),
        domain: "eset-protect.emulator".to_owned(),
        metadata: [("code".to_owned(), code_name(code).to_owned())].into_iter().collect(),
    };
    let mut details = vec![Any::pack(&info)];
    match code {
        Code::InvalidArgument | Code::OutOfRange => {
            let field_violations = vec![violation("uuid", &message)];
            details.push(Any::pack(&BadRequest { field_violations }));
        }
        Code::FailedPrecondition => {
            let violation = precondition_failure::Violation {
                r#type: "ASKED_FOR".to_owned(),
                description: message.clone(),
                ..precondition_failure::Violation::default()
            };
            details.push(Any::pack(&PreconditionFailure { violations: vec![violation] }));
        }
        Code::ResourceExhausted => {
            let violation = quota_failure::Violation {
                subject: "calls".to_owned(),
                description: message.clone(),
                ..quota_failure::Violation::default()
            };
            details.push(Any::pack(&QuotaFailure { violations: vec![violation] }));
        }
        _ => {}
    }
    let usual = (code == Code::Unavailable).then_some(Duration::from_secs(1));
    if let Some(delay) = retry_after.or(usual) {
        details.push(Any::pack(&RetryInfo { retry_delay: Some(delay.into()) }));
    }
    let mut status = with_details(code, message, details);
    if let Some(after) = retry_after {
        status.metadata_mut().insert("retry-after", MetadataValue::from(after.as_secs()));
    }
    status
}

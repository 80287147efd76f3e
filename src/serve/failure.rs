//! What a caller gets of a call that failed.

use tonic::Status;
use tonic::metadata::MetadataValue;

use super::metadata::INFERRED_FROM;
use crate::error::Error;

/// "Do not retry" (gRFC A6).
const NEVER: &str = "-1";

/// Returns the error of the upstream call for the caller.
pub(super) fn status(error: Error) -> Status {
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
    status
}

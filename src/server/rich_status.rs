//! Statuses with the details of `google.rpc`.

use prost::Message;
use tonic::{Code, Status};

use crate::proto::google::rpc::bad_request::FieldViolation;
use crate::proto::google::rpc::{BadRequest, Status as Rich};
use crate::transcode::TranscodeError;
use crate::wkt::Any;

/// Returns a status with details.
pub(crate) fn with_details(code: Code, message: String, details: Vec<Any>) -> Status {
    let rich = Rich { code: code.into(), message: message.clone(), details };
    Status::with_details(code, message, rich.encode_to_vec().into())
}

/// Returns an `INVALID_ARGUMENT` about fields of the request.
pub(crate) fn bad_request(message: String, field_violations: Vec<FieldViolation>) -> Status {
    let detail = Any::pack(&BadRequest { field_violations });
    with_details(Code::InvalidArgument, message, vec![detail])
}

/// Returns the status of a request that is not valid, which names the field, if known.
pub(crate) fn refused(error: &TranscodeError) -> Status {
    match error.field() {
        "" => Status::invalid_argument(format!("the request: {error}")),
        field => bad_request(error.to_string(), vec![violation(field, error.problem())]),
    }
}

/// Returns what is wrong with a field, by its path in the request with the names of the `.proto` files.
pub(crate) fn violation(
    field: impl Into<String>,
    description: impl Into<String>,
) -> FieldViolation {
    FieldViolation {
        field: field.into(),
        description: description.into(),
        ..FieldViolation::default()
    }
}

//! Maps gRPC codes to HTTP statuses as ESET's own gateway does ([facts](crate::facts#errors)).

use tonic::Code;

/// Returns the HTTP status for a code.
///
/// ```
/// use eset_protect::transcode::http_from_code;
/// assert_eq!(http_from_code(tonic::Code::FailedPrecondition), 400);
/// ```
pub fn http_from_code(code: Code) -> u16 {
    match code {
        Code::Ok => 200,
        Code::Cancelled => 499,
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => 400,
        Code::DeadlineExceeded => 504,
        Code::NotFound => 404,
        Code::AlreadyExists | Code::Aborted => 409,
        Code::PermissionDenied => 403,
        Code::ResourceExhausted => 429,
        Code::Unimplemented => 501,
        Code::Unavailable => 503,
        Code::Unauthenticated => 401,
        Code::Unknown | Code::Internal | Code::DataLoss => 500,
    }
}

/// Returns the code that an HTTP status most likely means. The mapping is ambiguous: 400 stands for three
/// codes, 409 for two and 500 for three.
///
/// ```
/// use eset_protect::transcode::code_from_http;
/// assert_eq!(code_from_http(412), tonic::Code::FailedPrecondition);
/// ```
pub fn code_from_http(status: u16) -> Code {
    match status {
        200..=299 => Code::Ok,
        400 | 405 | 406 | 411 | 413..=415 | 422 => Code::InvalidArgument,
        401 => Code::Unauthenticated,
        403 => Code::PermissionDenied,
        404 | 410 => Code::NotFound,
        408 | 504 => Code::DeadlineExceeded,
        409 => Code::Aborted,
        // ESET documents 412 for a rank that is too high (FACTS.md#policy-management).
        412 => Code::FailedPrecondition,
        429 => Code::ResourceExhausted,
        499 => Code::Cancelled,
        500 => Code::Internal,
        501 => Code::Unimplemented,
        502 | 503 => Code::Unavailable,
        _ => Code::Unknown,
    }
}

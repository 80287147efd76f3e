//! What a response shows about the protocol that a server speaks.

use super::complete_body::BrokenOff;
use super::error_chain::find;
use super::grpc::{Garbled, NotGrpc};
use super::no_http2::NoHttp2;
use super::refusal::Refused;
use crate::error::{Error, ErrorKind};

/// Whether the error of a gRPC request shows that the server speaks gRPC (`true`) or does not (`false`); `None` if
/// it shows neither.
pub(crate) fn speaks_grpc(error: &Error) -> Option<bool> {
    match error.kind() {
        ErrorKind::Status | ErrorKind::Limit => Some(true),
        // It is gRPC, but cannot be read, or broke off after its head.
        ErrorKind::Transport
            if find::<Garbled>(error).is_some() || find::<BrokenOff>(error).is_some() =>
        {
            Some(true)
        }
        // A proxy that does not reach the server shows nothing, and neither does a server that speaks HTTP/2 and
        // does not take the request.
        ErrorKind::Transport
            if !find::<NotGrpc>(error).is_some_and(NotGrpc::is_out_of_order)
                && !find::<Refused>(error).is_some_and(Refused::is_by_server) =>
        {
            Some(false)
        }
        ErrorKind::Connect if is_without_http2(error) => Some(false),
        _ => None,
    }
}

/// Whether the server refused a gRPC request because it knows no such path, method or content type, or no HTTP/2:
/// it ran nothing.
pub(crate) fn refuses_grpc(error: &Error) -> bool {
    find::<NotGrpc>(error).is_some_and(NotGrpc::is_other_protocol) || is_without_http2(error)
}

/// Whether the server does not offer HTTP/2 in TLS, or does not start to speak it.
fn is_without_http2(error: &Error) -> bool {
    if find::<NoHttp2>(error).is_some_and(NoHttp2::is_other_protocol) {
        return true;
    }
    use tokio_rustls::rustls::{AlertDescription, Error as TlsError};
    let refused = TlsError::AlertReceived(AlertDescription::NoApplicationProtocol);
    find::<TlsError>(error) == Some(&refused)
}

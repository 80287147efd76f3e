//! The errors of an exchange over gRPC.

use std::error::Error as StdError;
use std::fmt;

use http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use percent_encoding::percent_decode;
use prost::Message;
use tonic::{Code, ConnectError, Status, TimeoutExpired};

use super::not_grpc::{NotGrpc, code_of};
use crate::error::{Error, ErrorKind, root_cause};
use crate::proto::google::rpc;
use crate::transport::error_chain::{BoxError, find};
use crate::transport::limits::{self, TooLong};
use crate::transport::no_http2::NoHttp2;
use crate::transport::readiness::Readiness;
use crate::transport::refusal::{self, Refused};
use crate::transport::{connector, metadata};

pub(super) const GRPC_STATUS: HeaderName = HeaderName::from_static("grpc-status");
const GRPC_MESSAGE: HeaderName = HeaderName::from_static("grpc-message");
const DETAILS: HeaderName = HeaderName::from_static("grpc-status-details-bin");

/// How gRPC servers in Go and C report a message over their size limit, whether received or about to be sent.
const OVERSIZE: &str = "larger than max";
const OVERSIZE_GOT: &str = "eceived message larger than max";

/// The error of a channel that could not be connected.
pub(super) fn connect_error(target: &str, error: tonic::transport::Error) -> Error {
    let message = format!("cannot connect to {target}: {}", root_cause(&error));
    connector::connect_error(message, &error).with_source(error)
}

/// The error of a channel that was not ready: nothing was sent.
pub(super) fn not_sent(target: &str, error: &(dyn StdError + 'static)) -> Error {
    let message = format!("cannot connect to {target}: {}", root_cause(error));
    connector::connect_error(message, error)
}

/// The error of a request that got no head of a response.
pub(super) fn unanswered(
    target: &str,
    error: tonic::transport::Error,
    readiness: &Readiness,
) -> Error {
    if let Some(failed) = NoHttp2::of(&error, || readiness.failure()) {
        return failed.into_error(&format!("cannot connect to {target}"));
    }
    if find::<TimeoutExpired>(&error).is_some() {
        let message = "the deadline passed";
        return Error::deadline(message).with_source(error);
    }
    if let Some(connect) = find::<ConnectError>(&error) {
        let message = format!("cannot connect to {target}: {}", root_cause(connect));
        return connector::connect_error(message, connect).with_source(error);
    }
    match Refused::wrap(error.into()) {
        Ok(refused) => {
            let message = refused.to_string();
            let error = Error::broken(message).refused();
            error.with_source(refused)
        }
        Err(error) => broken(error, HeaderMap::new()),
    }
}

/// The error of a response that broke off.
pub(super) fn broken(error: BoxError, headers: HeaderMap) -> Error {
    if let Some(long) = find::<TooLong>(&*error) {
        return long.to_error().with_metadata(metadata(headers)).with_source(error);
    }
    let (cause, note) = (root_cause(&*error), limits::note(&*error));
    let code = refusal::broken_code(&*error).unwrap_or(Code::Unknown);
    let what = refusal::what_broke(&*error);
    let message = format!("{what} broke: {cause}{note}");
    let error = Error::new(ErrorKind::Transport, code, message).with_source(error);
    error.with_metadata(metadata(headers))
}

/// The error of a response that is not gRPC.
pub(super) fn not_grpc(mut other: NotGrpc) -> Error {
    let error = Error::new(ErrorKind::Transport, code_of(other.status), other.to_string())
        .with_http_status(other.status)
        .with_inferred_code()
        .with_metadata(metadata(std::mem::take(&mut other.headers)));
    let error = if other.is_refusal() { error.with_execution(false) } else { error };
    error.with_source(other)
}

/// The error of a response in gRPC that cannot be read.
pub(super) fn garbled(problem: &str, headers: HeaderMap) -> Error {
    let message = format!("the server gave no gRPC response: {problem}");
    let error = Error::protocol(message).with_source(Garbled);
    error.with_metadata(metadata(headers))
}

/// The error of a response without a status.
pub(super) fn without_status(status: StatusCode, headers: HeaderMap) -> Error {
    let message = "the server gave no gRPC response: it ended without grpc-status";
    let error = Error::new(ErrorKind::Transport, code_of(status), message).with_source(Garbled);
    error.with_metadata(metadata(headers))
}

/// Whether the server reports success.
pub(super) fn is_ok(headers: &HeaderMap) -> bool {
    headers.get(&GRPC_STATUS).is_some_and(|code| code.as_bytes() == b"0")
}

/// The error that the server sent, in the whole response or at its end; `None` if it sent `OK` or nothing.
pub(super) fn of_server(headers: &mut HeaderMap, is_whole: bool) -> Option<Error> {
    mend_details(headers);
    let message = take_message(headers);
    let status = Status::from_header_map(headers).filter(|status| status.code() != Code::Ok)?;
    let details = rpc::Status::decode(status.details()).map(|status| status.details);
    let error = Error::new(ErrorKind::Status, status.code(), message)
        // What cannot be decoded was never meant for us; the code and the message stand without it.
        .with_details(details.unwrap_or_default())
        .with_metadata(metadata(std::mem::take(headers)));
    let is_exhausted = error.code() == Code::ResourceExhausted;
    Some(if is_exhausted { exhausted(error, is_whole) } else { error })
}

/// What `RESOURCE_EXHAUSTED` says of the call. As the whole response, it means that a limit refused the call; after
/// headers, the call has started (gRFC A6). A message that is too large stays so.
fn exhausted(error: Error, is_whole: bool) -> Error {
    if error.message().contains(OVERSIZE) {
        let is_got = error.message().contains(OVERSIZE_GOT);
        return error.with_execution(!is_got).permanent();
    }
    if is_whole { error } else { error.with_execution(true) }
}

/// Takes out the message. tonic would call a status with a message that is not UTF-8 `UNKNOWN`; what is wrong in it
/// must not cost the rest ("PROTOCOL-HTTP2", Percent-Encoded).
fn take_message(headers: &mut HeaderMap) -> String {
    let value = headers.remove(&GRPC_MESSAGE);
    let encoded = value.as_ref().map_or(&b""[..], HeaderValue::as_bytes);
    percent_decode(encoded).decode_utf8_lossy().into_owned()
}

/// Writes the details as tonic reads them: without padding, or too much of it. What is not base64 goes, on which
/// tonic panics.
fn mend_details(headers: &mut HeaderMap) {
    let Some(value) = headers.remove(&DETAILS) else { return };
    let text = value.as_bytes();
    let end = text.iter().rposition(|byte| *byte != b'=').map_or(0, |last| last + 1);
    let bare = text.get(..end).unwrap_or_default();
    let Ok(details) = base64_simd::STANDARD_NO_PAD.decode_to_vec(bare) else { return };
    let text = base64_simd::STANDARD_NO_PAD.encode_to_string(details);
    if let Ok(value) = HeaderValue::try_from(text) {
        headers.insert(DETAILS, value);
    }
}

/// The server sent an incomplete or invalid gRPC response.
#[derive(Debug)]
pub(in crate::transport) struct Garbled;

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a response in gRPC that cannot be read")
    }
}

impl StdError for Garbled {}

//! From tonic's errors to ours: by their source first, by their code second.

use std::error::Error as StdError;
use std::fmt;

use prost::Message;
use tonic::{Code, ConnectError, Status, TimeoutExpired};

use super::guard::NotGrpc;
use super::server_status::ServerStatus;
use crate::error::{Error, ErrorKind, root_cause};
use crate::proto::google::rpc;
use crate::transport::error_chain::find;
use crate::transport::limits::{self, TooLong};
use crate::transport::refusal::{self, Refused};
use crate::transport::{connector, metadata};
use crate::wkt::Any;

/// What gRPC's servers of Go and C say of a message over their limit of size: one that they got, or the answer
/// that they were to send.
const OVERSIZE: &str = "larger than max";
const OVERSIZE_GOT: &str = "eceived message larger than max";

/// What tonic's decoder says of a message over its limit.
const TOO_LARGE: &str = "decoded message length too large: found ";

/// The error of a channel that could not be connected.
pub(super) fn connect_error(target: &str, error: tonic::transport::Error) -> Error {
    let message = format!("cannot connect to {target}: {}", root_cause(&error));
    connector::connect_error(message, &error).with_source(error)
}

/// The error of a channel that was not ready: nothing was sent.
pub(super) fn not_sent(error: &(dyn StdError + 'static)) -> Error {
    let message = format!("cannot connect: {}", root_cause(error));
    connector::connect_error(message, error)
}

/// The error of a call, of which the server heard this itself.
pub(super) fn into_error(
    mut status: Status,
    heard: &ServerStatus,
    max_message_size: usize,
) -> Error {
    let error = if find::<TimeoutExpired>(&status).is_some() {
        // tonic calls its own timeout `Cancelled`.
        Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, "the deadline passed")
    } else if let Some(connect) = find::<ConnectError>(&status) {
        let message = format!("cannot connect: {}", root_cause(connect));
        connector::connect_error(message, connect)
    } else if let Some(refused) = find::<Refused>(&status) {
        Error::new(ErrorKind::Transport, Code::Unavailable, refused.to_string()).refused()
    } else if let Some(other) = find::<NotGrpc>(&status) {
        let error = Error::new(ErrorKind::Transport, other.code(), other.to_string())
            .with_http_status(other.status)
            .with_inferred_code()
            .with_metadata(metadata(other.headers.clone()));
        if other.is_refusal() { error.with_execution(false) } else { error }
    } else if let Some(long) = find::<TooLong>(&status) {
        long.to_error()
    } else if let Some(size) = too_large(&status, max_message_size) {
        let message = format!(
            "the answer has {size} bytes, the limit of this client is {max_message_size}: raise it \
             with ClientBuilder::max_message_size, or ask for smaller pages"
        );
        Error::new(ErrorKind::Limit, Code::OutOfRange, message)
    } else if status.source().is_some() {
        // A source is on this side only: the connection broke.
        let (cause, note) = (root_cause(&status), limits::note(&status));
        let message = format!("{}: {cause}{note}", status.message());
        let code = refusal::broken_code(&status).unwrap_or(status.code());
        Error::new(ErrorKind::Transport, code, message)
    } else if heard.code() != Some(status.code()) {
        let message = format!("the server gave no gRPC answer: {}", status.message());
        Error::new(ErrorKind::Transport, status.code(), message).with_source(Garbled)
    } else {
        let error = Error::new(ErrorKind::Status, status.code(), status.message())
            .with_details(details(&status));
        if status.code() == Code::ResourceExhausted { exhausted(error, heard) } else { error }
    };
    // Out of the source: it would show them, and they may hold what does not belong in a log.
    let found = metadata(std::mem::take(status.metadata_mut()).into_headers());
    let error = if error.metadata().is_empty() { error.with_metadata(found) } else { error };
    if status.source().is_some() { error.with_source(status) } else { error }
}

/// What `RESOURCE_EXHAUSTED` says of the call. As the whole answer it is a limit that refused it; who has begun
/// to answer has begun with the call (gRFC A6). A message that is too large stays so.
fn exhausted(error: Error, heard: &ServerStatus) -> Error {
    if error.message().contains(OVERSIZE) {
        let is_got = error.message().contains(OVERSIZE_GOT);
        return error.with_execution(!is_got).permanent();
    }
    if heard.is_begun() { error.with_execution(true) } else { error }
}

/// The server spoke gRPC, and not to the end, or not well.
#[derive(Debug)]
pub(in crate::transport) struct Garbled;

impl fmt::Display for Garbled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an answer in gRPC that cannot be read")
    }
}

impl StdError for Garbled {}

/// The size of an answer over this client's limit. A server that refuses a request with the same
/// words means its own limit, and no request over ours was sent.
fn too_large(status: &Status, max_message_size: usize) -> Option<&str> {
    let (_, rest) = status.message().split_once(TOO_LARGE)?;
    let (size, rest) = rest.split_once(" bytes, the limit is: ")?;
    rest.starts_with(&format!("{max_message_size} ")).then_some(size)
}

/// The typed details of a status.
fn details(status: &Status) -> Vec<Any> {
    // What cannot be decoded was never meant for us; the code and the message stand without it.
    rpc::Status::decode(status.details()).map(|status| status.details).unwrap_or_default()
}

//! Calls by HTTP method and path, of operations for which there is no RPC.

use std::sync::{LazyLock, OnceLock};

use bytes::Bytes;
use percent_encoding::{AsciiSet, utf8_percent_encode};
use prost::{DecodeError, Message};

use super::execute::execute;
use super::{CallContext, CallOptions};
use crate::error::Error;
use crate::proto::google::api::HttpBody;
use crate::rpc::{HttpBinding, IdempotencyLevel, METHODS, MethodSpec};
use crate::transcode::{Encoded, TranscodeError};
use crate::transport::Messages;

const BODY: &str = "google.api.HttpBody";
/// Stand for what is called, by HTTP method. The paths are not those that are called.
static KINDS: [(&str, HttpBinding, IdempotencyLevel); 5] = [
    ("/http/GET", HttpBinding::new("GET", "/http"), IdempotencyLevel::NoSideEffects),
    ("/http/POST", HttpBinding::new("POST", "/http"), IdempotencyLevel::Unknown),
    ("/http/PUT", HttpBinding::new("PUT", "/http"), IdempotencyLevel::Idempotent),
    ("/http/PATCH", HttpBinding::new("PATCH", "/http"), IdempotencyLevel::Unknown),
    ("/http/DELETE", HttpBinding::new("DELETE", "/http"), IdempotencyLevel::Idempotent),
];

/// One for each method on each host of ESET's, and on servers that have one host.
static SPECS: LazyLock<Vec<MethodSpec>> = LazyLock::new(|| {
    let mut hosts: Vec<_> = METHODS.iter().map(|spec| spec.host).chain([""]).collect();
    hosts.sort_unstable();
    hosts.dedup();
    let of_host = |host| {
        KINDS.iter().map(move |(path, binding, level)| {
            let spec = MethodSpec::new(path, BODY, BODY).host(host).idempotency(*level);
            spec.http(std::slice::from_ref(binding))
        })
    };
    hosts.into_iter().flat_map(of_host).collect()
});

/// Makes a call over REST.
pub(crate) async fn raw(
    context: &CallContext,
    host: &str,
    method: &str,
    path_and_query: String,
    body: Option<Vec<u8>>,
) -> Result<HttpBody, Error> {
    let spec = SPECS.iter().find(|spec| spec.host == host && spec.method == method);
    let spec = spec.ok_or_else(|| {
        Error::config(format!("{method} on {host:?}: expected an HTTP method and a host of ESET's"))
    })?;
    if !context.links.likely().is_rest() {
        let message = "this operation has no RPC, so it needs the wire `rest`; nothing was sent";
        return Err(Error::config(message).unsent());
    }
    // What is not ASCII is encoded (RFC 3987, 3.1), nothing else.
    let path_and_query = utf8_percent_encode(&path_and_query, &AsciiSet::EMPTY).to_string();
    let messages = Raw { path_and_query, body, response: OnceLock::new() };
    execute(context, spec, &messages, &CallOptions::default()).await?;
    let response = messages.response.into_inner().unwrap_or_default();
    HttpBody::decode(response).map_err(|error| Error::protocol(error.to_string()))
}

struct Raw {
    path_and_query: String,
    body: Option<Vec<u8>>,
    response: OnceLock<Bytes>,
}

impl Messages for Raw {
    // It is never sent over gRPC.
    fn encode(&self, _: &mut Vec<u8>) {}

    fn decode(&self, bytes: Bytes) -> Result<bool, DecodeError> {
        // A call decodes one reply.
        let _ = self.response.set(bytes);
        Ok(true)
    }

    fn encode_http(
        &self,
        bindings: &'static [HttpBinding],
    ) -> Option<Result<Encoded, TranscodeError>> {
        let binding = bindings.first()?;
        Some(Ok(Encoded::new(binding, self.path_and_query.clone(), self.body.clone())))
    }
}

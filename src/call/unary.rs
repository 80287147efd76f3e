//! The messages of one call: the only part that knows their types.

use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use prost::{DecodeError, Message};

use super::execute::execute;
use super::{CallContext, CallOptions};
use crate::error::Error;
#[cfg(feature = "rest")]
use crate::rpc::HttpBinding;
use crate::rpc::Rpc;
#[cfg(feature = "rest")]
use crate::transcode::{Encoded, TranscodeError, has_member};
use crate::transport::{Messages, Reply};
#[cfg(feature = "rest")]
use crate::wkt::TypeRegistry;

/// Makes a call and returns the reply and the output of its response. A response without output is an error.
pub(super) async fn unary<R: Rpc, T: Send>(
    context: &CallContext,
    request: &R::Request,
    options: &CallOptions,
    output: fn(R::Response) -> Option<T>,
) -> Result<(Reply, T), Error> {
    let messages = Unary::<R, T> {
        request,
        output,
        received: Mutex::default(),
        #[cfg(feature = "rest")]
        type_registry: &context.type_registry,
    };
    let reply = execute(context, R::SPEC, &messages, options).await?;
    match messages.received.into_inner().unwrap_or_else(PoisonError::into_inner) {
        Some(output) => Ok((reply, output)),
        // A successful call has decoded its response.
        None => Err(Error::protocol("there is no response").with_spec(R::SPEC)),
    }
}

struct Unary<'a, R: Rpc, T> {
    request: &'a R::Request,
    output: fn(R::Response) -> Option<T>,
    received: Mutex<Option<T>>,
    #[cfg(feature = "rest")]
    type_registry: &'a TypeRegistry,
}

impl<R: Rpc, T> Unary<'_, R, T> {
    /// Keeps the output of a response, and returns whether it has one.
    fn keep(&self, response: R::Response) -> bool {
        let output = (self.output)(response);
        let mut received = self.received.lock().unwrap_or_else(PoisonError::into_inner);
        *received = output;
        received.is_some()
    }
}

impl<R: Rpc, T: Send> Messages for Unary<'_, R, T> {
    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.reserve_exact(self.request.encoded_len());
        self.request.encode_raw(buffer);
    }

    fn decode(&self, bytes: Bytes) -> Result<bool, DecodeError> {
        R::Response::decode(bytes).map(|response| self.keep(response))
    }

    #[cfg(feature = "rest")]
    fn encode_http(
        &self,
        bindings: &'static [HttpBinding],
    ) -> Option<Result<Encoded, TranscodeError>> {
        let by_json =
            || self.type_registry.scope_of_wire(|| Encoded::by_json(self.request, bindings));
        Some(Encoded::of_strings(self.request, bindings).map_or_else(by_json, Ok))
    }

    #[cfg(feature = "rest")]
    fn has_member(&self, name: &str) -> bool {
        has_member::<R>(name)
    }

    #[cfg(feature = "rest")]
    fn type_registry(&self) -> Option<&TypeRegistry> {
        Some(self.type_registry)
    }

    #[cfg(feature = "rest")]
    fn decode_http(&self, request: &Encoded, body: &[u8]) -> Result<bool, TranscodeError> {
        let response = self.type_registry.scope_of_wire(|| request.response::<R>(body));
        response.map(|response| self.keep(response))
    }
}

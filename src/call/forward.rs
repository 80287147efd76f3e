//! Calls by encoded messages, for servers that forward calls. Over gRPC the bytes are passed on as they are.

use std::sync::OnceLock;

use bytes::Bytes;
use prost::DecodeError;
use tonic::Response;

use super::execute::call;
use super::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::{HttpBinding, MethodSpec};
use crate::transcode::{Encoded, RpcTypes, TranscodeError};
use crate::transport::Messages;
use crate::wkt::TypeRegistry;

/// Makes a call.
pub(crate) async fn forward(
    context: &CallContext,
    spec: &'static MethodSpec,
    types: RpcTypes,
    request: Bytes,
    options: &CallOptions,
) -> Result<Response<Bytes>, Error> {
    let type_registry = &context.type_registry;
    let messages = Forwarded { types, request, response: OnceLock::new(), type_registry };
    let reply = call(context, spec, &messages, options).await?;
    // A successful call has received its response.
    Ok(reply.into_response(messages.response.into_inner().unwrap_or_default()))
}

struct Forwarded<'a> {
    types: RpcTypes,
    request: Bytes,
    response: OnceLock<Bytes>,
    type_registry: &'a TypeRegistry,
}

impl Messages for Forwarded<'_> {
    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.extend_from_slice(&self.request);
    }

    fn decode(&self, bytes: Bytes) -> Result<bool, DecodeError> {
        // A call decodes one reply.
        let _ = self.response.set(bytes);
        Ok(true)
    }

    fn encode_http(
        &self,
        bindings: &'static [HttpBinding],
    ) -> Option<Result<Encoded, TranscodeError>> {
        Some(self.type_registry.scope_of_wire(|| self.types.to_http(&self.request, bindings)))
    }

    fn has_member(&self, name: &str) -> bool {
        self.types.has_member(name)
    }

    fn type_registry(&self) -> Option<&TypeRegistry> {
        Some(self.type_registry)
    }

    fn decode_http(&self, request: &Encoded, body: &[u8]) -> Result<bool, TranscodeError> {
        let decoded = self.type_registry.scope_of_wire(|| self.types.of_http(request, body))?;
        let _ = self.response.set(decoded.into());
        Ok(true)
    }
}

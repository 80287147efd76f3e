//! Calls by encoded messages, for servers that forward calls. Over gRPC the bytes are passed on as they are.

use std::sync::OnceLock;

use bytes::Bytes;
use prost::DecodeError;
use tonic::{Extensions, Response};

use super::execute::call;
use super::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::{HttpBinding, MethodSpec};
use crate::transcode::{Encoded, TranscodeError};
use crate::transport::Messages;
use crate::wkt::TypeRegistry;

/// A message in its other form; `None` for an RPC that is not known.
type Transcoded<T> = Option<Result<T, TranscodeError>>;

/// Converts the encoded messages of RPCs to HTTP and back.
#[derive(Clone, Copy)]
pub(crate) struct HttpCodec {
    pub(crate) request: fn(&MethodSpec, &'static [HttpBinding], &Bytes) -> Transcoded<Encoded>,
    pub(crate) response: fn(&MethodSpec, &Encoded, &[u8]) -> Transcoded<Vec<u8>>,
}

/// Makes a call.
pub(crate) async fn forward(
    context: &CallContext,
    spec: &'static MethodSpec,
    codec: HttpCodec,
    request: Bytes,
    options: &CallOptions,
) -> Result<Response<Bytes>, Error> {
    let type_registry = &context.type_registry;
    let messages = Forwarded { spec, codec, request, response: OnceLock::new(), type_registry };
    let metadata = call(context, spec, &messages, options).await?.into_metadata();
    // A successful call has received its response.
    let response = messages.response.into_inner().unwrap_or_default();
    Ok(Response::from_parts(metadata, response, Extensions::default()))
}

struct Forwarded<'a> {
    spec: &'static MethodSpec,
    codec: HttpCodec,
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
        self.type_registry.scope(|| (self.codec.request)(self.spec, bindings, &self.request))
    }

    fn decode_http(&self, request: &Encoded, body: &[u8]) -> Result<bool, TranscodeError> {
        let decoded = self.type_registry.scope(|| (self.codec.response)(self.spec, request, body));
        // The request was encoded, so its RPC is known.
        let _ = self.response.set(decoded.transpose()?.unwrap_or_default().into());
        Ok(true)
    }
}

//! The messages of one call: the only part that knows their types.

use std::sync::OnceLock;

use bytes::Bytes;
use prost::{DecodeError, Message};
use tonic::{Extensions, Response};

use super::execute::execute;
use super::{CallContext, CallOptions};
use crate::error::Error;
use crate::rpc::Rpc;
#[cfg(feature = "rest")]
use crate::transcode::{Encoded, TranscodeError};
use crate::transport::Messages;
#[cfg(feature = "rest")]
use crate::wkt::TypeRegistry;

/// Makes a call.
pub(super) async fn unary<R: Rpc>(
    context: &CallContext,
    request: &R::Request,
    options: &CallOptions,
) -> Result<Response<R::Response>, Error> {
    let messages = Unary::<R> {
        request,
        response: OnceLock::new(),
        #[cfg(feature = "rest")]
        type_registry: &context.type_registry,
    };
    let metadata = execute(context, R::SPEC, &messages, options).await?;
    // A successful call has decoded its response.
    let response = messages.response.into_inner().unwrap_or_default();
    Ok(Response::from_parts(metadata, response, Extensions::default()))
}

struct Unary<'a, R: Rpc> {
    request: &'a R::Request,
    response: OnceLock<R::Response>,
    #[cfg(feature = "rest")]
    type_registry: &'a TypeRegistry,
}

impl<R: Rpc> Messages for Unary<'_, R> {
    fn encode(&self, buffer: &mut Vec<u8>) {
        buffer.reserve_exact(self.request.encoded_len());
        self.request.encode_raw(buffer);
    }

    fn decode(&self, bytes: Bytes) -> Result<(), DecodeError> {
        let response = R::Response::decode(bytes)?;
        // A call decodes one reply.
        let _ = self.response.set(response);
        Ok(())
    }

    #[cfg(feature = "rest")]
    fn encode_http(&self) -> Option<Result<Encoded, TranscodeError>> {
        Some(self.type_registry.scope(|| Encoded::request::<R>(self.request)))
    }

    #[cfg(feature = "rest")]
    fn decode_http(&self, request: &Encoded, body: &[u8]) -> Result<(), TranscodeError> {
        let response = self.type_registry.scope(|| request.response::<R>(body))?;
        let _ = self.response.set(response);
        Ok(())
    }
}

//! Calls by their encoded messages.

use bytes::Bytes;
use tonic::Response;

use super::Client;
use crate::call::{CallOptions, HttpCodec, forward};
use crate::error::Error;
use crate::rpc::MethodSpec;

impl Client {
    /// Makes a call by its encoded messages, for servers that forward calls.
    pub(crate) async fn forward(
        &self,
        spec: &'static MethodSpec,
        codec: HttpCodec,
        request: Bytes,
        options: &CallOptions,
    ) -> Result<Response<Bytes>, Error> {
        forward(&self.context, spec, codec, request, options).await
    }
}

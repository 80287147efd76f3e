//! Calls by their encoded messages.

use bytes::Bytes;
use tonic::Response;

use super::Client;
use crate::call::{CallOptions, forward};
use crate::error::Error;
use crate::rpc::MethodSpec;
use crate::transcode::RpcTypes;

impl Client {
    /// Makes a call by its encoded messages, for servers that forward calls.
    pub(crate) async fn forward(
        &self,
        spec: &'static MethodSpec,
        types: RpcTypes,
        request: Bytes,
        options: &CallOptions,
    ) -> Result<Response<Bytes>, Error> {
        forward(&self.context, spec, types, request, options).await
    }

    /// Whether the client logs in or has a token.
    pub(crate) fn has_credentials(&self) -> bool {
        self.context.credentials.is_some()
    }
}

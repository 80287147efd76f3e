//! Calls by their encoded messages.

use bytes::Bytes;
use tonic::Response;

use super::Client;
use crate::call::{CallOptions, forward};
use crate::error::Error;
use crate::rpc::MethodSpec;
use crate::transcode::RpcTypes;
use crate::transport::MessageLimit;

impl Client {
    /// Makes a call by its encoded messages, for servers that forward calls.
    pub(crate) fn forward<'a>(
        &'a self,
        spec: &'static MethodSpec,
        types: RpcTypes,
        request: Bytes,
        options: &'a CallOptions,
    ) -> impl Future<Output = Result<Response<Bytes>, Error>> + 'a {
        // Not awaited, which would copy it.
        forward(&self.context, spec, types, request, options)
    }

    /// Returns the limit of messages in either direction.
    pub(crate) fn message_limit(&self) -> MessageLimit {
        self.context.message_limit
    }

    /// Whether the client logs in or has a token.
    pub(crate) fn has_credentials(&self) -> bool {
        self.context.credentials.is_some()
    }
}

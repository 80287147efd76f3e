//! What a bridge knows of an RPC that it forwards.

use std::time::SystemTime;

use bytes::Bytes;
use prost::Message;

use crate::check::{Check as _, Problems};
use crate::rpc::{MethodSpec, Rpc, RpcVisitor};
use crate::transcode::RpcTypes;

/// Returns what is wrong with the encoded request of an RPC, by its gRPC path.
pub(super) type Check = fn(&str, Bytes) -> Option<Result<(), Problems>>;

/// An RPC that a bridge forwards.
#[derive(Clone, Copy)]
pub(super) struct HostedRpc {
    pub(super) spec: &'static MethodSpec,
    pub(super) types: RpcTypes,
    pub(super) check: Check,
}

impl HostedRpc {
    /// Checks an encoded request, as the client's user can before sending it.
    pub(super) fn check(self, request: Bytes) -> Result<(), Problems> {
        (self.check)(self.spec.path, request).unwrap_or(Ok(()))
    }
}

/// A request to check.
pub(super) struct Checked(pub(super) Bytes);

impl RpcVisitor for Checked {
    type Output = Result<(), Problems>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        // The upstream refuses bytes that do not decode.
        R::Request::decode(self.0).map_or(Ok(()), |request| request.check(SystemTime::now()))
    }
}

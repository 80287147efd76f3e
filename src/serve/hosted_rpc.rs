//! What a bridge knows of an RPC that it forwards.

use std::time::SystemTime;

use bytes::Bytes;
use prost::Message;

use crate::check::{Check, Problems};
use crate::rpc::{MethodSpec, Rpc, RpcVisitor};
use crate::transcode::{FindTypes, RpcTypes};

/// An RPC that a bridge forwards.
#[derive(Clone, Copy)]
pub(super) struct HostedRpc {
    pub(super) spec: &'static MethodSpec,
    pub(super) types: RpcTypes,
    /// Checks an encoded request, as the client's user can before sending it.
    pub(super) check: fn(Bytes) -> Result<(), Problems>,
}

/// Finds an RPC by its path, as a visitor.
pub(super) struct FindRpc;

impl RpcVisitor for FindRpc {
    type Output = HostedRpc;

    fn rpc<R: Rpc>(self) -> HostedRpc {
        let check = |request: Bytes| {
            // The upstream refuses bytes that do not decode.
            R::Request::decode(request).map_or(Ok(()), |request| request.check(SystemTime::now()))
        };
        HostedRpc { spec: R::SPEC, types: FindTypes.rpc::<R>(), check }
    }
}

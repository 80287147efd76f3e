//! What a bridge knows of an RPC that it forwards.

use std::time::SystemTime;

use bytes::Bytes;
use prost::{DecodeError, Message};

use crate::check::{Check, Problems};
use crate::rpc::{MethodSpec, Rpc, RpcVisitor};
use crate::transcode::{FindTypes, RpcTypes};

/// An RPC that a bridge forwards.
#[derive(Clone, Copy)]
pub(super) struct HostedRpc {
    pub(super) spec: &'static MethodSpec,
    pub(super) types: RpcTypes,
    /// Decodes a request and checks it, as the client's user can before sending it.
    pub(super) check: fn(Bytes) -> Result<Result<(), Problems>, DecodeError>,
}

/// Finds an RPC by its path, as a visitor.
pub(super) struct FindRpc;

impl RpcVisitor for FindRpc {
    type Output = HostedRpc;

    fn rpc<R: Rpc>(self) -> HostedRpc {
        let check = |request: Bytes| {
            R::Request::decode(request).map(|request| request.check(SystemTime::now()))
        };
        HostedRpc { spec: R::SPEC, types: FindTypes.rpc::<R>(), check }
    }
}

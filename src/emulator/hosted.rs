//! The services of a crate that an emulator serves.

use bytes::Bytes;
use prost::Message;

use crate::check::{Problem, received};
use crate::rpc::{MethodSpec, Rpc, RpcVisitor};
use crate::server::Services;
use crate::transcode::{FindTypes, RpcTypes};
use crate::wkt::{Timestamp, TypeRegistry};

/// The services of a crate, with their type erased.
pub(crate) struct Hosted {
    pub(crate) methods: &'static [&'static MethodSpec],
    pub(crate) descriptors: &'static [u8],
    pub(crate) register: fn(TypeRegistry) -> TypeRegistry,
    pub(crate) rpcs: Vec<HostedRpc>,
}

/// An RPC, with its types erased.
#[derive(Clone, Copy)]
pub(crate) struct HostedRpc {
    pub(crate) spec: &'static MethodSpec,
    pub(crate) types: RpcTypes,
    /// Returns what is wrong in an encoded request: what ESET refuses or, if the last argument says so, also what makes
    /// no sense or is unknown.
    pub(crate) check: fn(Bytes, Timestamp, bool) -> Vec<Problem>,
}

impl Hosted {
    pub(crate) fn of<S: Services>() -> Self {
        let (methods, descriptors, register) = (S::METHODS, S::DESCRIPTORS, S::register);
        let rpcs = methods.iter().filter_map(|spec| S::visit(spec.path, FindRpc)).collect();
        Self { methods, descriptors, register, rpcs }
    }
}

/// Finds an RPC by its path, as a visitor.
struct FindRpc;

impl RpcVisitor for FindRpc {
    type Output = HostedRpc;

    fn rpc<R: Rpc>(self) -> HostedRpc {
        let check = |request, now, strict| {
            // The method refuses bytes that do not decode when it reads them.
            let request = R::Request::decode(request);
            request.map_or_else(|_| Vec::new(), |request| received(&request, now, strict))
        };
        HostedRpc { spec: R::SPEC, types: FindTypes.rpc::<R>(), check }
    }
}

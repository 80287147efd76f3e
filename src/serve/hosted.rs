//! The services of a crate that a bridge forwards. Nothing here is specific to an RPC.

use super::admitted::Admitted;
use super::hosted_rpc::{FindRpc, HostedRpc};
use crate::rpc::MethodSpec;
use crate::server::{Backend, RestCall, RestFuture, Services};
use crate::transcode::RpcTypes;

/// The services of a crate, with their type erased.
#[derive(Clone, Copy)]
pub(super) struct Hosted {
    pub(super) methods: &'static [&'static MethodSpec],
    pub(super) descriptors: &'static [u8],
    find: fn(&str) -> Option<HostedRpc>,
}

impl Hosted {
    pub(super) fn of<S: Services>() -> Self {
        let find = |path: &str| S::visit(path, FindRpc);
        Self { methods: S::METHODS, descriptors: S::DESCRIPTORS, find }
    }

    /// Returns the RPCs.
    pub(super) fn rpcs(self) -> impl Iterator<Item = HostedRpc> {
        self.methods.iter().filter_map(move |spec| (self.find)(spec.path))
    }
}

/// The backend of a REST front.
pub(super) struct Rest(pub(super) Hosted);

impl Backend for Rest {
    fn methods(&self) -> &'static [&'static MethodSpec] {
        self.0.methods
    }

    fn call(&self, call: RestCall) -> RestFuture {
        let admitted = call.extensions().get::<Admitted>().cloned();
        let Some((admitted, rpc)) = admitted.zip((self.0.find)(call.rpc().path)) else {
            return Box::pin(call.unimplemented());
        };
        let call = call.with_registry(admitted.type_registry().clone());
        let forward = move |request| admitted.forward(rpc, request);
        Box::pin(call.answer_encoded(rpc.types, RpcTypes::whole_request, forward))
    }
}

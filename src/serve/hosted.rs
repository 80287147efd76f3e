//! The services of a crate that a bridge forwards. Nothing here is specific to an RPC.

use super::admitted::Admitted;
use super::hosted_rpc::{FindRpc, HostedRpc};
use crate::rpc::MethodSpec;
use crate::server::{Backend, RestCall, RestFuture, Services};
use crate::transcode::RpcTypes;

/// The services of a crate, with their type erased.
pub(super) struct Hosted {
    pub(super) methods: &'static [&'static MethodSpec],
    pub(super) descriptors: &'static [u8],
    pub(super) rpcs: Vec<HostedRpc>,
}

impl Hosted {
    pub(super) fn of<S: Services>() -> Self {
        let rpcs = S::METHODS.iter().filter_map(|spec| S::visit(spec.path, FindRpc)).collect();
        Self { methods: S::METHODS, descriptors: S::DESCRIPTORS, rpcs }
    }
}

/// The backend of a REST front: the gate has admitted its calls.
pub(super) struct Rest(pub(super) &'static [&'static MethodSpec]);

impl Backend for Rest {
    fn methods(&self) -> &'static [&'static MethodSpec] {
        self.0
    }

    fn call(&self, call: RestCall) -> RestFuture {
        let Some(admitted) = call.extensions().get::<Admitted>().cloned() else {
            return Box::pin(call.unimplemented());
        };
        let call = call.with_registry(admitted.type_registry().clone());
        let types = admitted.rpc.types;
        let forward = move |request| admitted.forward(request);
        Box::pin(call.answer_encoded(types, RpcTypes::whole_request, forward))
    }
}

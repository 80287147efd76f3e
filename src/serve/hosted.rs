//! The services of a crate that a bridge forwards. Nothing here is specific to an RPC.

use super::admitted::Admitted;
use crate::rpc::MethodSpec;
use crate::server::{Backend, RestCall, RestFuture, Services};
use crate::transcode::{FindTypes, RpcTypes};

/// The services of a crate, with their type erased.
#[derive(Clone, Copy)]
pub(super) struct Hosted {
    pub(super) methods: &'static [&'static MethodSpec],
    pub(super) descriptors: &'static [u8],
    types: fn(&str) -> Option<RpcTypes>,
}

impl Hosted {
    pub(super) fn of<S: Services>() -> Self {
        let types = |path: &str| S::visit(path, FindTypes);
        Self { methods: S::METHODS, descriptors: S::DESCRIPTORS, types }
    }

    /// Returns the RPCs with the types of their messages.
    pub(super) fn rpcs(self) -> impl Iterator<Item = (&'static MethodSpec, RpcTypes)> {
        self.methods.iter().filter_map(move |spec| Some((*spec, (self.types)(spec.path)?)))
    }
}

/// The backend of a REST front.
pub(super) struct Rest(pub(super) Hosted);

impl Backend for Rest {
    fn methods(&self) -> &'static [&'static MethodSpec] {
        self.0.methods
    }

    fn call(&self, call: RestCall) -> RestFuture {
        let spec = call.rpc();
        let admitted = call.extensions().get::<Admitted>().cloned();
        let Some((admitted, types)) = admitted.zip((self.0.types)(spec.path)) else {
            return Box::pin(call.unimplemented());
        };
        let call = call.with_registry(admitted.type_registry().clone());
        Box::pin(call.answer_encoded(types, move |request| admitted.forward(spec, types, request)))
    }
}

//! The services of a crate that a bridge forwards. Nothing here is specific to an RPC.

use super::hosted_rpc::{FindRpc, HostedRpc};
use crate::rpc::MethodSpec;
use crate::server::Services;

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

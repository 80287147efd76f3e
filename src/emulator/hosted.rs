//! The services of a crate that an emulator serves.

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorError, DescriptorPool};

use super::api::Check;
use crate::check::{Problem, received};
use crate::rpc::{MethodSpec, Rpc, RpcVisitor};
use crate::server::Services;
use crate::transcode::{FindTypes, RpcTypes};
use crate::wkt::{Timestamp, TypeRegistry};

/// The services of a crate, with their type erased.
#[derive(Clone, Copy)]
pub(crate) struct Hosted {
    pub(crate) methods: &'static [&'static MethodSpec],
    pub(crate) descriptors: &'static [u8],
    pub(crate) register: fn(TypeRegistry) -> TypeRegistry,
    types: fn(&str) -> Option<RpcTypes>,
    /// Checks an encoded request.
    pub(crate) check: Check,
}

impl Hosted {
    pub(crate) fn of<S: Services>() -> Self {
        let types = |path: &str| S::visit(path, FindTypes);
        let check: Check = |path, request, now, strict| {
            S::visit(path, Checked { request, now, strict }).unwrap_or_default()
        };
        let (methods, descriptors, register) = (S::METHODS, S::DESCRIPTORS, S::register);
        Self { methods, descriptors, register, types, check }
    }

    /// Returns the message types.
    pub(crate) fn pool(&self) -> Result<DescriptorPool, DescriptorError> {
        DescriptorPool::decode(self.descriptors)
    }

    /// Returns the types of an RPC, given by its gRPC path.
    pub(crate) fn types(&self, path: &str) -> Option<RpcTypes> {
        (self.types)(path)
    }
}

/// A request to check.
struct Checked {
    request: Bytes,
    now: Timestamp,
    strict: bool,
}

impl RpcVisitor for Checked {
    type Output = Vec<Problem>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        // The method refuses bytes that do not decode when it reads them.
        let request = R::Request::decode(self.request);
        request.map_or_else(|_| Vec::new(), |request| received(&request, self.now, self.strict))
    }
}

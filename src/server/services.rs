//! All services of a crate, for a server that works by their descriptors.

use crate::rpc::{MethodSpec, RpcVisitor};
use crate::wkt::TypeRegistry;

/// All services that a crate has generated, for a server that answers them by their descriptors, such as
/// the [emulator](crate::emulator::Builder::services). The build script makes one:
/// [`AllServices`](super::AllServices) here, `server::AllServices` in a crate of your own.
pub trait Services {
    /// The RPCs.
    const METHODS: &'static [&'static MethodSpec];
    /// The encoded `google.protobuf.FileDescriptorSet`.
    const DESCRIPTORS: &'static [u8];

    /// Calls the visitor with the type of an RPC; `None` if no RPC has this gRPC path.
    fn visit<V: RpcVisitor>(path: &str, visitor: V) -> Option<V::Output>;

    /// Adds the message types, which an `Any` may hold.
    fn register(registry: TypeRegistry) -> TypeRegistry;
}

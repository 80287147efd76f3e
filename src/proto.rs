//! The generated code, a module for each protobuf package, and nothing else.
//!
//! Types carry prost's and serde's traits; the bare stubs of tonic lie beside the messages of their
//! service, such as
//! [`device_tasks_client::DeviceTasksClient`](eset::dotnod::automation::v1::device_tasks_client::DeviceTasksClient),
//! for those who want a stub and an interceptor and no more.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(rustdoc::all)]

include!(concat!(env!("OUT_DIR"), "/proto.rs"));

/// The compiled `.proto` files: an encoded `google.protobuf.FileDescriptorSet` with all imports,
/// comments and options, the HTTP rules among them.
///
/// For server reflection, grpcurl (`-protoset`), Envoy's transcoder, buf and the like. The command
/// `eset-protect descriptors -o FILE` writes it to a file.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

//! The generated code, with a module for each protobuf package.
//!
//! Types implement prost's and serde's traits. tonic's plain stubs are next to the messages of their service,
//! such as
//! [`device_tasks_client::DeviceTasksClient`](eset::dotnod::automation::v1::device_tasks_client::DeviceTasksClient),
//! for programs that need only a stub and an interceptor.

#![allow(missing_docs, unreachable_pub, clippy::all, clippy::pedantic, clippy::nursery)]
#![allow(rustdoc::all)]

include!(concat!(env!("OUT_DIR"), "/proto.rs"));

/// The compiled `.proto` files: an encoded `google.protobuf.FileDescriptorSet` with all imports, comments and
/// options, including the HTTP rules.
///
/// For server reflection, grpcurl (`-protoset`), Envoy's transcoder, buf and similar tools. The command
/// `eset-protect descriptors -o FILE` writes it to a file.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

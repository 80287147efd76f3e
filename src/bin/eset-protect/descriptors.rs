//! `eset-protect descriptors`: the compiled `.proto` files.

use std::path::PathBuf;

use clap::Args;
use eset_protect::proto::FILE_DESCRIPTOR_SET;

use crate::failure::Failure;
use crate::output::Output;
use crate::whole_file::{Readers, write};

/// Write the compiled .proto files as a FileDescriptorSet, for grpcurl, buf, Envoy and similar tools
///
/// Generators for other languages need no further options: the files declare the packages for Go, Java and
/// C#.
///
/// Envoy's grpc_json_transcoder crashes, as of Envoy 1.40, on a map entry without a value. Such entries are
/// legal protobuf, and servers in Rust send them for a policy with a setting whose flags are both off. Let
/// Envoy pass gRPC through for the service Policies, and produce the JSON elsewhere, for example with the
/// crate's RestFront.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect descriptors -o eset.binpb
  grpcurl -plaintext -protoset eset.binpb 127.0.0.1:50051 \\
      eset.dotnod.automation.v1.DeviceTasks/ListTasks
  npx buf generate eset.binpb")]
pub struct Descriptors {
    /// The output file; `-` is standard output
    #[arg(short = 'o', long = "output", value_name = "FILE")]
    file: PathBuf,
}

impl Descriptors {
    pub fn run(self) -> Result<(), Failure> {
        if self.file.as_os_str() != "-" {
            return write(&self.file, FILE_DESCRIPTOR_SET, Readers::All).map_err(|error| {
                Failure::io(&format!("--output {}", self.file.display()), &error)
            });
        }
        let mut output = Output::new();
        if output.is_terminal {
            let why = "standard output is a terminal; send it to a file or a pipe";
            return Err(Failure::of("--output -", why));
        }
        output.bytes(FILE_DESCRIPTOR_SET)?;
        output.flush()
    }
}

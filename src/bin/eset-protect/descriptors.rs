//! `eset-protect descriptors`: the compiled `.proto` files.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use clap::Args;
use eset_protect::proto::FILE_DESCRIPTOR_SET;

use crate::failure::Failure;
use crate::output::Output;

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
            return write_whole(&self.file, FILE_DESCRIPTOR_SET).map_err(|error| {
                Failure::io(&format!("--output {}", self.file.display()), &error)
            });
        }
        let mut output = Output::new();
        if output.is_terminal {
            return Err(Failure::Input(
                "--output -: standard output is a terminal; send it to a file or a pipe".to_owned(),
            ));
        }
        output.bytes(FILE_DESCRIPTOR_SET)?;
        output.flush()
    }
}

/// Writes a file completely or not at all: to a temporary file first, then in its place.
pub fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let Some(name) = path.file_name() else {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "expected the name of a file"));
    };
    // Renaming over a device or pipe would replace it with a file.
    if fs::metadata(path).is_ok_and(|found| !found.is_file() && !found.is_dir()) {
        return fs::write(path, bytes);
    }
    let mut temporary = std::ffi::OsString::from(".");
    temporary.push(name);
    temporary.push(format!(".{}.tmp", std::process::id()));
    let temporary = path.with_file_name(temporary);
    let result = write_new(&temporary, bytes).and_then(|()| fs::rename(&temporary, path));
    if result.is_err() {
        // The temporary file may not exist. Only the first error matters.
        drop(fs::remove_file(&temporary));
    }
    result
}

fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

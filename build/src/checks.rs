//! Refuses what cannot be generated and says why: prost and tonic would panic, or write code that does not compile.

use prost_reflect::{ServiceDescriptor, Syntax};

use crate::descriptors::DescriptorSet;
use crate::names;
use crate::rust_names::RustNames;

/// The functions of tonic's clients, beside which there is none for an RPC of that name.
const CLIENT_FUNCTIONS: [&str; 8] = [
    "accept_compressed",
    "connect",
    "max_decoding_message_size",
    "max_encoding_message_size",
    "new",
    "send_compressed",
    "with_interceptor",
    "with_origin",
];

/// The types that tonic's servers use beside the trait of a service, which is named after the service.
const SERVER_TYPES: [&str; 16] = [
    "Arc",
    "B",
    "Body",
    "Box",
    "BoxFuture",
    "Clone",
    "CompressionEncoding",
    "Context",
    "Default",
    "EnabledCompressionEncodings",
    "InterceptedService",
    "Into",
    "Option",
    "Poll",
    "StdError",
    "T",
];

/// Checks the files to generate code for.
///
/// # Errors
///
/// Fails if one cannot be generated.
pub(crate) fn check(set: &DescriptorSet, with_server: bool) -> Result<(), String> {
    let messages = set.pool.all_messages().filter(|message| set.is_own(&message.parent_file()));
    for field in messages.flat_map(|message| message.fields().collect::<Vec<_>>()) {
        let name = field.json_name();
        // It is written as it is.
        if name.contains(|c: char| matches!(c, '"' | '\\') || c.is_control()) {
            let full_name = field.full_name();
            return Err(format!("{full_name}: the json_name {name:?} has an escape in JSON"));
        }
    }
    let mut names = RustNames::default();
    for file in set.files() {
        let file_name = file.name();
        if file.syntax() != Syntax::Proto3 {
            return Err(format!("{file_name}: expected `syntax = \"proto3\";`"));
        }
        if file.package_name().is_empty() {
            return Err(format!(
                "{file_name} has no `package`, after which its modules would be named"
            ));
        }
        names.add_file(&file, with_server)?;
        for service in file.services() {
            check_service(&service, with_server)?;
        }
    }
    Ok(())
}

fn check_service(service: &ServiceDescriptor, with_server: bool) -> Result<(), String> {
    let full_name = service.full_name();
    let name = names::camel(service.name());
    if with_server && SERVER_TYPES.iter().any(|used| name == used) {
        return Err(format!(
            "{full_name}: tonic cannot generate the server of a service named `{name}`"
        ));
    }
    for method in service.methods() {
        let function = names::module(method.name());
        if CLIENT_FUNCTIONS.contains(&&*function) {
            return Err(format!(
                "{}: tonic cannot generate this RPC, as its clients have a function `{function}`",
                method.full_name()
            ));
        }
    }
    Ok(())
}

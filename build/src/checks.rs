//! Refuses what cannot be generated and says why: prost and tonic would panic, or write code that does not compile.

use prost_reflect::{FileDescriptor, MessageDescriptor, ServiceDescriptor, Syntax};

use crate::descriptors::DescriptorSet;
use crate::names;

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
        check_names(&file)?;
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
    let mut functions = Vec::new();
    for method in service.methods() {
        let function = names::module(method.name());
        let full_name = method.full_name();
        if CLIENT_FUNCTIONS.contains(&&*function) {
            return Err(format!(
                "{full_name}: tonic cannot generate this RPC, as its clients have a function `{function}`"
            ));
        }
        if functions.contains(&function) {
            return Err(format!(
                "{full_name}: another RPC would have the function `{function}`, too"
            ));
        }
        functions.push(function);
    }
    Ok(())
}

/// Checks that every name gives a Rust name, which has no underscores around it.
fn check_names(file: &FileDescriptor) -> Result<(), String> {
    let mut names = Vec::new();
    let mut messages: Vec<_> = file.messages().collect();
    let mut enums: Vec<_> = file.enums().collect();
    while let Some(message) = messages.pop() {
        messages.extend(message.child_messages().filter(|child| !child.is_map_entry()));
        enums.extend(message.child_enums());
        collect(&message, &mut names);
    }
    for enumeration in enums {
        names.push(enumeration.full_name().to_owned());
        names.extend(enumeration.values().map(|value| value.full_name().to_owned()));
    }
    for service in file.services() {
        names.push(service.full_name().to_owned());
        names.extend(service.methods().map(|method| method.full_name().to_owned()));
    }
    for name in names {
        let last = name.rsplit('.').next().unwrap_or_default();
        if !last.trim_start_matches('_').starts_with(|c: char| c.is_ascii_alphabetic()) {
            return Err(format!("{name}: expected a name with a letter before any digit"));
        }
    }
    Ok(())
}

fn collect(message: &MessageDescriptor, names: &mut Vec<String>) {
    names.push(message.full_name().to_owned());
    names.extend(message.fields().map(|field| field.full_name().to_owned()));
    let oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic());
    names.extend(oneofs.map(|oneof| oneof.full_name().to_owned()));
}

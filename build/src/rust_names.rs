//! Refuses declarations that would have the same name in Rust, such as `FooBar` and `Foo_Bar`, or none.

use std::collections::{BTreeMap, BTreeSet};

use proc_macro2::Ident;
use prost_reflect::{EnumDescriptor, FileDescriptor, MessageDescriptor, ServiceDescriptor};

use crate::{descriptors, names};

/// The declaration that has a name, by the Rust path around it and the name.
#[derive(Default)]
pub(crate) struct RustNames(BTreeMap<(String, String), String>);

impl RustNames {
    /// Adds all declarations of a file.
    ///
    /// # Errors
    ///
    /// Fails if one gets no name, or that of another one.
    pub(crate) fn add_file(
        &mut self,
        file: &FileDescriptor,
        with_server: bool,
    ) -> Result<(), String> {
        let (mut around, package) = (String::new(), file.package_name());
        for end in package.match_indices('.').map(|(end, _)| end).chain([package.len()]) {
            let [_, module] = rust_names(&package[..end])?;
            self.add(&around, &module, &format!("the package {}", &package[..end]))?;
            around = format!("{around}::{module}");
        }
        for message in file.messages() {
            self.add_message(&around, &message)?;
        }
        for enumeration in file.enums() {
            self.add_enum(&around, &enumeration)?;
        }
        for service in file.services() {
            self.add_service(&around, &service, with_server)?;
        }
        Ok(())
    }

    fn add_message(&mut self, around: &str, message: &MessageDescriptor) -> Result<(), String> {
        let full_name = message.full_name();
        let [name, module] = rust_names(full_name)?;
        self.add(around, &name, full_name)?;
        let inside = format!("{around}::{name}");
        for field in message.fields() {
            // protox compares fields with each other.
            let [_, member] = rust_names(field.full_name())?;
            if descriptors::oneof_of(&field).is_none() {
                self.add(&inside, &member, field.full_name())?;
            }
        }
        let mut children =
            message.child_messages().filter(|child| !child.is_map_entry()).peekable();
        let mut oneofs = message.oneofs().filter(|oneof| !oneof.is_synthetic()).peekable();
        if children.peek().is_some() || oneofs.peek().is_some() || message.child_enums().len() > 0 {
            self.add(around, &module, full_name)?;
        }
        let module = format!("{around}::{module}");
        for child in children {
            self.add_message(&module, &child)?;
        }
        for enumeration in message.child_enums() {
            self.add_enum(&module, &enumeration)?;
        }
        for oneof in oneofs {
            let [_, member] = rust_names(oneof.full_name())?;
            self.add(&inside, &member, oneof.full_name())?;
            self.add(&module, &names::oneof_name(&oneof), oneof.full_name())?;
        }
        Ok(())
    }

    fn add_enum(&mut self, around: &str, enumeration: &EnumDescriptor) -> Result<(), String> {
        let [name, _] = rust_names(enumeration.full_name())?;
        self.add(around, &name, enumeration.full_name())?;
        let inside = format!("{around}::{name}");
        let mut numbers = BTreeSet::new();
        for value in enumeration.values() {
            rust_names(value.full_name())?;
            // Further names of a number get none.
            if numbers.insert(value.number()) {
                let variant = names::variant(&name.to_string(), value.name());
                self.add(&inside, &variant, value.full_name())?;
            }
        }
        Ok(())
    }

    fn add_service(
        &mut self,
        around: &str,
        service: &ServiceDescriptor,
        with_server: bool,
    ) -> Result<(), String> {
        let full_name = service.full_name();
        let [name, _] = rust_names(full_name)?;
        let (services, inside) = (format!("{around} services"), format!("{around} {name}"));
        self.add(&services, &name, full_name)?;
        self.add(around, &names::tonic_module(service, "client"), full_name)?;
        if with_server {
            self.add(around, &names::tonic_module(service, "server"), full_name)?;
        }
        for method in service.methods() {
            let [rpc, function] = rust_names(method.full_name())?;
            self.add(&inside, &function, method.full_name())?;
            self.add(&inside, &rpc, method.full_name())?;
        }
        Ok(())
    }

    fn add(&mut self, around: &str, name: &Ident, declared: &str) -> Result<(), String> {
        let other = self.0.insert((around.to_owned(), name.to_string()), declared.to_owned());
        match other.filter(|other| other != declared) {
            Some(other) => {
                Err(format!("{other} and {declared} would both be named `{name}` in Rust"))
            }
            None => Ok(()),
        }
    }
}

/// Returns the name of a type and that of a function or module. They have no underscores around them.
fn rust_names(full_name: &str) -> Result<[Ident; 2], String> {
    let last = full_name.rsplit('.').next().unwrap_or_default();
    match last.trim_start_matches('_').starts_with(|c: char| c.is_ascii_alphabetic()) {
        true => Ok([names::camel(last), names::snake(last)]),
        false => Err(format!("{full_name}: expected a name with a letter before any digit")),
    }
}

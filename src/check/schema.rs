//! Looks up messages and enums of the compiled `.proto` files by full name.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use prost::Message;
use prost_types::field_descriptor_proto::{Label, Type};
use prost_types::{DescriptorProto, EnumDescriptorProto, FieldDescriptorProto, FileDescriptorSet};

use crate::proto::FILE_DESCRIPTOR_SET;

/// All messages and enums, decoded on first use.
pub(super) static SCHEMA: LazyLock<Schema> = LazyLock::new(Schema::read);

#[derive(Debug, Default)]
pub(super) struct Schema {
    messages: BTreeMap<String, DescriptorProto>,
    enums: BTreeMap<String, EnumDescriptorProto>,
}

impl Schema {
    fn read() -> Self {
        let mut schema = Self::default();
        // The build script wrote this constant, and a test decodes it.
        let files = FileDescriptorSet::decode(FILE_DESCRIPTOR_SET).unwrap_or_default().file;
        for file in files {
            let package = file.package().to_owned();
            file.enum_type.into_iter().for_each(|found| schema.add_enum(&package, found));
            file.message_type.into_iter().for_each(|found| schema.add_message(&package, found));
        }
        schema
    }

    fn add_message(&mut self, scope: &str, mut message: DescriptorProto) {
        let name = format!("{scope}.{}", message.name());
        for found in std::mem::take(&mut message.enum_type) {
            self.add_enum(&name, found);
        }
        for found in std::mem::take(&mut message.nested_type) {
            self.add_message(&name, found);
        }
        self.messages.insert(name, message);
    }

    fn add_enum(&mut self, scope: &str, found: EnumDescriptorProto) {
        self.enums.insert(format!("{scope}.{}", found.name()), found);
    }

    /// Returns the fields of a message.
    pub(super) fn fields(&self, message: &str) -> Option<&[FieldDescriptorProto]> {
        self.messages.get(message).map(|message| message.field.as_slice())
    }

    /// Returns the names and numbers of an enum.
    pub(super) fn values(&self, name: &str) -> impl Iterator<Item = (&str, i32)> {
        let values = self.enums.get(name).map(|found| found.value.as_slice()).unwrap_or_default();
        values.iter().map(|value| (value.name(), value.number()))
    }

    /// Returns what a field contains.
    pub(super) fn kind<'a>(&'a self, field: &'a FieldDescriptorProto) -> Kind<'a> {
        let type_name = field.type_name().trim_start_matches('.');
        let one = match field.r#type() {
            Type::Enum => One::Enum(type_name),
            Type::Message => match self.map_value(type_name) {
                Some(value) => return Kind::Map(value),
                None => One::Message(type_name),
            },
            _ => One::Scalar,
        };
        if field.label() == Label::Repeated { Kind::List(one) } else { Kind::One(one) }
    }

    /// Returns the value type of a map if the type is a map entry.
    fn map_value<'a>(&'a self, type_name: &str) -> Option<One<'a>> {
        let entry = self.messages.get(type_name)?;
        if !entry.options.as_ref().is_some_and(|options| options.map_entry()) {
            return None;
        }
        match self.kind(entry.field.iter().find(|field| field.name() == "value")?) {
            Kind::One(value) => Some(value),
            Kind::List(_) | Kind::Map(_) => None,
        }
    }
}

/// What a field contains.
pub(super) enum Kind<'a> {
    One(One<'a>),
    List(One<'a>),
    Map(One<'a>),
}

/// The type of a value; messages and enums by full name.
#[derive(Clone, Copy)]
pub(super) enum One<'a> {
    Message(&'a str),
    Enum(&'a str),
    Scalar,
}

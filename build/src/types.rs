//! The list of message types with their fields, and of enums.

use heck::ToLowerCamelCase;
use proc_macro2::TokenStream;
use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};
use quote::quote;

use crate::descriptors::{self, DescriptorSet};
use crate::names::{PROTOBUF, WELL_KNOWN};
use crate::{codecs, debug_redact, field_behavior, names};

/// Generates `JsonMessage` for every message and `Enumeration` for every enum. For the crate itself
/// also the table of types by name; for others a function that registers theirs.
pub(crate) fn generate(set: &DescriptorSet, own: bool) -> String {
    let mut messages = Vec::new();
    let mut enums = Vec::new();
    for file in set.files() {
        enums.extend(file.enums());
        for message in file.messages() {
            collect(message, &mut messages, &mut enums);
        }
    }
    messages.sort_by(|a, b| a.full_name().cmp(b.full_name()));

    let json_messages = messages.iter().map(|message| json_message(message, set));
    let enumerations = enums.iter().map(|enumeration| self::enumeration(enumeration, set));
    let list = if own { table(&messages, set) } else { register(&messages, set) };
    quote! {
        // Generated code calls its methods on nested messages, if there are any.
        #[allow(unused_imports)]
        use ::eset_protect::codegen::JsonMessage as _;
        #(#json_messages)*
        #(#enumerations)*
        #list
    }
    .to_string()
}

fn collect(
    message: MessageDescriptor,
    messages: &mut Vec<MessageDescriptor>,
    enums: &mut Vec<EnumDescriptor>,
) {
    if message.is_map_entry() {
        return;
    }
    enums.extend(message.child_enums());
    for child in message.child_messages() {
        collect(child, messages, enums);
    }
    messages.push(message);
}

/// `JsonMessage` with the fields of a message, and `Debug` if it has secrets.
fn json_message(message: &MessageDescriptor, set: &DescriptorSet) -> TokenStream {
    let (path, name) = (set.message_path(message), message.full_name());
    let fields = message.fields().map(|field| entry(&field, set));
    let members = message.fields().flat_map(|field| spellings(&field));
    let read = reader(message, set);
    let debug = debug_redact::debug(message, set);
    let clear = field_behavior::clear_output_only(message, set);
    let clear = match clear.is_empty() {
        true => clear,
        false => quote! {
            fn clear_output_only(&mut self) {
                #clear
            }
        },
    };
    quote! {
        #[allow(clippy::pedantic, clippy::nursery)]
        impl ::eset_protect::codegen::JsonMessage for #path {
            const FORM: ::eset_protect::codegen::JsonForm =
                ::eset_protect::codegen::JsonForm::Object { name: #name, fields: &[#(#fields),*] };
            const MEMBERS: Option<&'static [&'static str]> = Some(&[#(#members),*]);

            #clear

            fn write_members(
                &self,
                json: &mut ::eset_protect::codegen::Compact,
            ) -> ::core::result::Result<(), ::eset_protect::codegen::Error> {
                ::eset_protect::codegen::WriteFields::write_fields(self, json)
            }

            fn read_members(
                &mut self,
                object: &mut ::eset_protect::codegen::Object<'_, '_>,
            ) -> ::core::result::Result<(), ::eset_protect::codegen::Error> {
                #read
                Ok(())
            }
        }

        impl serde::Serialize for #path {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                ::eset_protect::codegen::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for #path {
            fn deserialize<D>(deserializer: D) -> Result<Self, D::Error>
            where
                D: serde::Deserializer<'de>,
            {
                ::eset_protect::codegen::deserialize(deserializer)
            }
        }

        #debug
    }
}

/// Returns the loop that reads the members of a message.
fn reader(message: &MessageDescriptor, set: &DescriptorSet) -> TokenStream {
    let count = message.fields().len();
    let arms = message.fields().enumerate().map(|(index, field)| {
        let (names, name, codec) = (spellings(&field), field.json_name(), codecs::of(set, &field));
        let oneof = descriptors::oneof_of(&field);
        let place = names::snake(oneof.as_ref().map_or(field.name(), |oneof| oneof.name()));
        let to = quote!(object, #name, &mut has_occurred[#index], &mut self.#place);
        let call = match oneof {
            Some(oneof) => {
                let variant = set.variant_path(&oneof, &field);
                quote!(read_oneof::<#codec, _>(#to, #variant))
            }
            None if field.supports_presence() => quote!(read_optional::<#codec>(#to)),
            None => quote!(read_singular::<#codec>(#to)),
        };
        quote!(#(#names)|* => ::eset_protect::codegen::#call?,)
    });
    let skip = quote!(::eset_protect::codegen::skip_member(object, &name)?);
    let (has_occurred, member) = match count {
        0 => (quote!(), quote!(#skip;)),
        _ => (
            quote!(let mut has_occurred = [false; #count];),
            quote!(match &*name { #(#arms)* _ => #skip }),
        ),
    };
    quote! {
        #has_occurred
        while let Some(name) = object.next_name()? {
            #member
        }
    }
}

/// The names of a field in JSON: its own first, then those that are also read, unless another field has them.
fn spellings(field: &FieldDescriptor) -> Vec<String> {
    let message = field.parent_message();
    let mut names = vec![field.json_name().to_owned()];
    for spelling in [field.name().to_owned(), field.name().to_lower_camel_case()] {
        let is_taken = message.fields().any(|other| {
            other != *field && [other.name(), other.json_name()].contains(&&*spelling)
        });
        if !names.contains(&spelling) && !is_taken {
            names.push(spelling);
        }
    }
    names
}

fn entry(field: &FieldDescriptor, set: &DescriptorSet) -> TokenStream {
    let (number, name, names) = (field.number(), field.name(), spellings(field));
    let is_required = field_behavior::is_required(field);
    let oneof = descriptors::oneof_of(field)
        .and_then(|oneof| oneof.fields().map(|field| field.number()).min());
    let oneof = oneof.map_or_else(|| quote!(None), |oneof| quote!(Some(#oneof)));
    let kind = field.kind();
    let entry = kind.as_message().filter(|message| message.is_map_entry());
    let (shape, kind) = match entry {
        Some(entry) => {
            let key = key(&entry.map_entry_key_field().kind());
            let shape = quote!(Map(::eset_protect::codegen::FieldKey::#key));
            (shape, entry.map_entry_value_field().kind())
        }
        None if field.is_list() => (quote!(List), kind),
        None => (quote!(Single), kind),
    };
    let kind = match kind {
        Kind::Message(message)
            if message.package_name() != PROTOBUF || WELL_KNOWN.contains(&message.name()) =>
        {
            let path = set.message_path(&message);
            quote!(Message(::eset_protect::codegen::message_type::<#path>))
        }
        Kind::Enum(enumeration) if enumeration.package_name() != PROTOBUF => {
            let path = set.enum_path(&enumeration);
            quote!(Enum(<#path as ::eset_protect::codegen::Enumeration>::VALUES))
        }
        Kind::Bool => quote!(Bool),
        Kind::String => quote!(Text),
        _ => quote!(Scalar),
    };
    quote! {
        ::eset_protect::codegen::Field {
            number: #number,
            name: #name,
            json_names: &[#(#names),*],
            is_required: #is_required,
            oneof: #oneof,
            shape: ::eset_protect::codegen::FieldShape::#shape,
            kind: ::eset_protect::codegen::FieldKind::#kind,
        }
    }
}

/// The encoding of a map key.
fn key(kind: &Kind) -> TokenStream {
    match kind {
        Kind::String => quote!(Text),
        Kind::Bool => quote!(Bool),
        Kind::Int32 | Kind::Int64 => quote!(Signed),
        Kind::Sint32 | Kind::Sint64 => quote!(ZigZag),
        Kind::Sfixed32 | Kind::Sfixed64 => quote!(SignedFixed),
        Kind::Fixed32 | Kind::Fixed64 => quote!(Fixed),
        _ => quote!(Unsigned),
    }
}

fn enumeration(enumeration: &EnumDescriptor, set: &DescriptorSet) -> TokenStream {
    let (path, name) = (set.enum_path(enumeration), enumeration.full_name());
    // In the order of the file: of several names of a number, the first one counts.
    let values = enumeration.enum_descriptor_proto().value.iter();
    let values = values.map(|value| {
        let (name, number) = (value.name(), value.number());
        quote!((#name, #number))
    });
    quote! {
        impl ::eset_protect::codegen::Enumeration for #path {
            const FULL_NAME: &'static str = #name;
            const VALUES: &'static [(&'static str, i32)] = &[#(#values),*];
        }
    }
}

/// Generates the table of all types by name.
fn table(messages: &[MessageDescriptor], set: &DescriptorSet) -> TokenStream {
    let own =
        messages.iter().map(|message| (message.full_name().to_owned(), set.message_path(message)));
    // One is an enum.
    let well_known = WELL_KNOWN
        .iter()
        .filter(|name| **name != "NullValue")
        .map(|name| (format!("{PROTOBUF}.{name}"), names::path(&names::well_known_path(name))));
    let mut types: Vec<_> = own.chain(well_known).collect();
    types.sort_by(|(one, _), (other, _)| one.cmp(other));
    let types = types.iter().map(|(name, path)| quote!((#name, message_type::<#path>())));
    quote! {
        /// All message types by their full names, sorted.
        pub(crate) static TYPES: &[(&str, MessageType)] = &[#(#types),*];
    }
}

/// Generates the function that registers all types.
fn register(messages: &[MessageDescriptor], set: &DescriptorSet) -> TokenStream {
    let paths = messages.iter().map(|message| set.message_path(message));
    quote! {
        /// Adds every message of the package.
        pub fn register(
            registry: ::eset_protect::wkt::TypeRegistry,
        ) -> ::eset_protect::wkt::TypeRegistry {
            registry #(.with::<#paths>())*
        }
    }
}

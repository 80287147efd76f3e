//! Generates the ProtoJSON form of the messages from pbjson's generated code.
//!
//! pbjson provides the frame for every message: the table of names, the field of the struct for each of them, the
//! presence checks. Its handling of single values deviates from the specification in many ways,
//! and serde would compile it for each format, so every place that reads or writes a field becomes a call to
//! the crate's own codec for that kind of field (`src/json/`), which has code for JSON text alone. The kind
//! comes from the descriptor, not from pbjson's code, and the number of replaced places must equal the number
//! of fields: if pbjson's output changes, the build fails, not the user's program.

mod syntax;

use std::error::Error;

use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Arm, Block, Expr, ItemImpl, parse_quote};

use syntax::*;

use crate::descriptors::DescriptorSet;
use crate::{Sources, descriptors, messages, names, types};

/// Adds the implementations to the sources of their packages.
pub(crate) fn generate(set: &DescriptorSet, sources: &mut Sources) -> Result<(), Box<dyn Error>> {
    let mut builder = pbjson_build::Builder::new();
    builder.register_descriptors(&set.encoded)?.ignore_unknown_fields().btree_map(["."]);
    for (proto, rust) in messages::extern_paths(set) {
        builder.extern_path(proto, rust);
    }
    let packages: Vec<_> = sources.keys().map(|package| format!(".{package}")).collect();
    let mut generated = Sources::new();
    for (package, code) in builder.generate(&packages, |_| Ok(Vec::new()))? {
        // pbjson names a package after its module, and may return a package more than once.
        generated.entry(package.to_string()).or_default().push_str(std::str::from_utf8(&code)?);
    }
    for (package, source) in sources {
        let Some(code) = generated.remove(&pbjson_package(package)) else { continue };
        let mut file = syn::parse_file(&code)?;
        SpellAsProst.visit_file_mut(&mut file);
        let mut pass = Pass { set, read: 0, written: 0, messages: 0 };
        pass.visit_file_mut(&mut file);
        pass.check(package)?;
        source.push_str(&prettyplease::unparse(&file));
    }
    Ok(())
}

/// Rewrites the code of a package.
struct Pass<'a> {
    set: &'a DescriptorSet,
    messages: usize,
    read: usize,
    written: usize,
}

impl Pass<'_> {
    fn check(&self, package: &str) -> Result<(), String> {
        let messages: Vec<_> = self
            .set
            .pool
            .all_messages()
            .filter(|message| message.package_name() == package && !message.is_map_entry())
            .collect();
        let fields: usize = messages.iter().map(|message| message.fields().len()).sum();
        if self.read != fields || self.written != fields || self.messages != 2 * messages.len() {
            return Err(format!(
                "pbjson's code for `{package}` is not as expected: {} messages with {fields} \
                 fields, but {} implementations with {} fields read and {} written",
                messages.len(),
                self.messages,
                self.read,
                self.written,
            ));
        }
        Ok(())
    }
}

impl VisitMut for Pass<'_> {
    fn visit_item_impl_mut(&mut self, item: &mut ItemImpl) {
        let Some(message) = find_message(&self.set.pool, item) else { return };
        let mut code = MessageCode { set: self.set, message, read: 0, written: 0 };
        let function = item.items.iter().find_map(|item| match item {
            syn::ImplItem::Fn(function) => Some(function.block.clone()),
            _ => None,
        });
        let (Some(block), Some((_, path, _))) = (function, &item.trait_) else { return };
        let ty = item.self_ty.clone();
        *item = match path.segments.last().is_some_and(|name| name.ident == "Serialize") {
            true => code.writer(&ty, &block),
            false => match code.reader(&ty, &block) {
                Some(reader) => reader,
                None => return,
            },
        };
        self.messages += 1;
        self.read += code.read;
        self.written += code.written;
    }
}

/// Returns the message of an implementation, whose name is an argument of a serde call.
fn find_message(pool: &DescriptorPool, item: &mut ItemImpl) -> Option<MessageDescriptor> {
    struct Find<'a>(&'a DescriptorPool, Option<MessageDescriptor>);
    impl VisitMut for Find<'_> {
        fn visit_expr_method_call_mut(&mut self, call: &mut syn::ExprMethodCall) {
            if call.method == "serialize_struct" || call.method == "deserialize_struct" {
                let name = first_string(&call.args);
                self.1 = name.and_then(|name| {
                    self.0.all_messages().find(|message| pbjson_name(message) == name)
                });
            }
            visit_mut::visit_expr_method_call_mut(self, call);
        }
    }
    let mut find = Find(pool, None);
    find.visit_item_impl_mut(item);
    find.1
}

/// pbjson spells the package in a full name like its module.
fn pbjson_name(message: &MessageDescriptor) -> String {
    let package = message.package_name();
    let rest = message.full_name().strip_prefix(package).unwrap_or_default();
    format!("{}{rest}", pbjson_package(package))
}

/// pbjson does not know the keyword `gen`.
fn pbjson_package(package: &str) -> String {
    names::module_parts(package).join(".").replace("r#gen", "gen")
}

/// Rewrites one implementation for one message.
struct MessageCode<'a> {
    set: &'a DescriptorSet,
    message: MessageDescriptor,
    read: usize,
    written: usize,
}

impl MessageCode<'_> {
    /// Returns the codec of a single value of a field.
    fn codec(&self, field: &FieldDescriptor) -> syn::Type {
        match field.kind() {
            Kind::Double => parse_quote!(::eset_protect::codegen::Float<f64>),
            Kind::Float => parse_quote!(::eset_protect::codegen::Float<f32>),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => {
                parse_quote!(::eset_protect::codegen::Int<i32>)
            }
            Kind::Uint32 | Kind::Fixed32 => parse_quote!(::eset_protect::codegen::Int<u32>),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
                parse_quote!(::eset_protect::codegen::Long<i64>)
            }
            Kind::Uint64 | Kind::Fixed64 => parse_quote!(::eset_protect::codegen::Long<u64>),
            Kind::Bool => parse_quote!(::eset_protect::codegen::Bool),
            Kind::String => parse_quote!(::eset_protect::codegen::Text),
            Kind::Bytes => parse_quote!(::eset_protect::codegen::Base64),
            Kind::Enum(enumeration) if enumeration.full_name() == "google.protobuf.NullValue" => {
                parse_quote!(::eset_protect::codegen::Null)
            }
            Kind::Enum(enumeration) => {
                let path = self.set.enum_path(&enumeration);
                parse_quote!(::eset_protect::codegen::Open<#path>)
            }
            Kind::Message(message) if message.full_name() == "google.protobuf.Value" => {
                parse_quote!(::eset_protect::codegen::Dynamic<_>)
            }
            Kind::Message(_) => parse_quote!(::eset_protect::codegen::Msg<_>),
        }
    }

    /// Returns the codecs of a map's key and value.
    fn entry(&self, field: &FieldDescriptor) -> Option<(syn::Type, syn::Type)> {
        let kind = field.kind();
        let entry = kind.as_message().filter(|message| message.is_map_entry())?;
        Some((self.codec(&entry.map_entry_key_field()), self.codec(&entry.map_entry_value_field())))
    }

    /// Returns the codec of a whole field.
    fn whole(&self, field: &FieldDescriptor) -> syn::Type {
        if let Some((key, value)) = self.entry(field) {
            return parse_quote!(::eset_protect::codegen::Map<#key, #value>);
        }
        let codec = self.codec(field);
        match field.cardinality() {
            Cardinality::Repeated => parse_quote!(::eset_protect::codegen::Repeated<#codec>),
            _ => codec,
        }
    }

    /// Returns the implementation that writes the fields.
    fn writer(&mut self, ty: &syn::Type, block: &Block) -> ItemImpl {
        let mut block = block.clone();
        // The crate itself begins and ends the object.
        block.stmts.retain(writes_field);
        self.visit_block_mut(&mut block);
        let statements = &block.stmts;
        let json = if statements.is_empty() { quote!(_) } else { quote!(json) };
        // Writes fields without presence even at their default if the caller asks for it.
        let implicit = self.message.fields().any(|field| !field.supports_presence());
        let emit =
            implicit.then(|| quote!(let emit__ = ::eset_protect::codegen::emits_defaults();));
        parse_quote! {
            impl ::eset_protect::codegen::WriteFields for #ty {
                fn write_fields(
                    &self,
                    #json: &mut ::eset_protect::codegen::Compact,
                ) -> ::core::result::Result<(), ::eset_protect::codegen::Error> {
                    #emit
                    #(#statements)*
                    Ok(())
                }
            }
        }
    }

    /// Returns the implementation that reads the fields.
    fn reader(&mut self, ty: &syn::Type, block: &Block) -> Option<ItemImpl> {
        let visit = body_of(block, "visit_map")?;
        let places = places_of(&visit);
        let arms = arms_of(&visit);
        let arms: Vec<_> = arms.iter().filter_map(|arm| self.read_arm(arm, &places)).collect();
        let count = arms.len();
        let has_occurred = (count > 0).then(|| quote!(let mut has_occurred = [false; #count];));
        let skip = quote!(::eset_protect::codegen::skip_member(object, &name)?);
        let member = match arms.is_empty() {
            true => quote!(#skip;),
            false => quote!(match &*name { #(#arms)* _ => #skip }),
        };
        Some(parse_quote! {
            impl ::eset_protect::codegen::ReadFields for #ty {
                fn read_fields(
                    &mut self,
                    object: &mut ::eset_protect::codegen::Object<'_, '_>,
                ) -> ::core::result::Result<(), ::eset_protect::codegen::Error> {
                    #has_occurred
                    while let Some(name) = object.next_name()? {
                        #member
                    }
                    Ok(())
                }
            }
        })
    }

    /// Returns the arm that reads a field, for pbjson's `GeneratedField::X => { … }`.
    fn read_arm(&mut self, arm: &Arm, places: &Places) -> Option<Arm> {
        let variant = variant(&arm.pat)?;
        let field = self.message.fields().find(|field| names::camel(field.name()) == variant)?;
        let names = types::spellings(&field);
        let place = places.get(&assigned(&arm.body)?)?;
        let (index, name, codec) = (self.read, field.json_name(), self.whole(&field));
        let to = quote!(object, #name, &mut has_occurred[#index], &mut self.#place);
        let call = if let Some(oneof) = descriptors::oneof_of(&field) {
            let constructor = self.set.variant_path(&oneof, &field);
            quote!(read_oneof::<#codec, _>(#to, #constructor))
        } else if field.supports_presence() {
            quote!(read_optional::<#codec>(#to))
        } else {
            quote!(read_singular::<#codec>(#to))
        };
        self.read += 1;
        Some(parse_quote!(#(#names)|* => ::eset_protect::codegen::#call?,))
    }
}

impl VisitMut for MessageCode<'_> {
    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        if let Expr::If(condition) = expression
            && is_default_check(&condition.cond)
        {
            let check = &condition.cond;
            condition.cond = parse_quote!(emit__ || #check);
        }
    }

    fn visit_pat_tuple_struct_mut(&mut self, pattern: &mut syn::PatTupleStruct) {
        // pbjson does not know that prost renames the type of a oneof that is named like a type in the message.
        let segments = &mut pattern.path.segments;
        if let Some(at) = segments.len().checked_sub(2) {
            let mut oneofs = self.message.oneofs();
            let oneof = oneofs.find(|oneof| segments[at].ident == names::camel(oneof.name()));
            if let Some(oneof) = oneof {
                segments[at].ident = names::oneof_name(&oneof);
            }
        }
    }

    fn visit_block_mut(&mut self, block: &mut Block) {
        visit_mut::visit_block_mut(self, block);
        let Some((position, name)) = block
            .stmts
            .iter()
            .enumerate()
            .find_map(|(at, statement)| written_field(statement).map(|name| (at, name)))
        else {
            return;
        };
        let Some(field) = self.message.get_field_by_json_name(&name) else { return };
        let codec = self.whole(&field);
        // Inside `if let Some(v) = self.x.as_ref()` and in an arm of a oneof the value is `v`.
        let value: Expr = if field.supports_presence() {
            parse_quote!(v)
        } else {
            let place = match find_self_field(block) {
                Some(place) => place,
                None => return,
            };
            parse_quote!(&self.#place)
        };
        // The statements before it converted the value for pbjson.
        block.stmts.drain(..position);
        block.stmts[0] = parse_quote!(
            ::eset_protect::codegen::write_field::<#codec>(json, #name, #value)?;
        );
        self.written += 1;
    }
}

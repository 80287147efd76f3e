//! Generates the ProtoJSON form of the messages by correcting pbjson's generated code.
//!
//! pbjson provides the frame of the two implementations for every message: the table of names, the
//! loop over members, the presence checks. Its handling of single values deviates from the
//! specification in many ways, so every place that reads or writes a field is replaced by a call to
//! the crate's own codec for that kind of field (`src/protojson/`). The kind comes from the
//! descriptor, not from pbjson's code, and the number of replaced places must equal the number of
//! fields: if pbjson's output changes, the build fails, not the user's program.

mod syntax;

use std::collections::HashMap;
use std::error::Error;

use heck::{ToLowerCamelCase, ToSnakeCase};
use prost_reflect::{Cardinality, DescriptorPool, FieldDescriptor, Kind, MessageDescriptor};
use quote::{format_ident, quote};
use syn::visit_mut::{self, VisitMut};
use syn::{Arm, Block, Expr, ImplItemFn, ItemImpl, Pat, Stmt, parse_quote};

use syntax::*;

use crate::descriptors::DescriptorSet;
use crate::{Sources, descriptors, messages, names};

/// Adds the implementations to the sources of their packages.
pub(crate) fn generate(
    set: &DescriptorSet,
    root: &str,
    sources: &mut Sources,
) -> Result<(), Box<dyn Error>> {
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
        let Some(code) = generated.remove(&names::module_parts(package).join(".")) else {
            continue;
        };
        let mut file = syn::parse_file(&code)?;
        let mut pass = Pass { pool: &set.pool, root, read: 0, written: 0, messages: 0 };
        pass.visit_file_mut(&mut file);
        pass.check(package)?;
        source.push_str(&prettyplease::unparse(&file));
    }
    Ok(())
}

/// Rewrites the code of a package.
struct Pass<'a> {
    pool: &'a DescriptorPool,
    root: &'a str,
    messages: usize,
    read: usize,
    written: usize,
}

impl Pass<'_> {
    fn check(&self, package: &str) -> Result<(), String> {
        let messages: Vec<_> = self
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
        let Some(message) = find_message(self.pool, item) else { return };
        self.messages += 1;
        let mut code = MessageCode {
            root: self.root,
            by_variant: HashMap::new(),
            message,
            read: 0,
            written: 0,
        };
        code.visit_item_impl_mut(item);
        if let Some((_, path, _)) = &mut item.trait_ {
            *path = match path.segments.last().is_some_and(|name| name.ident == "Serialize") {
                true => parse_quote!(::eset_protect::codegen::JsonObject),
                false => parse_quote!(::eset_protect::codegen::ReadObject<'de>),
            };
        }
        for function in &mut item.items {
            if let syn::ImplItem::Fn(function) = function
                && function.sig.ident == "deserialize"
            {
                function.sig.ident = format_ident!("read_object");
            }
        }
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
    format!("{}{rest}", names::module_parts(package).join("."))
}

/// Rewrites one implementation for one message.
struct MessageCode<'a> {
    root: &'a str,
    message: MessageDescriptor,
    /// The field of each variant of pbjson's `GeneratedField`.
    by_variant: HashMap<String, FieldDescriptor>,
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
                let path = names::path(&names::enum_path(&enumeration, self.root));
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

    /// Rewrites `GeneratedField::X => { … }` to call the field's reading function.
    fn rewrite_arm(&mut self, arm: &mut Arm) {
        let Some(variant) = variant(&arm.pat) else { return };
        if variant == SKIP {
            arm.pat = parse_quote!(GeneratedField::__SkipField__(name));
            arm.body = parse_quote!(::eset_protect::codegen::skip_member(&mut map_, name)?);
            arm.comma = Some(Default::default());
            return;
        }
        let Some(field) = self.by_variant.get(&variant).cloned() else { return };
        let Some(slot) = assigned(&arm.body) else { return };
        let name = field.json_name();
        let codec = self.whole(&field);
        let call = if let Some(oneof) = descriptors::oneof_of(&field) {
            let constructor = oneof_variant(&self.message, &oneof, &variant, self.root);
            quote!(read_oneof::<#codec, _, _>(&mut map_, #name, &mut #slot, #constructor))
        } else if field.supports_presence() {
            quote!(read_optional::<#codec, _>(&mut map_, #name, &mut #slot))
        } else {
            quote!(read_singular::<#codec, _>(&mut map_, #name, &mut #slot))
        };
        arm.body = parse_quote!(::eset_protect::codegen::#call?);
        arm.comma = Some(Default::default());
        self.read += 1;
    }

    /// Returns the regular spelling of a field with a custom `json_name`.
    fn regular_name(&self, field: &FieldDescriptor) -> Option<String> {
        let regular = field.name().to_lower_camel_case();
        let is_free = self.message.get_field_by_json_name(&regular).is_none()
            && self.message.get_field_by_name(&regular).is_none();
        is_free.then_some(regular)
    }

    /// Reads the variant from `"displayName" | "display_name" => Ok(GeneratedField::X)`, and adds
    /// the regular spelling of a field with a custom `json_name`.
    fn learn_name(&mut self, arm: &mut Arm) {
        let names: Vec<String> = match &arm.pat {
            Pat::Lit(literal) => string(&literal.lit).into_iter().collect(),
            Pat::Or(or) => or
                .cases
                .iter()
                .filter_map(|case| match case {
                    Pat::Lit(literal) => string(&literal.lit),
                    _ => None,
                })
                .collect(),
            _ => return,
        };
        let Some(field) = names.iter().find_map(|name| self.message.get_field_by_json_name(name))
        else {
            return;
        };
        let Expr::Call(call) = &*arm.body else { return };
        let Some(Expr::Path(path)) = call.args.first() else { return };
        let Some(last) = path.path.segments.last() else { return };
        if let Some(regular) = self.regular_name(&field) {
            let pattern = &arm.pat;
            arm.pat = parse_quote!(#pattern | #regular);
        }
        self.by_variant.insert(last.ident.to_string(), field);
    }
}

impl VisitMut for MessageCode<'_> {
    fn visit_impl_item_fn_mut(&mut self, function: &mut ImplItemFn) {
        visit_mut::visit_impl_item_fn_mut(self, function);
        if function.sig.ident != "serialize" {
            return;
        }
        // The crate itself begins and ends the object.
        let object = if self.message.fields().len() == 0 { quote!(_) } else { quote!(object) };
        function.sig = parse_quote! {
            fn write_fields<O: serde::ser::SerializeMap>(&self, #object: &mut O) -> Result<(), O::Error>
        };
        function.block.stmts.retain(writes_field);
        function.block.stmts.push(Stmt::Expr(parse_quote!(Ok(())), None));
        // Writes fields without presence even at their default if the caller asks for it.
        let implicit = self.message.fields().any(|field| !field.supports_presence());
        if implicit {
            let emit: Stmt = parse_quote!(let emit__ = ::eset_protect::codegen::emits_defaults(););
            function.block.stmts.insert(0, emit);
        }
    }

    fn visit_lit_str_mut(&mut self, literal: &mut syn::LitStr) {
        if literal.value() == format!("struct {}", pbjson_name(&self.message)) {
            let expected = format!("an object, the JSON of {}", self.message.full_name());
            *literal = syn::LitStr::new(&expected, literal.span());
        }
    }

    /// The names that `#[serde(flatten)]` passes on.
    fn visit_item_const_mut(&mut self, item: &mut syn::ItemConst) {
        if let Expr::Reference(list) = &mut *item.expr
            && let Expr::Array(names) = &mut *list.expr
        {
            let more = self.message.fields().filter_map(|field| self.regular_name(&field));
            names.elems.extend(more.map(|name| -> Expr { parse_quote!(#name) }));
        }
    }

    fn visit_item_enum_mut(&mut self, item: &mut syn::ItemEnum) {
        for variant in &mut item.variants {
            if variant.ident == SKIP {
                *variant = parse_quote!(__SkipField__(::eset_protect::codegen::UnknownName));
            }
        }
    }

    fn visit_arm_mut(&mut self, arm: &mut Arm) {
        self.learn_name(arm);
        self.rewrite_arm(arm);
        visit_mut::visit_arm_mut(self, arm);
    }

    fn visit_expr_mut(&mut self, expression: &mut Expr) {
        visit_mut::visit_expr_mut(self, expression);
        match expression {
            Expr::Path(path) if is_skip(&path.path) => {
                *expression = parse_quote!(GeneratedField::__SkipField__(
                    ::eset_protect::codegen::UnknownName::new(value)
                ));
            }
            // The loop of a message without fields.
            Expr::While(_) if self.message.fields().len() == 0 => {
                *expression = parse_quote!(while let Some(GeneratedField::__SkipField__(name)) =
                    map_.next_key()?
                {
                    ::eset_protect::codegen::skip_member(&mut map_, name)?;
                });
            }
            Expr::If(condition) if is_default_check(&condition.cond) => {
                let check = &condition.cond;
                condition.cond = parse_quote!(emit__ || #check);
            }
            Expr::Struct(literal) => {
                for value in &mut literal.fields {
                    let field = self.by_variant.values().find(|field| {
                        field.supports_presence()
                            && descriptors::oneof_of(field).is_none()
                            && slot_name(&value.expr)
                                .is_some_and(|slot| slot.trim_start_matches("r#") == slot_of(field))
                    });
                    if field.is_some() {
                        let slot = &value.expr;
                        value.expr = parse_quote!(#slot.flatten());
                    }
                }
            }
            _ => {}
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
            ::eset_protect::codegen::write_field::<#codec, _>(object, #name, #value)?;
        );
        self.written += 1;
    }
}

fn oneof_variant(
    message: &MessageDescriptor,
    oneof: &prost_reflect::OneofDescriptor,
    variant: &str,
    root: &str,
) -> syn::Path {
    let module = names::message_scope(message, root);
    let variant = format_ident!("{variant}");
    let mut path = names::path(&format!("{module}::{}", names::type_name(oneof.name())));
    path.segments.push(variant.into());
    path
}

fn slot_of(field: &FieldDescriptor) -> String {
    format!("{}__", field.name().to_snake_case())
}

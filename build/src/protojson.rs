//! Generates the code that writes messages as ProtoJSON, from pbjson's.
//!
//! pbjson provides the frame: which fields there are, in which order, and when a field is written. Its handling of
//! single values deviates from the specification in many ways, and serde would compile it for each format, so every
//! place that writes a field becomes a call to the crate's own [codec](crate::codecs) for that kind of field. The number
//! of replaced places must equal the number of fields: if pbjson's output changes, the build fails, not the user's
//! program.

mod syntax;

use std::collections::BTreeMap;
use std::error::Error;

use prost_reflect::MessageDescriptor;
use quote::quote;
use syn::visit_mut::{self, VisitMut};
use syn::{Block, Expr, File, ImplItem, Item, ItemImpl, parse_quote};

use syntax::*;

use crate::descriptors::DescriptorSet;
use crate::{Sources, codecs, messages, names};

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
        let messages = set.pool.all_messages();
        let messages = messages.filter(|it| it.package_name() == package && !it.is_map_entry());
        let mut messages: BTreeMap<_, _> = messages.map(|it| (pbjson_name(&it), it)).collect();
        let mut items = Vec::new();
        for item in file.items {
            match (serde_struct(&item), item) {
                (Some((method, name)), Item::Impl(item)) => {
                    if method == "serialize_struct"
                        && let Some(message) = messages.remove(&name)
                    {
                        items.push(writer(set, message, &item)?.into());
                    }
                }
                // Of an enum.
                (_, item) => items.push(item),
            }
        }
        if let Some(name) = messages.keys().next() {
            return Err(format!("pbjson writes no code for {name}").into());
        }
        source.push_str(&prettyplease::unparse(&File { items, ..file }));
    }
    Ok(())
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

/// Returns the implementation that writes the fields of a message, made from pbjson's.
fn writer(
    set: &DescriptorSet,
    message: MessageDescriptor,
    item: &ItemImpl,
) -> Result<ItemImpl, String> {
    let function = item.items.iter().find_map(|item| match item {
        ImplItem::Fn(function) => Some(&function.block.stmts),
        _ => None,
    });
    // The crate itself begins and ends the object.
    let fields = function.into_iter().flatten().filter(|statement| writes_field(statement));
    let mut statements: Vec<_> = fields.cloned().collect();
    let mut code = MessageCode { set, message, written: 0 };
    statements.iter_mut().for_each(|statement| code.visit_stmt_mut(statement));
    let MessageCode { message, written, .. } = code;
    if written != message.fields().len() {
        let name = message.full_name();
        return Err(format!("pbjson's code for {name} is not as expected: {written} fields"));
    }
    let ty = &item.self_ty;
    let json = if statements.is_empty() { quote!(_) } else { quote!(json) };
    // Writes fields without presence even at their default if the caller asks for it.
    let implicit = message.fields().any(|field| !field.supports_presence());
    let emit = implicit.then(|| quote!(let emit__ = ::eset_protect::codegen::emits_defaults();));
    Ok(parse_quote! {
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
    })
}

/// Rewrites the code that writes the fields of a message.
struct MessageCode<'a> {
    set: &'a DescriptorSet,
    message: MessageDescriptor,
    written: usize,
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
        let codec = codecs::of(self.set, &field);
        // Inside `if let Some(v) = self.x.as_ref()` and in an arm of a oneof the value is `v`.
        let place = names::snake(field.name());
        let value: Expr = match field.supports_presence() {
            true => parse_quote!(v),
            false => parse_quote!(&self.#place),
        };
        // The statements before it converted the value for pbjson.
        block.stmts.drain(..position);
        block.stmts[0] = parse_quote!(
            ::eset_protect::codegen::write_field::<#codec>(json, #name, #value)?;
        );
        self.written += 1;
    }
}

//! What a value must be, beyond its type: clients that check requests by the document send none that servers refuse.

use prost_reflect::{FieldDescriptor, Kind};

use crate::field_behavior::is_required;
use crate::json::Json;

/// The most characters of a UUID and of a page token (`maxLength` in ESET's documents).
const UUID: u32 = 100;
const PAGE_TOKEN: u32 = 128;

/// Adds what holds for each value of a field.
pub(super) fn on_element(schema: Json, field: &FieldDescriptor) -> Json {
    let between = |least: &str, most: &str| {
        schema.clone().with("minimum", number(&least)).with("maximum", number(&most))
    };
    match field.kind() {
        Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => between("-2147483648", "2147483647"),
        // Zero is what a field has that nobody set.
        Kind::Uint32 | Kind::Fixed32 if is_single_and_required(field) => between("1", "4294967295"),
        Kind::Uint32 | Kind::Fixed32 => between("0", "4294967295"),
        Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => {
            schema.with("pattern", text("^-?[0-9]{1,19}$"))
        }
        Kind::Uint64 | Kind::Fixed64 => schema.with("pattern", text("^[0-9]{1,20}$")),
        Kind::String => {
            let name = field.name();
            let is_uuid = name == "uuid" || name.ends_with("_uuid") || name.ends_with("_uuids");
            let is_filled = is_single_and_required(field) || is_uuid && field.is_list();
            let most = match name {
                _ if is_uuid => number(&UUID),
                "page_token" => number(&PAGE_TOKEN),
                _ => None,
            };
            schema.with("minLength", number(&1).filter(|_| is_filled)).with("maxLength", most)
        }
        _ => schema,
    }
}

/// Adds what holds for a list: an empty one is as if nobody had set it.
pub(super) fn on_list(schema: Json, field: &FieldDescriptor) -> Json {
    schema.with("minItems", number(&1).filter(|_| is_required(field)))
}

/// Adds what holds for a variable of a path: a segment is never empty.
pub(super) fn on_segment(schema: Json) -> Json {
    let is_text = matches!(schema.get("type"), Some(Json::Text(name)) if name == "string");
    let has_least = schema.get("minLength").is_some();
    schema.with("minLength", number(&1).filter(|_| is_text && !has_least))
}

fn is_single_and_required(field: &FieldDescriptor) -> bool {
    is_required(field) && !field.is_list() && !field.supports_presence()
}

fn number(number: &impl ToString) -> Option<Json> {
    Some(Json::Written(number.to_string()))
}

fn text(text: &str) -> Option<Json> {
    Some(Json::text(text))
}

//! Describes messages and enums as schemas.

use std::collections::{BTreeMap, BTreeSet};

use prost_reflect::{EnumDescriptor, FieldDescriptor, Kind, MessageDescriptor};

use crate::descriptors::DescriptorSet;
use crate::json::Json;
use crate::openapi::constraints;
use crate::{comments, field_behavior};

/// The schemas in use, by name.
pub(super) struct Schemas {
    /// The names of all types, by full name.
    names: BTreeMap<String, String>,
    done: BTreeMap<String, Json>,
    /// `google.rpc.Status`.
    status: MessageDescriptor,
}

/// Whether the JSON form of a well-known type is a scalar.
pub(super) fn is_scalar(message: &MessageDescriptor) -> bool {
    message.package_name() == "google.protobuf"
        && !matches!(message.name(), "Any" | "Empty" | "ListValue" | "Struct" | "Value")
}

fn of_type(name: &str) -> Json {
    Json::object([("type", Json::text(name))])
}

fn of_format(name: &str, format: &str) -> Json {
    Json::object([("type", Json::text(name)), ("format", Json::text(format))])
}

/// Bytes as they are.
pub(super) fn binary() -> Json {
    of_format("string", "binary")
}

fn reference_to(name: &str) -> Json {
    Json::object([("$ref", Json::text(format!("#/components/schemas/{name}")))])
}

impl Schemas {
    pub(super) fn new(set: &DescriptorSet) -> Result<Self, String> {
        let messages = set.pool.all_messages().map(|message| message.full_name().to_owned());
        let enums = set.pool.all_enums().map(|enumeration| enumeration.full_name().to_owned());
        let names = names(messages.chain(enums).collect());
        let status = set.pool.get_message_by_name("google.rpc.Status");
        let status = status.ok_or("google/rpc/status.proto has no message Status")?;
        Ok(Self { names, done: BTreeMap::new(), status })
    }

    /// Returns all schemas that were referenced.
    pub(super) fn finish(self) -> Json {
        Json::Object(self.done.into_iter().collect())
    }

    /// Returns the schema of an error.
    pub(super) fn status(&mut self) -> Json {
        self.reference(&self.status.clone())
    }

    fn any(&mut self) -> Json {
        let name = self.name("google.protobuf.Any");
        self.done.entry(name.clone()).or_insert_with(any);
        reference_to(&name)
    }

    /// Returns the schema of a message: a reference, except for well-known types.
    pub(super) fn reference(&mut self, message: &MessageDescriptor) -> Json {
        if message.package_name() == "google.protobuf" {
            return self.well_known(message);
        }
        let name = self.name(message.full_name());
        if !self.done.contains_key(&name) {
            // A placeholder ends the recursion of messages that contain themselves.
            self.done.insert(name.clone(), of_type("object"));
            let schema = self.object(message, |_| false);
            self.done.insert(name.clone(), schema);
        }
        reference_to(&name)
    }

    /// Returns a schema of this name for a message without some of its fields.
    pub(super) fn rest(
        &mut self,
        name: &str,
        message: &MessageDescriptor,
        is_left_out: impl Fn(&FieldDescriptor) -> bool,
    ) -> Json {
        let schema = self.object(message, is_left_out);
        self.done.insert(name.to_owned(), schema);
        reference_to(name)
    }

    fn name(&self, full_name: &str) -> String {
        self.names.get(full_name).cloned().unwrap_or_else(|| full_name.replace('.', ""))
    }

    fn object(
        &mut self,
        message: &MessageDescriptor,
        is_left_out: impl Fn(&FieldDescriptor) -> bool,
    ) -> Json {
        let fields: Vec<_> = message.fields().filter(|field| !is_left_out(field)).collect();
        let properties: Vec<_> =
            fields.iter().map(|field| (field.json_name().to_owned(), self.field(field))).collect();
        let comment = comments::find(&message.parent_file(), message.path());
        let schema = of_type("object").with("description", comment.map(Json::Text));
        if properties.is_empty() {
            return schema;
        }
        let required: Vec<_> = fields
            .iter()
            .filter(|field| field_behavior::is_required(field))
            .map(|field| Json::text(field.json_name()))
            .collect();
        schema
            .with("properties", Some(Json::Object(properties)))
            .with("required", (!required.is_empty()).then_some(Json::List(required)))
    }

    /// Returns the schema of a field, with its comment and `readOnly`.
    pub(super) fn field(&mut self, field: &FieldDescriptor) -> Json {
        let schema = self.plain(field);
        let comment = comments::find(&field.parent_file(), field.path()).map(Json::Text);
        let read_only = field_behavior::is_output_only(field).then_some(Json::Bool(true));
        if comment.is_none() && read_only.is_none() {
            return schema;
        }
        // OpenAPI 3.0 ignores the siblings of `$ref`.
        let schema = match schema.get("$ref") {
            Some(_) => Json::object([("allOf", Json::List(vec![schema]))]),
            None => schema,
        };
        schema.with("description", comment).with("readOnly", read_only)
    }

    /// Returns the schema of a field without its comment.
    pub(super) fn plain(&mut self, field: &FieldDescriptor) -> Json {
        match field.kind() {
            Kind::Message(entry) if field.is_map() => {
                let value = self.element(&entry.map_entry_value_field());
                of_type("object").with("additionalProperties", Some(value))
            }
            _ if field.is_list() => {
                let list = of_type("array").with("items", Some(self.element(field)));
                constraints::on_list(list, field)
            }
            _ => self.element(field),
        }
    }

    /// Returns the schema of a single value of a field.
    pub(super) fn element(&mut self, field: &FieldDescriptor) -> Json {
        let schema = match field.kind() {
            Kind::Bool => of_type("boolean"),
            Kind::String => of_type("string"),
            Kind::Bytes => of_format("string", "byte"),
            Kind::Double => of_format("number", "double"),
            Kind::Float => of_format("number", "float"),
            Kind::Int32 | Kind::Sint32 | Kind::Sfixed32 => of_format("integer", "int32"),
            // OpenAPI has no unsigned numbers.
            Kind::Uint32 | Kind::Fixed32 => of_format("integer", "int64"),
            Kind::Int64 | Kind::Sint64 | Kind::Sfixed64 => of_format("string", "int64"),
            Kind::Uint64 | Kind::Fixed64 => of_format("string", "uint64"),
            // Its only value is `null` in JSON.
            Kind::Enum(enumeration) if enumeration.full_name() == "google.protobuf.NullValue" => {
                of_type("string")
                    .with("nullable", Some(Json::Bool(true)))
                    .with("enum", Some(Json::List(vec![Json::Written("null".to_owned())])))
            }
            Kind::Enum(enumeration) => self.enumeration(&enumeration),
            Kind::Message(message) => self.reference(&message),
        };
        constraints::on_element(schema, field)
    }

    fn enumeration(&mut self, enumeration: &EnumDescriptor) -> Json {
        let name = self.name(enumeration.full_name());
        if !self.done.contains_key(&name) {
            let file = enumeration.parent_file();
            let mut text = comments::find(&file, enumeration.path()).unwrap_or_default();
            let mut names = Vec::new();
            for value in enumeration.values() {
                if let Some(comment) = comments::find(&file, value.path()) {
                    text.push_str(&format!("\n\n - {}: {comment}", value.name()));
                }
                names.push(Json::text(value.name()));
            }
            let schema = of_type("string")
                .with("description", (!text.is_empty()).then(|| Json::text(text.trim())))
                .with("default", names.first().cloned())
                .with("enum", Some(Json::List(names)));
            self.done.insert(name.clone(), schema);
        }
        reference_to(&name)
    }

    fn well_known(&mut self, message: &MessageDescriptor) -> Json {
        match message.name() {
            "Any" => self.any(),
            "Timestamp" => of_format("string", "date-time"),
            "Duration" | "FieldMask" => of_type("string"),
            "Empty" | "Struct" => of_type("object"),
            "ListValue" => of_type("array").with("items", Some(Json::object([]))),
            "Value" => Json::object([]),
            // A wrapper has the JSON form of its value.
            _ => match message.get_field_by_name("value") {
                Some(field) => self.element(&field),
                None => of_type("object"),
            },
        }
    }
}

fn any() -> Json {
    let url = "The type of the message: `type.googleapis.com/` followed by its full name.";
    let url = of_type("string").with("description", Some(Json::text(url)));
    of_type("object")
        .with("description", Some(Json::text("A message of any type: `@type` and its members.")))
        .with("properties", Some(Json::object([("@type", url)])))
        .with("additionalProperties", Some(Json::object([])))
}

/// Names schemas as protoc-gen-openapiv2 does: by the last two parts of the full name, such as
/// `v1Action`, or by as many parts as make the name unique.
fn names(full_names: BTreeSet<String>) -> BTreeMap<String, String> {
    let mut named = BTreeMap::new();
    let mut left = full_names;
    let mut taken = BTreeSet::new();
    for parts in 2.. {
        let mut candidates: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for full_name in &left {
            let all: Vec<_> = full_name.split('.').collect();
            let name = all[all.len().saturating_sub(parts)..].concat();
            candidates.entry(name).or_default().push(full_name.clone());
        }
        // No parts are left to add: keep the dots.
        let is_over = left.iter().all(|name| name.split('.').count() < parts);
        for (name, full_names) in candidates {
            for full_name in &full_names {
                let name = if is_over { full_name.clone() } else { name.clone() };
                if is_over || full_names.len() == 1 && !taken.contains(&name) {
                    left.remove(full_name);
                    taken.insert(name.clone());
                    named.insert(full_name.clone(), name);
                }
            }
        }
        if left.is_empty() {
            break;
        }
    }
    named
}

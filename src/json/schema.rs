//! Describes the fields of a message for its JSON, its bytes, and paths and queries that set its fields.

use bytes::Bytes;
use prost::DecodeError;
use serde_json::Result;

use super::any_members::TYPE;
use super::compact::Compact;
use super::parser::{Object, Parser};
use super::path;

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// The name in the `.proto` file.
    pub name: &'static str,
    /// The names in JSON: first the one to write, then other accepted spellings.
    pub json_names: &'static [&'static str],
    /// Whether requests must set it (`google.api.field_behavior`, AIP-203).
    pub is_required: bool,
    /// The smallest field number in its oneof, which identifies the oneof.
    pub oneof: Option<u32>,
    /// How many values the field has.
    pub shape: FieldShape,
    /// The type of each value.
    pub kind: FieldKind,
}

impl Field {
    /// Returns the name to write in JSON.
    pub fn json_name(&self) -> &'static str {
        self.json_names.first().copied().unwrap_or(self.name)
    }

    /// Whether this is one of its names in JSON.
    pub fn is_called(&self, name: &str) -> bool {
        self.json_names.contains(&name)
    }

    /// Whether the field is `repeated`.
    pub fn is_list(&self) -> bool {
        matches!(self.shape, FieldShape::List)
    }
}

/// Returns a path in JSON, such as `task.triggers[0].expireTime`, with the names of the `.proto` files. What the types do
/// not have keeps its name.
pub(crate) fn proto_path(path: &str, mut fields: &[Field]) -> String {
    let mut named = String::new();
    let mut rest = path;
    while !rest.is_empty() {
        let (name, after) = rest.split_at(rest.find(['.', '[']).unwrap_or(rest.len()));
        let field = fields.iter().find(|field| field.is_called(name));
        named.push_str(field.map_or(name, |field| field.name));
        let (keys, after) = after.split_at(end_of_keys(after));
        named.push_str(keys);
        fields = match field.map(|field| field.kind) {
            Some(FieldKind::Message(inner)) => inner().fields().unwrap_or_default(),
            _ => &[],
        };
        rest = after;
        if let Some(inside) = after.strip_prefix('.') {
            named.push('.');
            rest = inside;
        }
    }
    named
}

/// Returns the length of the indexes and keys in brackets at the start of a path.
fn end_of_keys(path: &str) -> usize {
    let mut rest = path;
    while let Some(key) = rest.strip_prefix('[') {
        let end = if key.starts_with('"') { "\"]" } else { "]" };
        rest = key.split_once(end).map_or("", |(_, rest)| rest);
    }
    path.len() - rest.len()
}

/// How many values a field has.
#[derive(Clone, Copy, Debug)]
pub enum FieldShape {
    /// One.
    Single,
    /// A list.
    List,
    /// A map.
    Map(FieldKey),
}

/// The encoding of a map key.
#[derive(Clone, Copy, Debug)]
pub enum FieldKey {
    /// `string`.
    Text,
    /// `bool`.
    Bool,
    /// `int32` and `int64`.
    Signed,
    /// `uint32` and `uint64`.
    Unsigned,
    /// `sint32` and `sint64`.
    ZigZag,
    /// `sfixed32` and `sfixed64`.
    SignedFixed,
    /// `fixed32` and `fixed64`.
    Fixed,
}

/// What a value is.
#[derive(Clone, Copy, Debug)]
pub enum FieldKind {
    /// `true` or `false`.
    Bool,
    /// A string.
    Text,
    /// A number or bytes: JSON strings are accepted for both.
    Scalar,
    /// An enum, with the number of each name. Several names may share a number.
    Enum(&'static [(&'static str, i32)]),
    /// A message.
    Message(fn() -> MessageType),
}

/// The form of a message's JSON.
#[derive(Clone, Copy, Debug)]
pub enum JsonForm {
    /// An object of its fields.
    Object {
        /// The full name of the type.
        name: &'static str,
        /// The fields, by their numbers.
        fields: &'static [Field],
    },
    /// An object without fields, which an `Any` may also contain in the member `value`:
    /// `google.protobuf.Empty`.
    Empty,
    /// The object of another message, with its type: `google.protobuf.Any`.
    Any,
    /// A form of its own, which does not show the fields 1 to `last_field`.
    WellKnown {
        /// The highest field number.
        last_field: u32,
        /// Its form in a path or query; `None` if it has none.
        parameter: Option<Parameter>,
    },
    /// Unknown: whatever its serde implementations do, which the build script did not generate.
    Opaque,
}

/// The form of a value in a path or query.
#[derive(Clone, Copy, Debug)]
pub enum Parameter {
    /// `true` or `false`.
    Bool,
    /// The text of a JSON string.
    Text,
}

/// The binary and JSON form of a message type. It knows the type by functions, so that only these few are compiled
/// for each type.
#[derive(Clone, Copy, Debug)]
pub struct MessageType {
    /// What its JSON is.
    pub(crate) form: JsonForm,
    /// Encodes a message from its JSON.
    pub(crate) read: fn(&mut Parser<'_>) -> Result<Vec<u8>>,
    /// Encodes a message from the remaining members of its JSON object.
    pub(crate) read_members: fn(&mut Object<'_, '_>) -> Result<Vec<u8>>,
    /// Writes an encoded message.
    pub(crate) write: Write,
    /// Writes the members of an encoded message.
    pub(crate) write_members: Write,
    /// Encodes the message anew.
    pub(crate) normalize: fn(&Bytes) -> std::result::Result<Vec<u8>, DecodeError>,
}

/// Writes an encoded message. Its fields of `bytes` share the buffer, and decoding from one type of buffer compiles
/// each message once.
pub(crate) type Write = fn(&Bytes, &mut Compact) -> Result<()>;

impl MessageType {
    /// Returns its fields if its JSON is an object of them.
    pub fn fields(&self) -> Option<&'static [Field]> {
        match self.form {
            JsonForm::Object { fields, .. } => Some(fields),
            JsonForm::Empty => Some(&[]),
            JsonForm::Any | JsonForm::WellKnown { .. } | JsonForm::Opaque => None,
        }
    }

    /// Writes the object of an encoded message in an `Any`, with the `@type` at its start if it is given.
    pub(crate) fn write_in_any(
        &self,
        type_url: Option<&str>,
        message: &Bytes,
        json: &mut Compact,
    ) -> Result<()> {
        json.object(|json| {
            if let Some(type_url) = type_url {
                json.field(TYPE);
                json.string(type_url);
            }
            if self.last_field().is_none() {
                return (self.write_members)(message, json);
            }
            json.field("value");
            (self.write)(message, json).map_err(|error| path::at_field("value", &error))
        })
    }

    /// Returns the highest field number if its JSON does not show its fields.
    pub fn last_field(&self) -> Option<u32> {
        match self.form {
            JsonForm::Any => Some(2),
            JsonForm::WellKnown { last_field, .. } => Some(last_field),
            JsonForm::Object { .. } | JsonForm::Empty | JsonForm::Opaque => None,
        }
    }
}

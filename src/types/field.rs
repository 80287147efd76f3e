//! The fields of a message, for those who have its bytes and names of its JSON side by side.

use super::JsonMessage;

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Its names in JSON, in all spellings that are read.
    pub names: &'static [&'static str],
    /// The oneof that it is in, by the smallest number of its fields.
    pub oneof: Option<u32>,
    /// How many values it has.
    pub shape: FieldShape,
    /// What each of its values is.
    pub kind: FieldKind,
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

/// How the key of a map is encoded.
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
    /// A number, a text or bytes.
    Scalar,
    /// An enum, with the number of each name.
    Enum(fn(&str) -> Option<i32>),
    /// A message.
    Message(fn() -> MessageType),
}

/// A message type, as far as its bytes and its JSON go.
#[derive(Clone, Copy, Debug)]
pub struct MessageType {
    /// Its fields, if its JSON is an object of them.
    pub fields: Option<&'static [Field]>,
    /// The highest number of a field, if its JSON is not an object of them.
    pub last_field: Option<u32>,
    /// Reads the text of its JSON object. What the type does not have is kept in the bytes.
    pub read: fn(&str) -> Result<Vec<u8>, serde_json::Error>,
}

/// The type of a message.
pub fn message_type<M: JsonMessage>() -> MessageType {
    MessageType {
        fields: M::fields(),
        last_field: M::LAST_FIELD,
        read: crate::wkt::read_object::<M>,
    }
}

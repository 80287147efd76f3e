//! What the `.proto` files say of a message's fields: one table for its JSON, its bytes, and for paths and
//! queries that set its fields.

/// A field of a message.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its number.
    pub number: u32,
    /// Its name in the `.proto` file.
    pub name: &'static str,
    /// Its names in JSON: first the one that is written, then the other spellings that are read.
    pub json_names: &'static [&'static str],
    /// The oneof that it is in, by the smallest number of its fields.
    pub oneof: Option<u32>,
    /// How many values it has.
    pub shape: FieldShape,
    /// What each of its values is.
    pub kind: FieldKind,
}

impl Field {
    /// The name that is written in JSON.
    pub fn json_name(&self) -> &'static str {
        self.json_names.first().copied().unwrap_or(self.name)
    }

    /// Whether this is one of its names in JSON.
    pub fn is_called(&self, name: &str) -> bool {
        self.json_names.contains(&name)
    }

    /// Whether it is `repeated`.
    pub fn is_list(&self) -> bool {
        matches!(self.shape, FieldShape::List)
    }
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
    /// `true` or `false`.
    Bool,
    /// A number, a string or bytes: all of them can be read from a JSON string.
    Scalar,
    /// An enum, with the number of each name. One number may have several names.
    Enum(&'static [(&'static str, i32)]),
    /// A message.
    Message(fn() -> MessageType),
}

/// What the JSON of a message is.
#[derive(Clone, Copy, Debug)]
pub enum JsonForm {
    /// An object of its fields.
    Object {
        /// The full name of the type.
        name: &'static str,
        /// The fields, by their numbers.
        fields: &'static [Field],
    },
    /// An object without fields, which an `Any` may also hold in the member `value`:
    /// `google.protobuf.Empty`.
    Empty,
    /// The object of another message, with its type: `google.protobuf.Any`.
    Any,
    /// A form of its own. The fields, which the JSON does not show, count from 1 to `last_field`.
    WellKnown {
        /// The highest number of a field.
        last_field: u32,
        /// What stands for it in a path or a query; `None` if nothing can.
        parameter: Option<Parameter>,
    },
    /// Whatever its implementations of serde's traits, which the build script did not make, say.
    Opaque,
}

/// What a value is in a path or a query.
#[derive(Clone, Copy, Debug)]
pub enum Parameter {
    /// `true` or `false`.
    Bool,
    /// The text of a JSON string.
    Text,
}

/// A message type, as far as its bytes and its JSON go.
#[derive(Clone, Copy, Debug)]
pub struct MessageType {
    /// What its JSON is.
    pub form: JsonForm,
    /// Reads the text of its JSON object. What the type does not have is kept in the bytes.
    pub read: fn(&str) -> Result<Vec<u8>, serde_json::Error>,
}

impl MessageType {
    /// Its fields, if its JSON is an object of them.
    pub fn fields(&self) -> Option<&'static [Field]> {
        match self.form {
            JsonForm::Object { fields, .. } => Some(fields),
            JsonForm::Empty => Some(&[]),
            JsonForm::Any | JsonForm::WellKnown { .. } | JsonForm::Opaque => None,
        }
    }

    /// The highest number of a field, if its JSON does not show its fields.
    pub fn last_field(&self) -> Option<u32> {
        match self.form {
            JsonForm::Any => Some(2),
            JsonForm::WellKnown { last_field, .. } => Some(last_field),
            JsonForm::Object { .. } | JsonForm::Empty | JsonForm::Opaque => None,
        }
    }
}

//! What values are sorted by.

use prost_reflect::{FieldDescriptor, Kind};
use serde_json::Value;

/// A value as `--sort` compares it: by the kind of its field, not by its text. What is not set comes first.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum SortKey {
    Unset,
    Bool(bool),
    /// A whole number, or that of an enum's value, whose names are in no order.
    Integer(i128),
    /// The bits of a floating-point number, arranged so that they compare as the numbers do.
    Float(i64),
    Time(jiff::Timestamp),
    /// In lower case.
    Text(String),
    List(Vec<Self>),
}

impl SortKey {
    /// Returns the key of a field's value; without a field, that of a value inside an `Any`.
    pub fn of(field: Option<&FieldDescriptor>, value: Option<&Value>) -> Self {
        match value {
            None | Some(Value::Null) => Self::Unset,
            Some(Value::Array(elements)) => {
                Self::List(elements.iter().map(|element| Self::one(field, element)).collect())
            }
            Some(value) => Self::one(field, value),
        }
    }

    fn one(field: Option<&FieldDescriptor>, value: &Value) -> Self {
        let text = match value {
            Value::Bool(flag) => return Self::Bool(*flag),
            Value::String(text) => text.clone(),
            value => value.to_string(),
        };
        let known = match field.map(FieldDescriptor::kind) {
            // ProtoJSON writes 64-bit numbers as text.
            None => whole(&text).or_else(|| value.as_f64().map(float)),
            Some(Kind::Enum(values)) => match values.get_value_by_name(&text) {
                Some(value) => Some(Self::Integer(value.number().into())),
                None => whole(&text),
            },
            Some(Kind::Float | Kind::Double) => text.parse().ok().map(float),
            Some(Kind::String | Kind::Bytes) => None,
            Some(Kind::Message(message)) => match message.full_name() {
                "google.protobuf.Timestamp" => text.parse().ok().map(Self::Time),
                "google.protobuf.Duration" => {
                    text.strip_suffix('s').and_then(|seconds| seconds.parse().ok()).map(float)
                }
                name if name.starts_with("google.protobuf.") => value.as_f64().map(float),
                _ => None,
            },
            Some(_) => whole(&text),
        };
        known.unwrap_or_else(|| Self::Text(text.to_lowercase()))
    }
}

fn whole(text: &str) -> Option<SortKey> {
    text.parse().ok().map(SortKey::Integer)
}

/// As in [`f64::total_cmp`].
fn float(number: f64) -> SortKey {
    let bits = number.to_bits().cast_signed();
    SortKey::Float(bits ^ ((bits >> 63).cast_unsigned() >> 1).cast_signed())
}

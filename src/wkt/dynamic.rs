//! `google.protobuf.Struct`, `Value` and `ListValue`: JSON as messages.
//!
//! These types are the crate's own because `pbjson_types` reads `null` as an unset value, accepts duplicate
//! members, and loses numbers if serde_json's feature `arbitrary_precision` is on.

use std::collections::BTreeMap;

use pbjson_types::NullValue;
use prost::Message;
use serde::de::Error as _;
use serde_json::Error;

use self::value::Kind;
use crate::json::codec::{Codec, Msg, Text};
use crate::json::collections::{Map, Repeated};
use crate::json::compact::Compact;
use crate::json::context;
use crate::json::message::JsonMessage;
use crate::json::number::{finite, out_of_range};
use crate::json::numbers::Float;
use crate::json::parser::Parser;
use crate::json::schema::JsonForm;

/// A JSON object.
#[derive(Clone, PartialEq, Message)]
pub struct Struct {
    /// The members.
    #[prost(btree_map = "string, message", tag = "1")]
    pub fields: BTreeMap<String, Value>,
}

/// A JSON value. If `kind` is unset, it has no JSON form, see
/// [`protojson`](crate::protojson#what-has-no-json-form).
#[derive(Clone, PartialEq, Message)]
pub struct Value {
    /// The value.
    #[prost(oneof = "Kind", tags = "1, 2, 3, 4, 5, 6")]
    pub kind: Option<Kind>,
}

/// A JSON list.
#[derive(Clone, PartialEq, Message)]
pub struct ListValue {
    /// The elements.
    #[prost(message, repeated, tag = "1")]
    pub values: Vec<Value>,
}

/// The kinds of [`Value`].
pub mod value {
    use super::{ListValue, NullValue, Struct};

    /// The kind of a [`Value`](super::Value).
    #[derive(Clone, PartialEq, prost::Oneof)]
    pub enum Kind {
        /// `null`.
        #[prost(enumeration = "NullValue", tag = "1")]
        NullValue(i32),
        /// A number. NaN and the infinities have no JSON form here; they are written as the strings `"NaN"`,
        /// `"Infinity"` and `"-Infinity"` unless the writer is strict.
        #[prost(double, tag = "2")]
        NumberValue(f64),
        /// A string.
        #[prost(string, tag = "3")]
        StringValue(String),
        /// `true` or `false`.
        #[prost(bool, tag = "4")]
        BoolValue(bool),
        /// An object.
        #[prost(message, tag = "5")]
        StructValue(Struct),
        /// A list.
        #[prost(message, tag = "6")]
        ListValue(ListValue),
    }
}

well_known_names! { ListValue Struct Value }

macro_rules! kinds {
    ($($from:ty, $value:ident => $kind:expr;)*) => {$(
        impl From<$from> for Value {
            fn from($value: $from) -> Self {
                Self { kind: Some($kind) }
            }
        }
    )*};
}

kinds! {
    (), _null => Kind::NullValue(NullValue::NullValue.into());
    bool, value => Kind::BoolValue(value);
    f64, value => Kind::NumberValue(value);
    &str, value => Kind::StringValue(value.to_owned());
    String, value => Kind::StringValue(value);
    Struct, value => Kind::StructValue(value);
    ListValue, value => Kind::ListValue(value);
}

/// The problem of a value without a kind.
pub(super) const WITHOUT_KIND: &str = "a google.protobuf.Value has no kind";

/// The problem of NaN and the infinities.
pub(super) fn not_a_number(value: f64) -> String {
    format!("{value} is not a number that google.protobuf.Value can be")
}

impl JsonMessage for Value {
    const FORM: JsonForm = JsonForm::WellKnown { last_field: 6, parameter: None };

    fn null() -> Option<Self> {
        Some(().into())
    }

    fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
        match &self.kind {
            None if context::writes_strictly() => {
                return Err(Error::custom(WITHOUT_KIND));
            }
            None | Some(Kind::NullValue(_)) => json.null(),
            Some(Kind::NumberValue(value)) if !value.is_finite() && context::writes_strictly() => {
                return Err(Error::custom(not_a_number(*value)));
            }
            Some(Kind::NumberValue(value)) => Float::write(value, json)?,
            Some(Kind::StringValue(value)) => json.string(value),
            Some(Kind::BoolValue(value)) => json.bool(*value),
            Some(Kind::StructValue(value)) => value.write_json(json)?,
            Some(Kind::ListValue(value)) => value.write_json(json)?,
        }
        Ok(())
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
        *self = match parser.peek() {
            Some(b'{') => nested::<Struct>(parser)?.into(),
            Some(b'[') => nested::<ListValue>(parser)?.into(),
            Some(b'"') => parser.string(&"a string")?.into_owned().into(),
            Some(b't' | b'f') => parser.bool()?.into(),
            Some(b'-' | b'0'..=b'9') => {
                let text = parser.number()?;
                finite(text).ok_or_else(|| Error::custom(out_of_range(text)))?.into()
            }
            // `null`, or no JSON.
            _ => {
                parser.value()?;
                ().into()
            }
        };
        Ok(())
    }
}

/// Reads a message inside a value.
fn nested<M: JsonMessage>(parser: &mut Parser<'_>) -> Result<M, Error> {
    let mut message = M::default();
    Msg::read(parser, &mut message)?;
    Ok(message)
}

impl JsonMessage for Struct {
    const FORM: JsonForm = JsonForm::WellKnown { last_field: 1, parameter: None };

    fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
        Map::<Text, Msg<Value>>::write(&self.fields, json)
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
        Map::<Text, Msg<Value>>::read(parser, &mut self.fields)
    }
}

impl JsonMessage for ListValue {
    const FORM: JsonForm = JsonForm::WellKnown { last_field: 1, parameter: None };

    fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
        Repeated::<Msg<Value>>::write(&self.values, json)
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
        Repeated::<Msg<Value>>::read(parser, &mut self.values)
    }
}

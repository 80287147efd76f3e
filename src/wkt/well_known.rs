//! Types with a JSON form of their own.

use serde_json::Error;

use crate::json::compact::Compact;
use crate::json::message::JsonMessage;
use crate::json::parser::Parser;
use crate::json::schema::{JsonForm, Parameter};

/// A type with a JSON form of its own.
pub(super) trait WellKnown: Sized {
    /// Writes the value.
    fn write(&self, json: &mut Compact) -> Result<(), Error>;

    /// Reads a value.
    fn read(parser: &mut Parser<'_>) -> Result<Self, Error>;
}

macro_rules! well_known {
    ($($form:expr => $($type:ident)*;)*) => {$($(
        impl JsonMessage for super::$type {
            const FORM: JsonForm = $form;

            fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
                self.write(json)
            }

            fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
                *self = Self::read(parser)?;
                Ok(())
            }
        }
    )*)*};
}

well_known! {
    JsonForm::Any => Any;
    JsonForm::WellKnown { last_field: 1, parameter: Some(Parameter::Bool) } => BoolValue;
    JsonForm::WellKnown { last_field: 1, parameter: Some(Parameter::Text) } =>
        BytesValue DoubleValue FieldMask FloatValue Int32Value Int64Value StringValue UInt32Value
        UInt64Value;
    JsonForm::WellKnown { last_field: 1, parameter: None } => ListValue Struct;
    JsonForm::WellKnown { last_field: 2, parameter: Some(Parameter::Text) } => Duration Timestamp;
    JsonForm::WellKnown { last_field: 6, parameter: None } => Value;
}

//! All message types of the crate, by name.
//!
//! `build.rs` generates the list from the descriptors, so no registration is needed.

use crate::json::message::{JsonMessage, TypeVisitor};
use crate::json::schema::{JsonForm, Parameter};

macro_rules! well_known {
    ($($last_field:literal $parameter:expr => $($type:ident)*;)*) => {$($(
        impl JsonMessage for super::$type {
            const FORM: JsonForm =
                JsonForm::WellKnown { last_field: $last_field, parameter: $parameter };
        }
    )*)*};
}

well_known! {
    1 Some(Parameter::Bool) => BoolValue;
    1 Some(Parameter::Text) => BytesValue DoubleValue FieldMask FloatValue Int32Value Int64Value
        StringValue UInt32Value UInt64Value;
    1 None => ListValue Struct;
    2 Some(Parameter::Text) => Duration Timestamp;
    6 None => Value;
}

impl JsonMessage for super::Empty {
    const FORM: JsonForm = JsonForm::Empty;
}

include!(concat!(env!("OUT_DIR"), "/types.rs"));

//! `google.protobuf.*Value`: scalars as messages. Their JSON is that of the scalar.

use bytes::Bytes;
use prost::Message;
use serde_json::Error;

use crate::json::base64::Base64;
use crate::json::codec::{Bool, Codec, Text};
use crate::json::compact::Compact;
use crate::json::message::JsonMessage;
use crate::json::numbers::{Float, Int, Long};
use crate::json::parser::Parser;
use crate::json::schema::{JsonForm, Parameter};

macro_rules! wrappers {
    ($($(#[$derive:meta])* $name:ident ($($kind:tt)*) $type:ty, $codec:ty, $parameter:ident;)*) => {$(
        #[doc = concat!("`google.protobuf.", stringify!($name), "`.")]
        #[derive(Clone, PartialEq, Message)]
        $(#[$derive])*
        pub struct $name {
            /// The scalar.
            #[prost($($kind)*, tag = "1")]
            pub value: $type,
        }

        well_known_names! { $name }

        impl JsonMessage for $name {
            const FORM: JsonForm = JsonForm::WellKnown { last_field: 1, parameter: Some(Parameter::$parameter) };

            fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
                <$codec>::write(&self.value, json)
            }

            fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
                <$codec>::read(parser, &mut self.value)
            }
        }
    )*};
}

wrappers! {
    #[derive(Copy, Eq, Hash)] BoolValue (bool) bool, Bool, Bool;
    #[derive(Eq, Hash)] BytesValue (bytes = "bytes") Bytes, Base64, Text;
    #[derive(Copy)] DoubleValue (double) f64, Float<f64>, Text;
    #[derive(Copy)] FloatValue (float) f32, Float<f32>, Text;
    #[derive(Copy, Eq, Hash)] Int32Value (int32) i32, Int<i32>, Text;
    #[derive(Copy, Eq, Hash)] Int64Value (int64) i64, Long<i64>, Text;
    #[derive(Eq, Hash)] StringValue (string) String, Text, Text;
    #[derive(Copy, Eq, Hash)] UInt32Value (uint32) u32, Int<u32>, Text;
    #[derive(Copy, Eq, Hash)] UInt64Value (uint64) u64, Long<u64>, Text;
}

//! `google.protobuf.*Value`: scalars as messages. Their JSON is that of the scalar.

use bytes::Bytes;
use prost::Message;
use serde_json::Error;

use super::well_known::WellKnown;
use crate::json::base64::Base64;
use crate::json::codec::{Bool, Codec, Text};
use crate::json::compact::Compact;
use crate::json::numbers::{Float, Int, Long};
use crate::json::parser::Parser;

macro_rules! wrappers {
    ($($(#[$derive:meta])* $name:ident ($($kind:tt)*) $type:ty, $codec:ty;)*) => {$(
        #[doc = concat!("`google.protobuf.", stringify!($name), "`.")]
        #[derive(Clone, PartialEq, Message)]
        $(#[$derive])*
        pub struct $name {
            /// The scalar.
            #[prost($($kind)*, tag = "1")]
            pub value: $type,
        }

        well_known_names! { $name }

        impl WellKnown for $name {
            fn write(&self, json: &mut Compact) -> Result<(), Error> {
                <$codec>::write(&self.value, json)
            }

            fn read(parser: &mut Parser<'_>) -> Result<Self, Error> {
                let mut wrapper = Self::default();
                <$codec>::read(parser, &mut wrapper.value)?;
                Ok(wrapper)
            }
        }
    )*};
}

wrappers! {
    #[derive(Copy, Eq, Hash)] BoolValue (bool) bool, Bool;
    #[derive(Eq, Hash)] BytesValue (bytes = "bytes") Bytes, Base64;
    #[derive(Copy)] DoubleValue (double) f64, Float<f64>;
    #[derive(Copy)] FloatValue (float) f32, Float<f32>;
    #[derive(Copy, Eq, Hash)] Int32Value (int32) i32, Int<i32>;
    #[derive(Copy, Eq, Hash)] Int64Value (int64) i64, Long<i64>;
    #[derive(Eq, Hash)] StringValue (string) String, Text;
    #[derive(Copy, Eq, Hash)] UInt32Value (uint32) u32, Int<u32>;
    #[derive(Copy, Eq, Hash)] UInt64Value (uint64) u64, Long<u64>;
}

//! `google.protobuf.*Value`: scalars as messages. Their JSON is that of the scalar.

use bytes::Bytes;
use prost::Message;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::json::base64::Base64;
use crate::json::codec::{Bool, Codec, Text};
use crate::json::number::{Float, Int, Long};

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

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                <$codec>::write(&self.value, serializer)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                <$codec>::read(deserializer).map(|value| Self { value })
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

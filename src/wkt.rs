//! The well-known types: `google.protobuf.*` with their ProtoJSON forms.
//!
//! [`Any`] contains a message of any type; [`TypeRegistry`] defines which types are known. `pbjson_types`
//! provides the other types, where it agrees with the ProtoJSON specification.

/// The names of well-known types, and their JSON in any format.
macro_rules! well_known_names {
    ($($name:ident)*) => {$(
        impl prost::Name for $name {
            const NAME: &'static str = stringify!($name);
            const PACKAGE: &'static str = "google.protobuf";

            fn type_url() -> String {
                format!("type.googleapis.com/{}", Self::full_name())
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                crate::json::formats::serialize(self, serializer)
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(
                deserializer: D,
            ) -> Result<Self, D::Error> {
                crate::json::formats::deserialize(deserializer)
            }
        }
    )*};
}

mod any;
mod any_read;
mod any_write;
#[cfg(feature = "chrono")]
mod chrono;
mod duration;
mod dynamic;
mod empty;
mod field_mask;
#[cfg(feature = "jiff")]
mod jiff;
mod merge;
mod plain;
#[cfg(feature = "_connections")]
pub(crate) mod preserving;
mod registry;
mod serde_value;
mod settle;
mod timestamp;
pub(crate) mod types;
mod unpack;
mod wrappers;

pub use any::{Any, UnpackError};
pub use duration::{Duration, ParseDurationError};
pub use dynamic::{ListValue, Struct, Value, value};
pub use empty::Empty;
pub use field_mask::FieldMask;
pub use registry::{Registered, TypeRegistry};
pub use timestamp::{ParseTimestampError, Timestamp};
pub use wrappers::{
    BoolValue, BytesValue, DoubleValue, FloatValue, Int32Value, Int64Value, StringValue,
    UInt32Value, UInt64Value,
};

#[doc(no_inline)]
pub use pbjson_types::NullValue;

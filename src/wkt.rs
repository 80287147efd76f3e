//! The well-known types: `google.protobuf.*` with their ProtoJSON forms.
//!
//! [`Any`] carries a message of any type; [`TypeRegistry`] says which types are known.
//! `pbjson_types` has the rest, as far as it agrees with the ProtoJSON specification.

mod any;
mod any_read;
mod any_write;
mod duration;
mod dynamic;
mod empty;
mod field_mask;
mod merge;
mod plain;
mod registry;
mod settle;
mod timestamp;
pub(crate) mod types;
mod unpack;
mod wrappers;

pub use any::{Any, UnpackError};
pub use duration::Duration;
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

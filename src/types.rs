//! Every message type of the crate, found by its name.
//!
//! `build.rs` makes the list from the descriptors; there is nothing to install or to forget.

mod field;

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use field::{Field, FieldKey, FieldKind, FieldShape, MessageType, message_type};

/// A message with both its forms: binary by prost, JSON by serde.
pub trait JsonMessage: Message + Default + Serialize + DeserializeOwned {
    /// In an `Any` an empty member `value` is no member: `google.protobuf.Empty` alone.
    #[doc(hidden)]
    const MAY_HAVE_VALUE: bool = false;

    /// The fields by number and by name; `None` for a type whose JSON is not an object of its fields,
    /// and for one that was not made by the build script.
    #[doc(hidden)]
    fn fields() -> Option<&'static [Field]> {
        None
    }

    /// The highest number of a field of a type whose JSON is not an object of its fields: they count
    /// from 1 without a gap. `None` for all others.
    #[doc(hidden)]
    const LAST_FIELD: Option<u32> = None;

    /// Clears every field that only the server sets (`OUTPUT_ONLY`, AIP-203), in the messages inside
    /// this one too. What `get` returned becomes what `create` takes.
    ///
    /// ```
    /// use eset_protect::automation::v1::DeviceTask;
    /// use eset_protect::JsonMessage;
    ///
    /// let mut task =
    ///     DeviceTask { uuid: "0b7f".into(), display_name: "Scan".into(), ..Default::default() };
    /// task.clear_output_only();
    /// assert_eq!(task, DeviceTask { display_name: "Scan".into(), ..Default::default() });
    /// ```
    fn clear_output_only(&mut self) {}
}

/// Something to do with a type of which only the name is known.
pub trait TypeVisitor {
    /// The result.
    type Output;

    /// The type is a message whose JSON is an object.
    fn message<M: JsonMessage>(self) -> Self::Output;

    /// The type has a JSON form of its own, which an `Any` holds in the member `value`.
    fn well_known<M: JsonMessage>(self) -> Self::Output;

    /// There is no such type.
    fn unknown(self) -> Self::Output;
}

macro_rules! json_message {
    ($($last_field:literal: $($type:ident)*;)*) => {$($(
        impl JsonMessage for crate::wkt::$type {
            const LAST_FIELD: Option<u32> = Some($last_field);
        }
    )*)*};
}

json_message! {
    1: FieldMask ListValue Struct;
    1: BoolValue BytesValue DoubleValue FloatValue Int32Value Int64Value StringValue UInt32Value
       UInt64Value;
    2: Any Duration Timestamp;
    6: Value;
}

impl JsonMessage for crate::wkt::Empty {
    const MAY_HAVE_VALUE: bool = true;

    fn fields() -> Option<&'static [Field]> {
        Some(&[])
    }
}

include!(concat!(env!("OUT_DIR"), "/types.rs"));

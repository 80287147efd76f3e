//! Every message type of the crate, found by its name.
//!
//! `build.rs` makes the list from the descriptors; there is nothing to install or to forget.

mod field;

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

pub use field::{
    Field, FieldKey, FieldKind, FieldShape, JsonForm, MessageType, Parameter, message_type,
};

/// A message with both its forms: binary by prost, JSON by serde.
pub trait JsonMessage: Message + Default + Serialize + DeserializeOwned {
    /// What its JSON is; not an object of known fields for a type that the build script did not make.
    #[doc(hidden)]
    const FORM: JsonForm = JsonForm::Opaque;

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

macro_rules! well_known {
    ($($last_field:literal $parameter:expr => $($type:ident)*;)*) => {$($(
        impl JsonMessage for crate::wkt::$type {
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

impl JsonMessage for crate::wkt::Any {
    const FORM: JsonForm = JsonForm::Any;
}

impl JsonMessage for crate::wkt::Empty {
    const FORM: JsonForm = JsonForm::Empty;
}

include!(concat!(env!("OUT_DIR"), "/types.rs"));

//! A message with both its forms, as a trait.

use prost::Message;
use serde::de::DeserializeOwned;
use serde::ser::SerializeMap;
use serde::{Deserializer, Serialize, Serializer};

use super::any_members::TYPE;
use super::schema::JsonForm;

/// A message with both forms: binary (prost) and JSON (serde).
pub trait JsonMessage: Message + Default + Serialize + DeserializeOwned {
    /// The form of its JSON; opaque for types that the build script did not generate.
    #[doc(hidden)]
    const FORM: JsonForm = JsonForm::Opaque;

    /// The names of the members of its JSON object, in every spelling; `None` if it takes any.
    #[doc(hidden)]
    const MEMBERS: Option<&'static [&'static str]> = None;

    /// Clears all fields that only the server sets (`OUTPUT_ONLY`, AIP-203), in nested messages too. Use it
    /// to turn the result of a `get` into the argument of a `create`.
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

    /// Writes the JSON itself, which `Serialize` does for every format by way of JSON text. Only the crate's own
    /// serializer reaches it. Override it if `Serialize` calls `codegen::serialize`, which calls this.
    #[doc(hidden)]
    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.serialize(serializer)
    }

    /// Reads the JSON itself, which `Deserialize` does for every format by way of JSON text. Only the crate's own
    /// parser reaches it. Override it if `Deserialize` calls `codegen::deserialize`, which calls this.
    #[doc(hidden)]
    fn read_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::deserialize(deserializer)
    }
}

/// A message inside itself.
impl<M: JsonMessage> JsonMessage for Box<M> {
    const FORM: JsonForm = M::FORM;
    const MEMBERS: Option<&'static [&'static str]> = M::MEMBERS;

    fn clear_output_only(&mut self) {
        (**self).clear_output_only();
    }

    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (**self).write_json(serializer)
    }

    fn read_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        M::read_json(deserializer).map(Self::new)
    }
}

/// A message whose JSON is an object of its fields.
pub trait JsonObject: JsonMessage {
    /// Writes the fields.
    fn write_fields<O: SerializeMap>(&self, object: &mut O) -> Result<(), O::Error>;
}

/// A message that is read from its JSON object.
pub trait ReadObject<'de>: Sized {
    /// Reads the object.
    fn read_object<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error>;
}

/// Writes the object of a message, with the type if an `Any` contains it.
pub fn write_object<M: JsonObject, S: Serializer>(
    message: &M,
    type_url: Option<&str>,
    serializer: S,
) -> Result<S::Ok, S::Error> {
    // Of unknown length: formats that would write a struct without names, and could not read it again,
    // then write names or fail at once.
    let mut object = serializer.serialize_map(None)?;
    if let Some(type_url) = type_url {
        object.serialize_entry(TYPE, type_url)?;
    }
    message.write_fields(&mut object)?;
    object.end()
}

/// An operation on a type that is known only by name.
pub trait TypeVisitor {
    /// The result.
    type Output;

    /// Called for a message whose JSON is an object.
    fn message<M: JsonObject>(self) -> Self::Output;

    /// Called for a type with its own JSON form, which an `Any` contains in the member `value`.
    fn well_known<M: JsonMessage>(self) -> Self::Output;

    /// Called if there is no such type.
    fn unknown(self) -> Self::Output;
}

//! A message with both its forms, as a trait.

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema::JsonForm;

/// A message with both forms: binary (prost) and JSON (serde).
pub trait JsonMessage: Message + Default + Serialize + DeserializeOwned {
    /// The form of its JSON; opaque for types that the build script did not generate.
    #[doc(hidden)]
    const FORM: JsonForm = JsonForm::Opaque;

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
}

/// An operation on a type that is known only by name.
pub trait TypeVisitor {
    /// The result.
    type Output;

    /// Called for a message whose JSON is an object.
    fn message<M: JsonMessage>(self) -> Self::Output;

    /// Called for a type with its own JSON form, which an `Any` contains in the member `value`.
    fn well_known<M: JsonMessage>(self) -> Self::Output;

    /// Called if there is no such type.
    fn unknown(self) -> Self::Output;
}

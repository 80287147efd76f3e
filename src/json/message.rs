//! A message with both its forms, as a trait.

use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::schema::JsonForm;

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

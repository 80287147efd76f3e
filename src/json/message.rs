//! A message with both its forms, as a trait.

use bytes::Bytes;
use prost::Message;
use serde::Serialize;
use serde::de::{DeserializeOwned, Error as _};
use serde_json::{Error, Result};

use super::any_members::{TYPE, TYPE_TWICE};
use super::compact::Compact;
use super::members::Members;
use super::parser::{Object, Parser};
use super::schema::{JsonForm, MessageType};

/// A message with both forms: binary (prost) and JSON (serde).
pub trait JsonMessage: Message + Default + Serialize + DeserializeOwned {
    /// The form of its JSON; opaque for types that the build script did not generate.
    #[doc(hidden)]
    const FORM: JsonForm = JsonForm::Opaque;

    /// The names of the members of its JSON object, in every spelling; `None` if it takes any.
    #[doc(hidden)]
    const MEMBERS: Option<&'static [&'static str]> = None;

    /// Returns the message that `null` means, if it is one: that of `google.protobuf.Value`.
    #[doc(hidden)]
    fn null() -> Option<Self> {
        None
    }

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

    /// Writes the JSON itself, which `Serialize` does for every format by way of JSON text. Override it if `Serialize`
    /// calls `codegen::serialize`, which calls this.
    #[doc(hidden)]
    fn write_json(&self, json: &mut Compact) -> Result<()> {
        match Self::FORM {
            JsonForm::Object { .. } | JsonForm::Empty => {
                json.object(|json| self.write_members(json))
            }
            _ => json.foreign(self),
        }
    }

    /// Reads the JSON itself into a message that has its default, which `Deserialize` does for every format by way of JSON
    /// text. Override it if `Deserialize` calls `codegen::deserialize`, which calls this.
    #[doc(hidden)]
    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<()> {
        match Self::FORM {
            JsonForm::Object { name, .. } => parser
                .object(&format_args!("an object, the JSON of {name}"), |object| {
                    self.read_members(object)
                }),
            JsonForm::Empty => {
                parser.object(&"an empty object", |object| self.read_members(object))
            }
            _ => {
                *self = parser.foreign()?;
                Ok(())
            }
        }
    }

    /// Writes the members of its object. The JSON of a type that the build script did not generate must be an object.
    #[doc(hidden)]
    fn write_members(&self, json: &mut Compact) -> Result<()> {
        let members = Members::parse_own(&serde_json::to_string(self)?)?;
        if members.contains(TYPE) {
            return Err(Error::custom(TYPE_TWICE));
        }
        members.write(json);
        Ok(())
    }

    /// Reads the remaining members of its object into a message that has its default. Only messages whose `FORM` is an
    /// object have this.
    #[doc(hidden)]
    fn read_members(&mut self, _: &mut Object<'_, '_>) -> Result<()> {
        Err(Error::custom("the members of this type cannot be read one by one"))
    }
}

/// A message inside itself.
impl<M: JsonMessage> JsonMessage for Box<M> {
    const FORM: JsonForm = M::FORM;
    const MEMBERS: Option<&'static [&'static str]> = M::MEMBERS;

    fn clear_output_only(&mut self) {
        (**self).clear_output_only();
    }

    fn write_json(&self, json: &mut Compact) -> Result<()> {
        (**self).write_json(json)
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<()> {
        (**self).read_json(parser)
    }
}

/// Writes the fields of a message.
pub trait WriteFields {
    /// Writes the fields that are set.
    fn write_fields(&self, json: &mut Compact) -> Result<()>;
}

/// Returns the type of a message.
pub const fn message_type<M: JsonMessage>() -> MessageType {
    MessageType {
        form: M::FORM,
        read: |parser| encode::<M>(|message| message.read_json(parser)),
        read_members: |object| encode::<M>(|message| message.read_members(object)),
        write: |bytes, json| decode::<M>(bytes)?.write_json(json),
        write_members: |bytes, json| decode::<M>(bytes)?.write_members(json),
        normalize: |bytes| M::decode(bytes.clone()).map(|message| message.encode_to_vec()),
    }
}

fn encode<M: JsonMessage>(read: impl FnOnce(&mut M) -> Result<()>) -> Result<Vec<u8>> {
    let mut message = M::default();
    read(&mut message)?;
    Ok(message.encode_to_vec())
}

fn decode<M: JsonMessage>(bytes: &Bytes) -> Result<M> {
    M::decode(bytes.clone()).map_err(Error::custom)
}

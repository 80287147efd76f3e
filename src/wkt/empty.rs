//! `google.protobuf.Empty`: a message without fields; in JSON, an empty object.

use prost::Message;
use serde_json::Error;

use crate::json::compact::Compact;
use crate::json::message::JsonMessage;
use crate::json::parser::Object;
use crate::json::schema::JsonForm;
use crate::json::unknown::skip_member;

/// A message without fields. In JSON `{}`; in an [`Any`](super::Any) only `@type`. Some implementations write
/// `"value": {}` there, which is accepted too.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Message)]
pub struct Empty {}

well_known_names! { Empty }

impl JsonMessage for Empty {
    const FORM: JsonForm = JsonForm::Empty;

    fn write_members(&self, _: &mut Compact) -> Result<(), Error> {
        Ok(())
    }

    fn read_members(&mut self, object: &mut Object<'_, '_>) -> Result<(), Error> {
        while let Some(name) = object.next_name()? {
            skip_member(object, &name)?;
        }
        Ok(())
    }
}

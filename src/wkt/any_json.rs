//! The JSON form of an `Any`.

use serde_json::Error;

use super::any::Any;
use super::{any_read, any_write};
use crate::json::compact::Compact;
use crate::json::message::JsonMessage;
use crate::json::parser::Parser;
use crate::json::schema::JsonForm;

impl JsonMessage for Any {
    const FORM: JsonForm = JsonForm::Any;

    fn write_json(&self, json: &mut Compact) -> Result<(), Error> {
        any_write::write(self, json)
    }

    fn read_json(&mut self, parser: &mut Parser<'_>) -> Result<(), Error> {
        *self = any_read::read(parser)?;
        Ok(())
    }
}

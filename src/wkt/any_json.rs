//! The JSON form of an `Any`.

use serde_json::Error;

use super::any::Any;
use super::well_known::WellKnown;
use super::{any_read, any_write};
use crate::json::compact::Compact;
use crate::json::parser::Parser;

impl WellKnown for Any {
    fn write(&self, json: &mut Compact) -> Result<(), Error> {
        any_write::write(self, json)
    }

    fn read(parser: &mut Parser<'_>) -> Result<Self, Error> {
        any_read::read(parser)
    }
}

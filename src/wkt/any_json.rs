//! The JSON form of an `Any`.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

use super::any::Any;
use super::{any_read, any_write};
use crate::json::formats;
use crate::json::message::JsonMessage;
use crate::json::schema::JsonForm;

impl JsonMessage for Any {
    const FORM: JsonForm = JsonForm::Any;

    fn write_json<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        any_write::write(self, serializer)
    }

    fn read_json<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        any_read::read(deserializer)
    }
}

impl Serialize for Any {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        formats::serialize(self, serializer)
    }
}

impl<'de> Deserialize<'de> for Any {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        formats::deserialize(deserializer)
    }
}

//! Writes text that is JSON already.

use serde::ser::{Serialize, SerializeStruct, Serializer};

use super::compact::{Compact, RAW_VALUE};

/// Valid JSON text for one of serde_json's serializers or ours. A `RawValue` would be parsed to make it.
pub(super) struct Text<'a>(pub &'a str);

impl Serialize for Text<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if Compact::is::<S>() {
            return serializer.serialize_newtype_struct(RAW_VALUE, self.0);
        }
        let mut raw = serializer.serialize_struct(RAW_VALUE, 1)?;
        raw.serialize_field(RAW_VALUE, self.0)?;
        raw.end()
    }
}

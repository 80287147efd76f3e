//! What generated code calls. Not for people, and not covered by semantic versioning.

pub use crate::client::duration;
pub use crate::protojson::base64::Base64;
pub use crate::protojson::codec::{Bool, Codec, Dynamic, Map, Msg, Null, Repeated, Text};
pub use crate::protojson::context::{buffered, emits_defaults};
pub use crate::protojson::fields::{
    read_map, read_oneof, read_optional, read_repeated, read_singular, write_field,
};
pub use crate::protojson::number::{Float, Int, Long};
pub use crate::protojson::open_enum::{Enumeration, Open};
pub use crate::protojson::unknown::{UnknownName, skip_member};
pub use crate::text::decode as decode_text;
pub use crate::types::{
    Field, FieldKey, FieldKind, FieldShape, JsonForm, JsonMessage, TypeVisitor, message_type,
};

//! Functions for generated code. Not meant to be used directly, and exempt from semantic versioning.

#[cfg(any(feature = "automation", feature = "policy-management"))]
pub use crate::check::near;
pub use crate::client::duration;
#[cfg(feature = "profiles")]
pub use crate::client::{Origin, Profile, Settings, key, names};
pub use crate::error::is_uuid;
pub use crate::json::base64::Base64;
pub use crate::json::codec::{Bool, Codec, Msg, Text};
pub use crate::json::collections::{Map, Repeated};
pub use crate::json::compact::Compact;
pub use crate::json::context::{buffered, emits_defaults};
pub use crate::json::fields::{read_oneof, read_optional, read_singular, write_field};
pub use crate::json::formats::{deserialize, serialize};
pub use crate::json::message::{JsonMessage, WriteFields, message_type};
pub use crate::json::numbers::{Float, Int, Long};
pub use crate::json::open_enum::{Enumeration, Open};
pub use crate::json::parser::{Object, Parser};
pub use crate::json::schema::{Field, FieldKey, FieldKind, FieldShape, JsonForm, MessageType};
pub use crate::json::unknown::skip_member;
pub use crate::text::decode as decode_text;
#[doc(no_inline)]
pub use serde_json::Error;

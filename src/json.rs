//! The machinery of ProtoJSON that all messages share: a codec for each kind of field, the context of
//! reading and writing, JSON whose type is not known, and what carries it in the bytes of a message.
//!
//! [`wkt`](crate::wkt) builds the well-known types on it, [`protojson`](crate::protojson) the readers and
//! writers.

pub(crate) mod any_members;
pub(crate) mod base64;
pub(crate) mod codec;
pub(crate) mod collections;
pub(crate) mod compact;
pub(crate) mod context;
pub(crate) mod depth;
pub(crate) mod embedded;
pub(crate) mod enum_names;
pub(crate) mod escapes;
pub(crate) mod fields;
pub(crate) mod formats;
pub(crate) mod members;
pub(crate) mod message;
pub(crate) mod number;
pub(crate) mod numbers;
pub(crate) mod open_enum;
pub(crate) mod parser;
pub(crate) mod patch;
pub(crate) mod path;
pub(crate) mod preserved;
pub(crate) mod raw;
pub(crate) mod schema;
pub(crate) mod transfer;
pub(crate) mod type_first;
pub(crate) mod unknown;
pub(crate) mod wire;

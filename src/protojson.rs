//! The JSON form of messages, according to the ProtoJSON specification.
//!
//! Every message implements serde's traits, so `serde_json` reads and writes ProtoJSON with default options.
//! [`Reader`] and [`Writer`] have options, and [`Reader`] is faster:
//!
//! ```
//! use eset_protect::automation::v1::DeviceTask;
//! use eset_protect::protojson::Reader;
//!
//! let json = r#"{"displayName": "Scan", "addedByEsetLater": 1}"#;
//! let task: DeviceTask = serde_json::from_str(json)?;
//! assert_eq!(task.display_name, "Scan");
//!
//! let error = Reader::new().strict(true).read::<DeviceTask>(json.as_bytes()).unwrap_err();
//! assert!(error.to_string().starts_with("field `addedByEsetLater`: the message has no such field"));
//! # Ok::<(), serde_json::Error>(())
//! ```
//!
//! # Accepted input
//!
//! Both spellings of a field's name; `null` as the default value; numbers as `1`, `1.0`, `1e0` and `"1"`;
//! both alphabets of base64; enum values by name and by number, which may be quoted and have an exponent
//! (`"1e2"`). Unknown members are ignored unless the reader is strict (inside an [`Any`](crate::wkt::Any) they
//! are kept). A field that appears twice, even in different spellings or as `null`, is an error, and so is a
//! second member of a oneof that is not `null`. Errors contain the path of the
//! field.
//!
//! # Conformance
//!
//! The official conformance suite of protobuf, version 36.2, runs against messages from the crate's own
//! generator: all its binary and JSON tests for proto3, required and recommended, with a strict
//! [`Reader`] unless the suite asks for unknown members to be ignored. Of these 1,503 tests, eight do
//! not pass:
//!
//! * three required ones of the binary form, which is prost's: it does not keep fields that it does not
//!   know, and reads only the lower 32 bits of a longer tag;
//! * five recommended ones of an enum name that the schema does not have: the suite wants a reader that
//!   is not strict to drop the value, and this crate keeps it (see [below](#enum-names)).
//!
//! prost differs from the specification in two more points: -0.0 in a field without presence is lost, since it is
//! taken for the default ([prost#1177](https://github.com/tokio-rs/prost/issues/1177)), and a known field number
//! with another wire type is an error instead of an unknown field.
//!
//! # Enum names
//!
//! ESET may add enum values at any time and calls that compatible ([facts](crate::facts#compatibility)). A
//! number without a name is written as the number. A name without a number is read as a number made from
//! the name ([`unrecognized_enum_number`]), which no other value has: on the gRPC wire, which has only
//! numbers, it is an unrecognized one. When JSON has the name again:
//!
//! | where the enum is | JSON → message → JSON |
//! |---|---|
//! | inside an [`Any`](crate::wkt::Any) | always, also on another machine: the bytes contain the name |
//! | elsewhere | where both are in a scope of one [`TypeRegistry`] that [remembers enum names](TypeRegistry::remember_enum_names), as a client's and a REST front's do; the number otherwise |
//!
//! Nothing is remembered for the process as a whole.
//!
//! # Other formats
//!
//! serde's traits also read and write messages as YAML, CBOR, MessagePack and any other self-describing
//! format, with the same members and strings as in JSON (64-bit integers, bytes and times are strings). The
//! buffers in which serde stores input for `flatten`, `untagged` and tagged enums work too.
//!
//! * Numbers that the schema does not have stay exact to the last digit from JSON text to JSON text with
//!   `serde_json`. Through a buffer or another format they are as exact as that preserves them: 64-bit
//!   integers, and the nearest `f64` for all others; a number beyond that is an error.
//! * Messages go through JSON on the way. Values that JSON does not have, such as NaN or bytes in CBOR, are
//!   errors, also in members that are not known, and values are nested 100 levels deep at most.
//! * Formats that are not self-describing, such as bincode and postcard, cannot represent messages: they
//!   refuse to write an object of unknown length, and the length of a message is never known in advance. They may
//!   write well-known types whose JSON is not an object, but cannot read them. Use the binary form of protobuf
//!   instead (`prost::Message`).
//!
//! # What has no JSON form
//!
//! A value without a JSON form must not break the list that contains it. [`Writer`] therefore writes the
//! closest form, and [`Reader`] reads it back. Strict readers and writers refuse it.
//!
//! | value | written as | read as |
//! |---|---|---|
//! | an [`Any`](crate::wkt::Any) of an unregistered type, with bytes that do not decode, without a type URL, nested too deeply, or whose only unknown member would be mistaken for this form | `{"@type": URL, "@value": base64}` | the same bytes |
//! | an `Any` that came from JSON without `@type`, or with one that does not end with a name | that JSON, without an empty `@type` | the same |
//! | [`Timestamp`](crate::wkt::Timestamp) and [`Duration`](crate::wkt::Duration) out of range | `{"seconds": "…", "nanos": …}` | the same value |
//! | [`FieldMask`](crate::wkt::FieldMask) with paths of anything but names in lower_snake_case and `*` | `{"paths": […]}` | the same paths |
//! | NaN and the infinities in a [`Value`](crate::wkt::Value) | `"NaN"`, `"Infinity"`, `"-Infinity"` | strings |
//! | a [`Value`](crate::wkt::Value) whose `kind` is unset | `null` | the kind `null` |
//!
//! The form with `@value` is that of grpcurl. Requests over REST are written strictly, because ESET treats
//! values that it does not understand as empty.
//!
//! Unknown fields in the bytes of an `Any` are not written; a strict writer refuses them.
//!
//! JSON of the wrong kind, such as a number instead of a string or `null` in a list, is an error even for a
//! lenient reader, as the conformance suite requires. Only in [responses over
//! REST](crate::transcode::Encoded::response) it costs no more than the member.
//!
//! # Limits
//!
//! JSON may be nested 127 levels deep, as for `serde_json`, unknown JSON inside an `Any` 100, and `Any`s inside
//! `Any`s 100. Unknown members outside an `Any` may be nested to any depth, since they are only skipped; a bridge, which
//! keeps them, takes 100 levels. What is nested more deeply is left out of a [response over
//! REST](crate::transcode::Encoded::response). Messages
//! inside messages may be nested 100 levels deep, because prost could not read their binary form otherwise. Entries of
//! maps and values of `google.protobuf.Value` are messages, so a `Struct` may be nested 33 levels deep and a
//! `ListValue` 51.
//!
//! An `Any` whose `@type` comes first is read without buffering. If `@type` comes later, the members before
//! it are buffered, including any `Any`s in them, each byte once. An `Any` of a type with serde
//! implementations of its own is always buffered, at every level of nesting.

use std::borrow::Cow;

use serde::de::Error;

pub use crate::json::open_enum::unrecognized_enum_number;

use crate::json::context::Options;
use crate::json::message::JsonMessage;
use crate::json::{escapes, formats, path};
use crate::wkt::TypeRegistry;

/// Reads messages from JSON, with options.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    strict: bool,
    registry: Option<TypeRegistry>,
}

impl Reader {
    /// Creates a reader with the default options, which are those of `serde_json` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses input that a lenient reader keeps: unknown members and enum names, in `Any`s too; `Any`s of
    /// unregistered types or without `@type`; and the forms in which a [lenient](Writer::strict) [`Writer`]
    /// writes values without a JSON form.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Adds types for `Any`s.
    #[must_use]
    pub fn registry(mut self, registry: TypeRegistry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Reads a message from JSON text, which only white space may follow.
    ///
    /// # Errors
    ///
    /// Fails if the text is not JSON, or not valid JSON for this message; the error says where.
    pub fn read<M: JsonMessage>(&self, json: &[u8]) -> Result<M, serde_json::Error> {
        self.scope(|| read(json))
    }

    /// Calls `run` with these options, which apply to everything that `run` reads, with any deserializer.
    pub fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let options = Options { strict: self.strict, ..Options::default() };
        let _scope = (self.registry.as_ref().map(TypeRegistry::enter), options.apply());
        run()
    }
}

/// Reads with the current options.
pub(crate) fn read<M: JsonMessage>(json: &[u8]) -> Result<M, serde_json::Error> {
    with_text(json, formats::from_str)
}

/// Reads JSON, which must be UTF-8, with a function.
pub(crate) fn with_text<T>(
    json: &[u8],
    read: impl FnOnce(&str) -> Result<T, serde_json::Error>,
) -> Result<T, serde_json::Error> {
    // Validating all of it at once is faster than string by string, as `serde_json::from_slice` does.
    if let Ok(text) = simdutf8::basic::from_utf8(json) {
        return read(text);
    }
    // Something may be wrong before.
    let valid = json.utf8_chunks().next().map_or("", |chunk| chunk.valid());
    let problem = format!("byte {} of the text is not UTF-8", valid.len());
    Err(match read(valid) {
        Ok(_) => serde_json::Error::custom(problem),
        Err(error) => path::instead_of_end(error, &problem),
    })
}

/// Returns JSON in which U+FFFD replaces what is not Unicode; `None` if all of it is.
pub(crate) fn replace_non_unicode(json: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(json);
    escapes::replace_halves(&text).or(match text {
        Cow::Owned(text) => Some(text),
        Cow::Borrowed(_) => None,
    })
}

/// Writes with the current options.
pub(crate) fn write<M: JsonMessage>(message: &M) -> Result<Vec<u8>, serde_json::Error> {
    formats::to_string(message).map(String::into_bytes)
}

/// Writes messages as JSON, with options.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    strict: bool,
    emit_defaults: bool,
    registry: Option<TypeRegistry>,
}

impl Writer {
    /// Creates a writer with the default options, which are those of `serde_json` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Refuses values without a JSON form. A lenient writer writes them as explained
    /// [here](self#what-has-no-json-form), so that they do not break the rest of the message.
    ///
    /// Write strictly if the recipient treats values that it does not understand as empty, as ESET's API
    /// does. Requests over REST are always strict.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Writes fields without presence even if they have their default value, as ESET's responses do
    /// ([facts](crate::facts#json)): `""`, `[]`, `0`, `false` and the first name of an enum.
    #[must_use]
    pub fn emit_defaults(mut self, emit: bool) -> Self {
        self.emit_defaults = emit;
        self
    }

    /// Adds types for `Any`s.
    #[must_use]
    pub fn registry(mut self, registry: TypeRegistry) -> Self {
        self.registry = Some(registry);
        self
    }

    /// Writes a message as JSON text.
    ///
    /// # Errors
    ///
    /// Fails if the writer is [strict](Self::strict) and part of the message has no JSON form, such as an
    /// `Any` of an unregistered type or a timestamp out of range; the error says where.
    pub fn write<M: JsonMessage>(&self, message: &M) -> Result<Vec<u8>, serde_json::Error> {
        self.scope(|| write(message))
    }

    /// Calls `run` with these options, which apply to everything that `run` writes, with any serializer.
    pub fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let options = Options {
            strict_writing: self.strict,
            emit_defaults: self.emit_defaults,
            ..Options::default()
        };
        let _scope = (self.registry.as_ref().map(TypeRegistry::enter), options.apply());
        run()
    }
}

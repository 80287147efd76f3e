//! The JSON form of the messages, by the ProtoJSON specification.
//!
//! Every message implements serde's traits, so `serde_json` alone reads and writes ProtoJSON with the
//! default options. [`Reader`] and [`Writer`] are for other options:
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
//! # What is read
//!
//! Both spellings of a field's name; `null` as a default; numbers as `1`, `1.0`, `1e0` and `"1"`; both
//! alphabets of base64; enum values by name and by number. Members that a message does not have are
//! passed over unless the reader is strict (inside an [`Any`](crate::wkt::Any) they are kept). A field
//! that appears twice, in one spelling or in both, is an error, and so is a second member of a oneof.
//! Errors name the path of the field.
//!
//! # Conformance
//!
//! The official conformance suite of protobuf, version 36.2, runs against messages that the crate's own
//! generator makes: all its binary and JSON tests for proto3, required and recommended, with a strict
//! [`Reader`] where the suite does not ask to pass over what is unknown. Of these 1,503 tests, eight do
//! not pass:
//!
//! * three required ones of the binary form, which is prost's: it does not keep fields that it does not
//!   know, and takes a tag of more than 32 bits for its lower 32 bits;
//! * five recommended ones of an enum name that the schema does not have: the suite wants a reader that
//!   is not strict to drop the value, here it is kept (see [below](#enum-names)).
//!
//! # Enum names
//!
//! ESET adds enum values at any time and calls that compatible ([facts](crate::facts#compatibility)). A
//! number without a name is written as the number. A name without a number is read as a number made from
//! the name ([`unrecognized_enum_number`]), which is no other value's: on the gRPC wire, which has only
//! numbers, it is an unrecognized one. Whether JSON has the name again:
//!
//! | where the enum is | JSON → message → JSON |
//! |---|---|
//! | inside an [`Any`](crate::wkt::Any) | always, also on another machine: the name rides in the bytes |
//! | elsewhere | where both are in a scope of one [`TypeRegistry`] that [remembers enum names](TypeRegistry::remember_enum_names), as a client's and a REST front's do; the number otherwise |
//!
//! Nothing is remembered for the process as a whole.
//!
//! # Other formats
//!
//! Through serde's traits a message is also read from and written to YAML, CBOR, MessagePack and every
//! other format that describes itself, with the same members and strings as in JSON (64-bit integers,
//! bytes and times are strings). The buffers in which serde keeps what it reads for `flatten`,
//! `untagged` and tagged enums work too.
//!
//! * Numbers that a schema does not have stay exact to the last digit from JSON text to JSON text by
//!   `serde_json`. Through a buffer or another format they are as exact as it keeps them: 64-bit
//!   integers, and the nearest `f64` of anything else; a number beyond that is an error.
//! * What JSON does not have, such as NaN or bytes in CBOR, is an error where it would be kept.
//! * Formats that need to know the type of what they read, such as bincode and postcard, cannot hold a
//!   message: they refuse to write an object whose length is not told first, and a message never tells
//!   it. The binary form of a message is protobuf (`prost::Message`).
//!
//! # What has no JSON form
//!
//! One such value must not take a list with it. So [`Writer`] writes what is closest, and [`Reader`]
//! reads that back; both refuse it when they are strict.
//!
//! | value | is written as | is read as |
//! |---|---|---|
//! | an [`Any`](crate::wkt::Any) of a type that is not registered, whose bytes are not a message of its type, without a type URL, or too deep in others, or whose only unknown member would be taken for this | `{"@type": URL, "@value": base64}` | the same bytes |
//! | an `Any` that came as JSON without `@type`, or with one that does not end with a name | that JSON, without an empty `@type` | the same |
//! | [`Timestamp`](crate::wkt::Timestamp) and [`Duration`](crate::wkt::Duration) out of range | `{"seconds": "…", "nanos": …}` | the same value |
//! | [`FieldMask`](crate::wkt::FieldMask) with paths that are not in lower_snake_case | `{"paths": […]}` | the same paths |
//! | NaN and the infinities in a [`Value`](crate::wkt::Value) | `"NaN"`, `"Infinity"`, `"-Infinity"` | strings |
//!
//! The form with `@value` is that of grpcurl. Requests over REST are written strictly: ESET takes what it
//! does not understand for empty.
//!
//! Fields in the bytes of an `Any` that its type does not have are not written, and refused by a strict
//! writer.
//!
//! JSON of the wrong kind, such as a number for a string or `null` in a list, is an error also when the
//! reader is not strict, as the protobuf conformance suite asks.
//!
//! # Limits
//!
//! JSON nests 128 levels at most (`serde_json`), unread JSON inside an `Any` 100, `Any`s in `Any`s 100.
//!
//! An `Any` with `@type` in front is read as it comes. One with `@type` further back is buffered up to
//! there, with the `Any`s in it, so that each byte is buffered once. One whose type was registered at run
//! time is buffered always, at each level in which it lies.

use serde::{Deserialize, Serialize};

pub use crate::json::open_enum::unrecognized_enum_number;

use crate::json::context::{self, Options};
use crate::wkt::TypeRegistry;

/// Reads messages from JSON with options.
#[derive(Clone, Debug, Default)]
pub struct Reader {
    strict: bool,
    registry: Option<TypeRegistry>,
}

impl Reader {
    /// A reader with the default options: those of `serde_json` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes errors of what is kept otherwise: members and enum names that the schema does not have, in
    /// `Any`s too; `Any`s of types that are not registered or without `@type`; and the forms that a
    /// [`Writer`] that is not [strict](Writer::strict) gives to values without a JSON form.
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

    /// Reads a message from JSON text; nothing but white space may follow it.
    ///
    /// # Errors
    ///
    /// If the text is not JSON, or not the JSON of such a message; the error says where.
    pub fn read<'de, M: Deserialize<'de>>(&self, json: &'de [u8]) -> Result<M, serde_json::Error> {
        self.scope(|| read(json))
    }

    /// Runs with these options: they hold for everything that `run` reads, by whatever deserializer.
    pub fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let options = Options { strict: self.strict, ..Options::default() };
        in_scope(self.registry.as_ref(), options, run)
    }
}

/// Reads with the options that are in force.
pub(crate) fn read<'de, M: Deserialize<'de>>(json: &'de [u8]) -> Result<M, serde_json::Error> {
    match str::from_utf8(json) {
        // Checking all of it at once is faster than string by string, as `from_slice` does.
        Ok(text) => serde_json::from_str(text),
        Err(_) => serde_json::from_slice(json),
    }
}

/// Writes messages as JSON with options.
#[derive(Clone, Debug, Default)]
pub struct Writer {
    strict: bool,
    emit_defaults: bool,
    registry: Option<TypeRegistry>,
}

impl Writer {
    /// A writer with the default options: those of `serde_json` alone.
    pub fn new() -> Self {
        Self::default()
    }

    /// Makes errors of values that have no JSON form. Otherwise such a value does not take the rest with
    /// it, and is written as [here](self#what-has-no-json-form).
    ///
    /// Write strictly what goes to somebody who takes what it does not understand for empty, as ESET's
    /// API does; requests over REST are.
    #[must_use]
    pub fn strict(mut self, strict: bool) -> Self {
        self.strict = strict;
        self
    }

    /// Writes fields without presence also when they have their default, as ESET's answers do
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
    /// If the writer is [strict](Self::strict) and something in the message has no JSON form, such as an
    /// `Any` of a type that is not registered or a timestamp out of range; the error says where.
    pub fn write<M: Serialize + ?Sized>(&self, message: &M) -> Result<Vec<u8>, serde_json::Error> {
        self.scope(|| serde_json::to_vec(message))
    }

    /// Runs with these options: they hold for everything that `run` writes, by whatever serializer.
    pub fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        let options = Options {
            strict_writing: self.strict,
            emit_defaults: self.emit_defaults,
            ..Options::default()
        };
        in_scope(self.registry.as_ref(), options, run)
    }
}

/// Runs with these options, and with these types if there are any.
fn in_scope<T>(registry: Option<&TypeRegistry>, options: Options, run: impl FnOnce() -> T) -> T {
    let run = || context::with_options(options, run);
    match registry {
        Some(registry) => registry.scope(run),
        None => run(),
    }
}

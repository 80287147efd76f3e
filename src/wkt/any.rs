//! `google.protobuf.Any`: a message of any type, with the URL of its type.

use bytes::Bytes;
use prost::{DecodeError, Message, Name};

use crate::proto::eset_protect::v1::UnknownAny;

/// A message of any type: the type's URL and the message's bytes.
///
/// On the gRPC wire this is `google.protobuf.Any`, byte for byte. In JSON it is the message's own
/// JSON object with the type URL in `@type`, or `{"@type": …, "value": …}` for a well-known type.
///
/// ```
/// use eset_protect::params::OnDemandScan;
/// use eset_protect::wkt::Any;
///
/// let any = Any::pack(&OnDemandScan { cleaning_enabled: Some(true), ..Default::default() });
/// assert!(any.is::<OnDemandScan>());
/// assert_eq!(
///     serde_json::to_string(&any)?,
///     r#"{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","cleaningEnabled":true}"#,
/// );
/// let scan: OnDemandScan = any.unpack()?;
/// assert_eq!(scan.cleaning_enabled, Some(true));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # What survives between JSON and bytes
///
/// ESET may add fields, enum values and types at any time ([facts](crate::facts#compatibility)), and a
/// policy can be cloned but not updated, so what this crate does not know must pass through it unchanged:
///
/// * **Members that a known type does not have** are in `value` as one extra field with the number
///   19777, a serialized
///   [`UnknownMembers`](crate::proto::eset_protect::v1::UnknownMembers). The protobuf language reserves that number, so no message
///   declares it and decoders of every language skip or keep it. Writing JSON puts the members back,
///   nested ones and those inside lists too, numbers exact. [`unknown_members`](Self::unknown_members)
///   shows them; [`repack`](Self::repack) keeps them while the message changes.
/// * **JSON of an unknown type**, or without a type, becomes an [`UnknownAny`], with that message's own
///   type URL, and is written as the original JSON again. [`unknown`](Self::unknown) shows it.
/// * **Bytes of an unknown type**, or that are not a message of their type, pass untouched over gRPC. In
///   JSON they are `{"@type": URL, "@value": base64}`, and the same bytes again when that is read. A
///   [strict](crate::protojson::Writer::strict) writer, and every request over REST, refuses them. To
///   see what is in them, register the type in a [`TypeRegistry`](super::TypeRegistry).
///
/// One thing is lost, as the ProtoJSON specification has no form for it: in the *bytes* of a known type,
/// **fields with numbers that the type does not have**. They pass untouched over gRPC, in `convert` from
/// binary to binary, and in `value`, but JSON does not show them, so they are gone after bytes → JSON →
/// bytes. A strict writer, and every request over REST, refuses them instead.
///
/// # Data that others did not know may be known here
///
/// Peers may be older than this crate. A member that a peer stored as unknown JSON but that the type has
/// here, an enum name that has a number here, and an `UnknownAny` of a type that is registered here become
/// part of the message in every view of an `Any`: [`is`](Self::is), [`type_name`](Self::type_name),
/// [`unpack`](Self::unpack), [`repack`](Self::repack) and JSON agree. Fields that the message itself sets
/// take precedence, even if another member of the same oneof is stored. `type_url` and `value` stay unchanged
/// until [`normalize`](Self::normalize). Types registered at run time count inside
/// [`TypeRegistry::scope`](super::TypeRegistry::scope), and in a reader or writer that has the registry.
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Any {
    /// The type: a URL whose last segment is the full name of the message type.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The encoded message.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

well_known_names! { Any }

/// Returns the full name of a type from its URL.
pub(super) fn name_of(type_url: &str) -> &str {
    // Faster than a search for a `char` from the end.
    let slash = type_url.bytes().rposition(|byte| byte == b'/');
    slash.and_then(|slash| type_url.get(slash + 1..)).unwrap_or(type_url)
}

impl UnknownAny {
    /// Whether a full type name is that of this message.
    pub(crate) fn is_named(name: &str) -> bool {
        name.strip_prefix(Self::PACKAGE).and_then(|rest| rest.strip_prefix('.')) == Some(Self::NAME)
    }
}

/// The reason why an [`Any`] could not be unpacked.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnpackError {
    /// The message has another type.
    Type {
        /// The full name of the requested type.
        expected: String,
        /// The type URL of the `Any`.
        found: String,
    },
    /// The bytes do not decode as the type that the URL names.
    Decode {
        /// The type URL.
        type_url: String,
        /// The reason.
        source: DecodeError,
    },
    /// The `Any` contains JSON that its sender did not know and that does not match the type known here.
    Json {
        /// The type URL.
        type_url: String,
        /// What does not match, and where.
        problem: String,
    },
}

impl std::fmt::Display for UnpackError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Type { expected, found } if found.is_empty() => {
                write!(f, "expected an Any of `{expected}`, found one without a type URL")
            }
            Self::Type { expected, found } => {
                write!(f, "expected an Any of `{expected}`, found one of `{found}`")
            }
            Self::Decode { type_url, .. } => {
                write!(f, "the value of the Any is not a message of `{type_url}`")
            }
            Self::Json { type_url, problem } => {
                write!(f, "the JSON in the Any does not fit `{type_url}`: {problem}")
            }
        }
    }
}

impl std::error::Error for UnpackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Type { .. } | Self::Json { .. } => None,
            Self::Decode { source, .. } => Some(source),
        }
    }
}

impl From<prost_types::Any> for Any {
    fn from(any: prost_types::Any) -> Self {
        Self { type_url: any.type_url, value: any.value.into() }
    }
}

impl From<Any> for prost_types::Any {
    fn from(any: Any) -> Self {
        Self { type_url: any.type_url, value: any.value.into() }
    }
}

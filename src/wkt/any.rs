//! `google.protobuf.Any`: a message of any type, with the URL that says which.

use bytes::Bytes;
use prost::{DecodeError, Message, Name};

use super::preserved;
use crate::proto::eset_protect::v1::{UnknownAny, UnknownMember, UnknownMembers};
use crate::protojson::context;

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
/// # Nothing is lost between JSON and bytes
///
/// ESET adds fields, enum values and types at any time (`facts.md` 1.5), and a policy can be cloned
/// but not updated, so what this crate does not know must survive it:
///
/// * **Members that a known type does not have** ride in `value` as one extra field with the number
///   19777, a serialized [`UnknownMembers`]. The protobuf language reserves that number, so no message
///   declares it and decoders of every language skip or keep it. Writing JSON puts the members back,
///   nested ones and those inside lists too, numbers exact. [`unknown_members`](Self::unknown_members)
///   shows them; [`repack`](Self::repack) keeps them while the message changes.
/// * **JSON of an unknown type** becomes an [`UnknownAny`], with that message's own type URL, and is
///   written as the original JSON again. [`unknown`](Self::unknown) shows it.
/// * **Bytes of an unknown type** pass untouched over gRPC. They cannot be written as JSON: that is an
///   error which names the type URL, never a dropped field. Register the type in a
///   [`TypeRegistry`](super::TypeRegistry).
#[derive(Clone, PartialEq, Eq, Hash, Message)]
pub struct Any {
    /// The type: a URL whose last segment is the full name of the message type.
    #[prost(string, tag = "1")]
    pub type_url: String,
    /// The message, serialized.
    #[prost(bytes = "bytes", tag = "2")]
    pub value: Bytes,
}

impl Name for Any {
    const NAME: &'static str = "Any";
    const PACKAGE: &'static str = "google.protobuf";

    fn type_url() -> String {
        format!("type.googleapis.com/{}", Self::full_name())
    }
}

impl Any {
    /// Packs a message, with the type URL `type.googleapis.com/` and its full name.
    pub fn pack<M: Message + Name>(message: &M) -> Self {
        Self { type_url: M::type_url(), value: message.encode_to_vec().into() }
    }

    /// Whether the message is of this type. Only the part after the last `/` of the URL counts.
    pub fn is<M: Name>(&self) -> bool {
        self.type_name() == M::full_name()
    }

    /// The full name of the message's type.
    pub fn type_name(&self) -> &str {
        self.type_url.rsplit('/').next().unwrap_or_default()
    }

    /// Unpacks the message. Fields that the type does not have are not part of the result.
    ///
    /// # Errors
    ///
    /// If the message is of another type, or the bytes are not a message of this type.
    pub fn unpack<M: Message + Name + Default>(&self) -> Result<M, UnpackError> {
        if !self.is::<M>() {
            return Err(UnpackError::Type {
                expected: M::full_name(),
                found: self.type_url.clone(),
            });
        }
        M::decode(self.value.clone())
            .map_err(|source| UnpackError::Decode { type_url: self.type_url.clone(), source })
    }

    /// Replaces the message and keeps the members that its type does not have. Members of a part that
    /// the new message does not have any more are not written again, nor is an unknown name of an enum
    /// whose field the new message changes.
    ///
    /// # Errors
    ///
    /// If the message is of another type, or what is kept in the bytes is corrupt; nothing changes then.
    pub fn repack<M: Message + Name>(&mut self, message: &M) -> Result<(), UnpackError> {
        if !self.is::<M>() {
            return Err(UnpackError::Type {
                expected: M::full_name(),
                found: self.type_url.clone(),
            });
        }
        let message = Bytes::from(message.encode_to_vec());
        let mut members = self.unknown_members()?;
        self.drop_replaced(&message, &mut members);
        self.value = preserved::append(message.into(), &UnknownMembers { members }).into();
        Ok(())
    }

    /// Drops the unknown names of enums whose field has another value in `message`, or none: what the
    /// caller set counts, and not what stood there before.
    fn drop_replaced(&self, message: &Bytes, members: &mut Vec<UnknownMember>) {
        if members.is_empty() {
            return;
        }
        let registered = context::registry().unwrap_or_default().get(self.type_name());
        let json = |bytes: &Bytes| -> Option<serde_json::Value> {
            serde_json::from_str(registered?.write(bytes).ok()?.get()).ok()
        };
        if let (Some(before), Some(after)) = (json(&self.value), json(message)) {
            members.retain(|member| {
                let known = before.pointer(&member.pointer);
                known.is_none() || known == after.pointer(&member.pointer)
            });
        }
    }

    /// Members that the JSON had and the type does not have; empty for most messages.
    ///
    /// # Errors
    ///
    /// If the bytes are not a message.
    pub fn unknown_members(&self) -> Result<Vec<UnknownMember>, UnpackError> {
        preserved::find(&self.value)
            .map(|found| found.members)
            .map_err(|source| UnpackError::Decode { type_url: self.type_url.clone(), source })
    }

    /// The JSON of a type that is not known here; `None` for a message of a type that is.
    pub fn unknown(&self) -> Option<UnknownAny> {
        self.unpack().ok()
    }
}

/// Why a message could not be taken out of an [`Any`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum UnpackError {
    /// The message is of another type.
    Type {
        /// The full name of the type that was asked for.
        expected: String,
        /// The type URL that was found.
        found: String,
    },
    /// The bytes are not a message of the type that the URL names.
    Decode {
        /// The type URL.
        type_url: String,
        /// What is wrong with the bytes.
        source: DecodeError,
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
        }
    }
}

impl std::error::Error for UnpackError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Type { .. } => None,
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

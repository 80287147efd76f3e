//! A message into an `Any` and out of it.

use bytes::Bytes;
use prost::{Message, Name};

use super::any::{Any, UnpackError, name_of};
use super::registry::TypeRegistry;
use super::settle::{self, Settled};
use crate::json::compact::Compact;
use crate::json::preserved;
use crate::proto::eset_protect::v1::{UnknownAny, UnknownMember, UnknownMembers};

impl Any {
    /// Packs a message, with the type URL `type.googleapis.com/` and its full name, or with its own where
    /// its [`Name::type_url`] names another domain.
    pub fn pack<M: Message + Name>(message: &M) -> Self {
        let mut type_url = M::type_url();
        // prost's default has no domain.
        if type_url.starts_with('/') {
            type_url.insert_str(0, "type.googleapis.com");
        }
        Self { type_url, value: message.encode_to_vec().into() }
    }

    /// Whether the message is of this type. Only the part after the last `/` of the URL counts.
    pub fn is<M: Name>(&self) -> bool {
        self.type_name() == M::full_name()
    }

    /// Returns the full name of the message type. For an [`UnknownAny`] of a type that is known here, returns
    /// that type.
    pub fn type_name(&self) -> &str {
        name_of(settle::known_type_url(self).unwrap_or(&self.type_url))
    }

    /// Unpacks the message. Fields that the type does not have are not part of the result.
    ///
    /// # Errors
    ///
    /// Fails if the message has another type, if the bytes do not decode, or if the JSON stored in them does
    /// not match the type.
    pub fn unpack<M: Message + Name + Default>(&self) -> Result<M, UnpackError> {
        self.expect::<M>()?;
        let Settled { type_url, message, .. } = settle::settle(self)?;
        M::decode(message)
            .map_err(|source| UnpackError::Decode { type_url: type_url.into_owned(), source })
    }

    fn expect<M: Name>(&self) -> Result<(), UnpackError> {
        if self.is::<M>() {
            return Ok(());
        }
        let found = settle::known_type_url(self).unwrap_or(&self.type_url);
        Err(UnpackError::Type { expected: M::full_name(), found: found.to_owned() })
    }

    /// Makes members and types that were unknown to the sender but are known here part of the message, so
    /// that every reader sees the message that this crate sees. Most messages do not change.
    ///
    /// # Errors
    ///
    /// Fails if the bytes do not decode, or if the JSON stored in them does not match the type. Nothing
    /// changes then.
    pub fn normalize(&mut self) -> Result<(), UnpackError> {
        let Settled { type_url, message, members, is_changed } = settle::settle(self)?;
        if is_changed {
            let type_url = type_url.into_owned();
            let value = preserved::append(message.into(), &UnknownMembers { members }).into();
            *self = Self { type_url, value };
        }
        Ok(())
    }

    /// Replaces the message and keeps unknown members. Drops members whose parent the new message no longer
    /// has, and the unknown names of enums whose field the new message changes.
    ///
    /// # Errors
    ///
    /// Fails if the message has another type, or if the stored members are corrupt. Nothing changes then.
    pub fn repack<M: Message + Name>(&mut self, message: &M) -> Result<(), UnpackError> {
        self.expect::<M>()?;
        let Settled { type_url, message: before, mut members, .. } = settle::settle(self)?;
        let message = Bytes::from(message.encode_to_vec());
        drop_replaced(&type_url, &before, &message, &mut members);
        let type_url = type_url.into_owned();
        self.value = preserved::append(message.into(), &UnknownMembers { members }).into();
        self.type_url = type_url;
        Ok(())
    }

    /// Returns members that the JSON had but the type does not; empty for most messages.
    ///
    /// # Errors
    ///
    /// Fails if the bytes do not decode, or if the JSON stored in them does not match the type.
    pub fn unknown_members(&self) -> Result<Vec<UnknownMember>, UnpackError> {
        settle::settle(self).map(|settled| settled.members)
    }

    /// Returns the JSON of a type that is unknown here; `None` for a message of a known type.
    pub fn unknown(&self) -> Option<UnknownAny> {
        self.unpack().ok()
    }
}

/// Drops the unknown names of enums whose field has another value, or none, in `after`: the caller's value
/// takes precedence over the old one.
fn drop_replaced(type_url: &str, before: &Bytes, after: &Bytes, members: &mut Vec<UnknownMember>) {
    if members.is_empty() {
        return;
    }
    let registered = TypeRegistry::in_scope(name_of(type_url));
    let json = |bytes: &Bytes| -> Option<serde_json::Value> {
        let known = registered?.message_type;
        let json = Compact::text(|json| known.write_in_any(None, bytes, json)).ok()?;
        serde_json::from_str(&json).ok()
    };
    if let (Some(before), Some(after)) = (json(before), json(after)) {
        members.retain(|member| {
            let known = before.pointer(&member.pointer);
            known.is_none() || known == after.pointer(&member.pointer)
        });
    }
}

//! Which message types are known, so that an `Any` of them can be read and written as JSON.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::{DecodeError, Name};
use serde::Serialize;
use serde_json::value::RawValue;

use super::types;
use crate::json::context;
use crate::json::embedded::{message_type, read_message, read_well_known};
use crate::json::enum_names::EnumNames;
use crate::json::members::Members;
use crate::json::message::{JsonMessage, TypeVisitor};
use crate::json::schema::MessageType;

/// The message types that can be read from JSON and written as JSON.
///
/// Every message of this crate is known without doing anything: the list is made when the crate is
/// built. A registry adds types of your own. It is a value that is passed along, to a
/// [`Reader`](crate::protojson::Reader), a [`Writer`](crate::protojson::Writer) or a
/// [`scope`](Self::scope); nothing is global.
///
/// ```
/// use eset_protect::wkt::TypeRegistry;
///
/// let registry = TypeRegistry::default();
/// assert!(registry.contains("Era.Common.DataDefinition.Task.OS.RunCommand"));
/// assert!(!registry.contains("example.v1.Mine"));
/// ```
#[derive(Clone, Default)]
pub struct TypeRegistry {
    added: Option<Arc<BTreeMap<String, Registered>>>,
    enum_names: Option<Arc<EnumNames>>,
}

thread_local! {
    /// The registry of the scope that is running.
    static IN_SCOPE: RefCell<TypeRegistry> =
        const { RefCell::new(TypeRegistry { added: None, enum_names: None }) };
}

impl TypeRegistry {
    /// Adds a type, which then goes before a type of this crate with the same name.
    ///
    /// Types that the parts of this crate's build script made keep members that they do not have,
    /// as [`Any`](super::Any) says. Others keep what their own `Deserialize` keeps.
    #[must_use]
    pub fn with<M: JsonMessage + Name>(mut self) -> Self {
        let added = self.added.get_or_insert_default();
        Arc::make_mut(added).insert(M::full_name(), Registered::message::<M>());
        self
    }

    /// Remembers names of enum values that the schema does not have, so that what was read from JSON
    /// within a [`scope`](Self::scope) of this registry has them again in JSON that is written within
    /// one: see [`protojson`](crate::protojson#enum-names). Clones share the memory. It holds at most
    /// 4,096 names of 128 bytes, and ends with the last clone.
    #[must_use]
    pub fn remember_enum_names(mut self) -> Self {
        self.enum_names.get_or_insert_default();
        self
    }

    /// Runs with these types: they are known to every [`Any`](super::Any) that `run` reads, writes or
    /// unpacks.
    pub fn scope<T>(&self, run: impl FnOnce() -> T) -> T {
        struct Restore(TypeRegistry);
        impl Drop for Restore {
            fn drop(&mut self) {
                IN_SCOPE.with(|registry| std::mem::swap(&mut *registry.borrow_mut(), &mut self.0));
            }
        }
        let _restore = Restore(IN_SCOPE.replace(self.clone()));
        context::with_enum_names(self.enum_names.clone(), run)
    }

    /// A type that is known in the scope that is running.
    pub(crate) fn in_scope(name: &str) -> Option<Registered> {
        Self::added_in_scope(name).or_else(|| Self::default().get(name))
    }

    /// A type that was added to the registry of the scope that is running.
    pub(crate) fn added_in_scope(name: &str) -> Option<Registered> {
        IN_SCOPE.with(|registry| registry.borrow().added(name))
    }

    /// Whether a type is known, by its full name.
    pub fn contains(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// The full names of all known types, sorted.
    pub fn names(&self) -> Vec<String> {
        let mut names: Vec<_> = types::NAMES.iter().map(|name| (*name).to_owned()).collect();
        names.extend(self.added.iter().flat_map(|added| added.keys().cloned()));
        names.sort();
        names.dedup();
        names
    }

    /// A known type, by its full name.
    pub fn get(&self, name: &str) -> Option<Registered> {
        struct Find;
        impl TypeVisitor for Find {
            type Output = Option<Registered>;

            fn message<M: JsonMessage>(self) -> Self::Output {
                Some(Registered::message::<M>())
            }

            fn well_known<M: JsonMessage>(self) -> Self::Output {
                Some(Registered::well_known::<M>())
            }

            fn unknown(self) -> Self::Output {
                None
            }
        }
        self.added(name).or_else(|| types::visit(name, Find))
    }

    fn added(&self, name: &str) -> Option<Registered> {
        self.added.as_ref()?.get(name).copied()
    }
}

impl std::fmt::Debug for TypeRegistry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("TypeRegistry")
            .field("added", &self.added.as_ref().map(|added| added.keys()))
            .finish_non_exhaustive()
    }
}

type Json = Result<Box<RawValue>, String>;

/// A known message type: its two forms, each from the other.
#[derive(Clone, Copy, Debug)]
pub struct Registered {
    from_members: fn(Members) -> Result<Vec<u8>, serde_json::Error>,
    to_members: fn(Bytes) -> Json,
    from_json: fn(&str) -> Result<Vec<u8>, serde_json::Error>,
    to_json: fn(Bytes) -> Json,
    normalize: fn(Bytes) -> Result<Vec<u8>, DecodeError>,
    pub(crate) message_type: MessageType,
}

impl Registered {
    fn message<M: JsonMessage>() -> Self {
        Self {
            from_members: |members| read_message::<M, _>(members.into_map()),
            to_members: to_json::<M>,
            from_json: from_json::<M>,
            to_json: to_json::<M>,
            normalize: |bytes| M::decode(bytes).map(|message| message.encode_to_vec()),
            message_type: message_type::<M>(),
        }
    }

    fn well_known<M: JsonMessage>() -> Self {
        Self {
            from_members: |members| read_well_known::<M, _>(members.into_map()),
            to_members: |bytes| {
                let message = M::decode(bytes).map_err(|error| error.to_string())?;
                well_known_json(&message).map_err(|error| error.to_string())
            },
            ..Self::message::<M>()
        }
    }

    /// The message that a JSON text is, serialized.
    ///
    /// # Errors
    ///
    /// If the text is not the JSON of a message of this type; the error says where.
    pub fn to_binary(&self, json: &str) -> Result<Vec<u8>, serde_json::Error> {
        (self.from_json)(json)
    }

    /// The JSON of a serialized message.
    ///
    /// # Errors
    ///
    /// If the bytes are not a message of this type, or the writer is
    /// [strict](crate::protojson::Writer::strict) and something in it has no JSON form.
    pub fn to_json(&self, binary: impl Into<Bytes>) -> Result<String, String> {
        (self.to_json)(binary.into()).map(|json| String::from(Box::<str>::from(json)))
    }

    /// The same message as this crate writes it: each field once, the fields in order. What is inside an
    /// [`Any`](super::Any) stays as it is; fields that other messages do not have are not kept.
    ///
    /// # Errors
    ///
    /// If the bytes are not a message of this type.
    pub fn normalize(&self, binary: impl Into<Bytes>) -> Result<Vec<u8>, DecodeError> {
        (self.normalize)(binary.into())
    }

    pub(super) fn read(&self, members: Members) -> Result<Vec<u8>, serde_json::Error> {
        (self.from_members)(members)
    }

    pub(super) fn write(&self, value: &Bytes) -> Json {
        (self.to_members)(value.clone())
    }
}

fn from_json<M: JsonMessage>(json: &str) -> Result<Vec<u8>, serde_json::Error> {
    let mut deserializer = serde_json::Deserializer::from_str(json);
    let message = M::deserialize(&mut deserializer)?;
    deserializer.end()?;
    Ok(message.encode_to_vec())
}

fn to_json<M: JsonMessage>(bytes: Bytes) -> Json {
    let message = M::decode(bytes).map_err(|error| error.to_string())?;
    serde_json::value::to_raw_value(&message).map_err(|error| error.to_string())
}

/// The JSON object of a well-known type in an `Any`, without its `@type`.
pub(super) fn well_known_json<M: Serialize>(
    message: &M,
) -> Result<Box<RawValue>, serde_json::Error> {
    #[derive(Serialize)]
    struct Value<'a, M> {
        value: &'a M,
    }
    serde_json::value::to_raw_value(&Value { value: message })
}

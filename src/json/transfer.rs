//! Passes a value from one format to another while it is read.

use std::cell::Cell;
use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde::ser::{self, Serialize, SerializeMap, SerializeSeq, Serializer};

use super::compact::Compact;
use super::depth::{MAX_DEPTH, too_deep};
use super::number::{is_arbitrary_precision, is_json_number, shortened};
use super::parser::Number;
use super::text::Text;

/// Whether a serializer is one of serde_json's own or ours, which alone recognize a `RawValue`. A serializer
/// that wraps one of them gets values as other formats do.
pub(crate) fn is_serde_json<S>() -> bool {
    let name = std::any::type_name::<S>();
    name.starts_with("&mut serde_json::ser::Serializer<")
        || name == "serde_json::value::ser::Serializer"
        || Compact::is::<S>()
}

/// Writes what it visits. Values that JSON does not have are errors.
pub(crate) struct Transfer<S> {
    serializer: S,
    /// The maximum nesting of lists and objects.
    depth: usize,
}

impl<S: Serializer> Transfer<S> {
    /// Creates a transfer to `serializer` of at most `depth` levels.
    pub(crate) fn new(serializer: S, depth: usize) -> Self {
        Self { serializer, depth }
    }

    fn below<E: Error>(&self) -> Result<usize, E> {
        self.depth.checked_sub(1).ok_or_else(|| E::custom(too_deep(MAX_DEPTH)))
    }

    /// Writes an object whose first name was already read.
    pub(crate) fn object<'de, A: MapAccess<'de>>(
        self,
        first: Option<Name>,
        mut map: A,
    ) -> Result<S::Ok, A::Error> {
        if first.as_ref().is_some_and(|Name(name)| is_arbitrary_precision(name)) {
            return self.number(&map.next_value::<String>()?);
        }
        let depth = self.below()?;
        let mut object = self.serializer.serialize_map(None).map_err(A::Error::custom)?;
        let mut next = first;
        while let Some(Name(name)) = next {
            object.serialize_key(&name).map_err(A::Error::custom)?;
            map.next_value_seed(MemberOf(&mut object, depth))?;
            next = map.next_key()?;
        }
        object.end().map_err(A::Error::custom)
    }

    /// Writes a number of any length: exactly to JSON, otherwise as precisely as possible.
    fn number<E: Error>(self, text: &str) -> Result<S::Ok, E> {
        let out_of_range = || E::custom(format!("number out of range: {}", shortened(text)));
        if !is_json_number(text) {
            return Err(E::custom(format!("\"{}\" is not a number", shortened(text))));
        }
        let written = if is_serde_json::<S>() {
            Text(text).serialize(self.serializer)
        } else if let Ok(value) = text.parse() {
            self.serializer.serialize_u64(value)
        } else if let Some(value) = text.parse().ok().filter(|value| *value != 0) {
            self.serializer.serialize_i64(value)
        } else {
            let value = text.parse().ok().filter(|value: &f64| value.is_finite());
            self.serializer.serialize_f64(value.ok_or_else(out_of_range)?)
        };
        written.map_err(E::custom)
    }
}

macro_rules! scalars {
    ($($visit:ident($type:ty) $serialize:ident)*) => {$(
        fn $visit<E: Error>(self, value: $type) -> Result<S::Ok, E> {
            self.serializer.$serialize(value).map_err(E::custom)
        }
    )*};
}

impl<'de, S: Serializer> Visitor<'de> for Transfer<S> {
    type Value = S::Ok;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON has")
    }

    scalars! {
        visit_bool(bool) serialize_bool
        visit_i64(i64) serialize_i64
        visit_i128(i128) serialize_i128
        visit_u64(u64) serialize_u64
        visit_u128(u128) serialize_u128
        visit_str(&str) serialize_str
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<S::Ok, E> {
        if !value.is_finite() {
            return Err(E::custom(format!("JSON has no number for {value}")));
        }
        self.serializer.serialize_f64(value).map_err(E::custom)
    }

    fn visit_unit<E: Error>(self) -> Result<S::Ok, E> {
        self.serializer.serialize_unit().map_err(E::custom)
    }

    fn visit_none<E: Error>(self) -> Result<S::Ok, E> {
        self.visit_unit()
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<S::Ok, D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D>(self, deserializer: D) -> Result<S::Ok, D::Error>
    where
        D: Deserializer<'de>,
    {
        if Number::is::<D>() {
            return self.number(&String::deserialize(deserializer)?);
        }
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<S::Ok, A::Error> {
        let depth = self.below()?;
        let mut written = self.serializer.serialize_seq(None).map_err(A::Error::custom)?;
        while list.next_element_seed(ElementOf(&mut written, depth))?.is_some() {}
        written.end().map_err(A::Error::custom)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<S::Ok, A::Error> {
        let first = map.next_key()?;
        self.object(first, map)
    }
}

/// An element of a list that is being written.
struct ElementOf<'a, L>(&'a mut L, usize);

impl<'de, L: SerializeSeq> DeserializeSeed<'de> for ElementOf<'_, L> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let value = Unread::new(deserializer, self.1);
        self.0.serialize_element(&value).map_err(|error| value.error(&error))
    }
}

/// The value of a member of an object that is being written.
struct MemberOf<'a, M>(&'a mut M, usize);

impl<'de, M: SerializeMap> DeserializeSeed<'de> for MemberOf<'_, M> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        let value = Unread::new(deserializer, self.1);
        self.0.serialize_value(&value).map_err(|error| value.error(&error))
    }
}

/// A value that is read once, while it is written.
struct Unread<'de, D: Deserializer<'de>> {
    deserializer: Cell<Option<D>>,
    depth: usize,
    /// Why the value could not be read. Converted to an error of the serializer and back at each level, the
    /// message would grow without bounds in formats that quote it.
    error: Cell<Option<D::Error>>,
}

impl<'de, D: Deserializer<'de>> Unread<'de, D> {
    fn new(deserializer: D, depth: usize) -> Self {
        Self { deserializer: Cell::new(Some(deserializer)), depth, error: Cell::new(None) }
    }

    fn error(&self, error: &dyn fmt::Display) -> D::Error {
        self.error.take().unwrap_or_else(|| D::Error::custom(error))
    }
}

impl<'de, D: Deserializer<'de>> Serialize for Unread<'de, D> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Some(deserializer) = self.deserializer.take() else {
            return Err(ser::Error::custom("a format must write each value once"));
        };
        let visitor = Transfer::new(serializer, self.depth);
        deserializer.deserialize_any(visitor).map_err(|error| {
            self.error.set(Some(error));
            ser::Error::custom("the value could not be read")
        })
    }
}

/// The name of a member. Formats whose keys are not always strings may have `1` for JSON's `"1"`.
pub(crate) struct Name(pub String);

impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NameVisitor)
    }
}

struct NameVisitor;

macro_rules! names {
    ($($visit:ident($type:ty))*) => {$(
        fn $visit<E: Error>(self, name: $type) -> Result<Name, E> {
            Ok(Name(name.to_string()))
        }
    )*};
}

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the name of a member")
    }

    names! { visit_str(&str) visit_bool(bool) visit_i64(i64) visit_u64(u64) }
}

//! Writes a value of another format as JSON text while it is read.

use std::fmt;

use serde::de::{Deserialize, DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use super::compact::Compact;
use super::depth::{MAX_DEPTH, too_deep};
use super::number::{is_arbitrary_precision, is_json_number, shortened};

/// Writes what it visits. Values that JSON does not have are errors.
pub(super) struct Transfer<'a> {
    json: &'a mut Compact,
    /// The maximum nesting of lists and objects.
    depth: usize,
}

impl<'a> Transfer<'a> {
    /// Creates a transfer of at most `depth` levels.
    pub(super) fn new(json: &'a mut Compact, depth: usize) -> Self {
        Self { json, depth }
    }

    /// Writes an object whose first name was already read.
    pub(super) fn object<'de, A: MapAccess<'de>>(
        self,
        first: Option<Name>,
        mut map: A,
    ) -> Result<(), A::Error> {
        if first.as_ref().is_some_and(|Name(name)| is_arbitrary_precision(name)) {
            return self.number(&map.next_value::<String>()?);
        }
        let depth = self.below()?;
        self.json.object(|json| {
            let mut next = first;
            while let Some(Name(name)) = next {
                json.member(&name);
                map.next_value_seed(Transfer { json, depth })?;
                next = map.next_key()?;
            }
            Ok(())
        })
    }

    /// Returns the maximum nesting inside of a list or object.
    fn below<E: Error>(&self) -> Result<usize, E> {
        self.depth.checked_sub(1).ok_or_else(|| E::custom(too_deep(MAX_DEPTH)))
    }

    fn number<E: Error>(self, text: &str) -> Result<(), E> {
        if !is_json_number(text) {
            return Err(E::custom(format!("\"{}\" is not a number", shortened(text))));
        }
        self.json.raw(text);
        Ok(())
    }
}

macro_rules! integers {
    ($($visit:ident($type:ty))*) => {$(
        fn $visit<E>(self, value: $type) -> Result<(), E> {
            self.json.integer(value);
            Ok(())
        }
    )*};
}

impl<'de> Visitor<'de> for Transfer<'_> {
    type Value = ();

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a value that JSON has")
    }

    integers! { visit_i64(i64) visit_i128(i128) visit_u64(u64) visit_u128(u128) }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.json.bool(value);
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.json.string(text);
        Ok(())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<(), E> {
        if !value.is_finite() {
            return Err(E::custom(format!("JSON has no number for {value}")));
        }
        self.json.foreign(&value).map_err(E::custom)
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.json.null();
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.json.null();
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_newtype_struct<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        let depth = self.below()?;
        self.json.list(|json| {
            while list.next_element_seed(Element(Transfer { json, depth }))?.is_some() {}
            Ok(())
        })
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let first = map.next_key()?;
        self.object(first, map)
    }
}

impl<'de> DeserializeSeed<'de> for Transfer<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

/// An element of a list, with the comma before it.
struct Element<'a>(Transfer<'a>);

impl<'de> DeserializeSeed<'de> for Element<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        self.0.json.element();
        deserializer.deserialize_any(self.0)
    }
}

/// The name of a member. Formats whose keys are not always strings may have `1` for JSON's `"1"`.
pub(super) struct Name(pub String);

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

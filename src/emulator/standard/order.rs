//! Sorts the resources of a list by `order_by` (AIP-132).

use std::cmp::Ordering;

use prost_reflect::{DynamicMessage, FieldDescriptor, MessageDescriptor, Value};

use super::fields::{at, path};
use crate::emulator::failure::Failure;

/// The fields to sort by, each ascending or not.
#[derive(Debug, Default)]
pub(super) struct Order(Vec<(Vec<FieldDescriptor>, bool)>);

impl Order {
    /// Reads fields in snake case, separated by commas, each with ` desc` or ` asc` after it.
    pub(super) fn parse(resource: &MessageDescriptor, text: &str) -> Result<Self, Failure> {
        let mut order = Self::default();
        for part in text.split(',').filter(|_| !text.trim().is_empty()) {
            let words: Vec<_> = part.split_whitespace().collect();
            let (name, is_ascending) = match words.as_slice() {
                [name] | [name, "asc"] => (*name, true),
                [name, "desc"] => (*name, false),
                _ => {
                    let expected =
                        format!("expected a field, perhaps with ` desc`, found {part:?}");
                    return Err(Failure::invalid("order_by", expected));
                }
            };
            let is_sortable =
                |path: &Vec<FieldDescriptor>| path.iter().all(|field| !field.is_list());
            let Some(path) = path(resource, name).filter(is_sortable) else {
                let expected = format!("expected a field of {}, found {name:?}", resource.name());
                return Err(Failure::invalid("order_by", expected));
            };
            order.0.push((path, is_ascending));
        }
        Ok(order)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn compare(&self, one: &DynamicMessage, other: &DynamicMessage) -> Ordering {
        let by = |(path, is_ascending): &(Vec<FieldDescriptor>, bool)| {
            let ordering = key(one, path).partial_cmp(&key(other, path)).unwrap_or(Ordering::Equal);
            if *is_ascending { ordering } else { ordering.reverse() }
        };
        self.0.iter().map(by).find(|ordering| ordering.is_ne()).unwrap_or(Ordering::Equal)
    }
}

/// What a field sorts by: numbers, then text.
#[derive(PartialEq, PartialOrd)]
enum Key {
    None,
    Number(f64),
    Time(i64, i32),
    Text(String),
}

fn key(message: &DynamicMessage, path: &[FieldDescriptor]) -> Key {
    let mut key = Key::None;
    at(message, path, &mut |value| {
        key = match value {
            Value::Bool(value) => Key::Number(f64::from(u8::from(*value))),
            Value::EnumNumber(value) | Value::I32(value) => Key::Number(f64::from(*value)),
            Value::U32(value) => Key::Number(f64::from(*value)),
            Value::I64(value) => Key::Time(*value, 0),
            Value::U64(value) => Key::Time(i64::try_from(*value).unwrap_or(i64::MAX), 0),
            Value::F32(value) => Key::Number(f64::from(*value)),
            Value::F64(value) => Key::Number(*value),
            Value::String(text) => Key::Text(text.clone()),
            Value::Message(time) => {
                let part = |name| time.get_field_by_name(name);
                let seconds = part("seconds").and_then(|seconds| seconds.as_i64());
                let nanos = part("nanos").and_then(|nanos| nanos.as_i32());
                Key::Time(seconds.unwrap_or_default(), nanos.unwrap_or_default())
            }
            _ => Key::None,
        };
        true
    });
    key
}

//! Which resources a list request asks for.

use std::collections::BTreeSet;

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};

use crate::emulator::failure::Failure;

/// A list is filtered by at most so many values of a field. Ours.
const MAX_VALUES: usize = 10_000;

/// Which resources are wanted. A field of the request that is not set lets everything through.
///
/// * A field that the resource has too must be equal; of a message, the fields that are set.
/// * A repeated field, named after one of the resource with an `s`, holds the values that are wanted.
/// * A message with `start_time` and `end_time` is a period in which a time of the resource lies, from
///   the start on and before the end.
/// * The fields of a message `filter` are filters.
///
/// A field that is set and none of these is `UNIMPLEMENTED`: it never means everything.
pub(super) struct Filter {
    resource: MessageDescriptor,
    tests: Vec<(FieldDescriptor, Test)>,
}

enum Test {
    Equal(Value),
    OneOf(BTreeSet<String>),
    Period {
        start: Option<Time>,
        end: Option<Time>,
    },
    /// Of a message.
    Fields(Vec<(FieldDescriptor, Self)>),
}

/// Seconds and nanoseconds.
type Time = (i64, i32);

impl Filter {
    /// # Errors
    ///
    /// `UNIMPLEMENTED` and `INVALID_ARGUMENT`.
    pub(super) fn new(
        resource: &MessageDescriptor,
        request: &DynamicMessage,
    ) -> Result<Self, Failure> {
        let mut tests = Vec::new();
        for (field, value) in request.fields() {
            match value {
                Value::Message(filter) if field.name() == "filter" => {
                    tests.append(&mut tests_of(resource, filter, "filter.")?);
                }
                _ => tests.append(&mut test_of(resource, &field, value, "")?),
            }
        }
        Ok(Self { resource: resource.clone(), tests })
    }

    /// Whether a row is wanted. Without a filter it is not read.
    pub(super) fn fits(&self, row: &[u8]) -> Result<bool, Failure> {
        if self.tests.is_empty() {
            return Ok(true);
        }
        Ok(all_fit(&self.tests, &DynamicMessage::decode(self.resource.clone(), row)?))
    }
}

fn tests_of(
    resource: &MessageDescriptor,
    filter: &DynamicMessage,
    at: &str,
) -> Result<Vec<(FieldDescriptor, Test)>, Failure> {
    let mut tests = Vec::new();
    for (field, value) in filter.fields() {
        tests.append(&mut test_of(resource, &field, value, at)?);
    }
    Ok(tests)
}

/// The test that a field makes: none if it is empty.
fn test_of(
    resource: &MessageDescriptor,
    filter: &FieldDescriptor,
    value: &Value,
    at: &str,
) -> Result<Vec<(FieldDescriptor, Test)>, Failure> {
    let name = filter.name();
    let field = match resource.get_field_by_name(name) {
        None if filter.is_list() => {
            name.strip_suffix('s').and_then(|name| resource.get_field_by_name(name))
        }
        field => field,
    };
    let test = match (&field, value) {
        (Some(field), Value::List(values)) if !field.is_list() => {
            if values.len() > MAX_VALUES {
                let limit = format!("at most {MAX_VALUES} values are possible");
                return Err(Failure::invalid(format!("{at}{name}"), limit));
            }
            let texts = values.iter().filter_map(Value::as_str).map(str::to_owned).collect();
            (field.kind() == Kind::String).then_some(Test::OneOf(texts))
        }
        (Some(field), Value::Message(inner)) if field.kind() == filter.kind() => {
            Some(Test::Fields(tests_of(&inner.descriptor(), inner, &format!("{at}{name}."))?))
        }
        (Some(field), Value::Message(period)) if !field.is_list() && is_period(period) => {
            let time = |name| period.get_field_by_name(name).as_deref().and_then(time);
            Some(Test::Period { start: time("start_time"), end: time("end_time") })
        }
        (Some(field), value)
            if field.kind() == filter.kind() && !field.is_list() && !filter.is_list() =>
        {
            Some(Test::Equal(value.clone()))
        }
        _ => None,
    };
    match (field, test) {
        (Some(_), Some(Test::Fields(tests))) if tests.is_empty() => Ok(Vec::new()),
        (Some(field), Some(test)) => Ok(vec![(field, test)]),
        _ => Err(Failure::unimplemented(format!("{at}{name}: the emulator has no such filter"))),
    }
}

fn all_fit(tests: &[(FieldDescriptor, Test)], message: &DynamicMessage) -> bool {
    tests.iter().all(|(field, test)| {
        let value = message.get_field(field);
        match test {
            Test::Equal(wanted) => *value == *wanted,
            Test::OneOf(wanted) => value.as_str().is_some_and(|text| wanted.contains(text)),
            Test::Period { start, end } => {
                message.has_field(field) && {
                    let found = time(&value);
                    found.is_some_and(|time| {
                        start.is_none_or(|start| start <= time) && end.is_none_or(|end| time < end)
                    })
                }
            }
            Test::Fields(tests) => value.as_message().is_some_and(|inner| all_fit(tests, inner)),
        }
    })
}

fn is_period(message: &DynamicMessage) -> bool {
    message.descriptor().fields().all(|field| matches!(field.name(), "start_time" | "end_time"))
}

fn time(value: &Value) -> Option<Time> {
    let message = value.as_message()?;
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    Some((seconds, message.get_field_by_name("nanos")?.as_i32()?))
}

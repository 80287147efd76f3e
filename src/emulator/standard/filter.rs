//! Filters the resources of a list.

use std::collections::BTreeSet;

use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, ReflectMessage, Value,
};

use crate::descriptors::{Expression, Path, filters_by, language};
use crate::emulator::failure::Failure;
use crate::emulator::groups;
use crate::emulator::store::Read;
use crate::wkt::Timestamp;

/// The maximum number of values of a filter. Our limit.
const MAX_VALUES: usize = 10_000;
/// A group of devices, which counts with the groups below it (FACTS.md#patch-management).
const GROUP: &str = "device_group_uuid";
/// When what a resource reports happened. Before that time the resource is not there.
pub(super) const OCCUR_TIME: &str = "occur_time";

/// What a list's request asks for. A field of the request that is not set lets everything through.
///
/// * A field that the resource has too must be equal; of a message, the fields that are set.
/// * A repeated field, named after one of the resource with an `s`, holds the values that are wanted.
/// * A message with `start_time` and `end_time` is a period in which a time of the resource lies, or with
///   which a period of it begins, from the start on and before the end.
/// * The fields of a message that the resource does not have are filters.
/// * `eset_protect.v1.expression` is an expression.
/// * `device_group_uuid` is a group and those below it.
/// * `eset_protect.v1.filters_by` names other fields of the resource.
///
/// What occurs in the future is filtered out.
#[derive(Debug, Default)]
pub(crate) struct Filter(Vec<Condition>);

#[derive(Debug)]
enum Condition {
    /// Of several tests one must fit.
    Tests(Vec<Test>),
    Expression(Expression),
    /// The time at the path is not after this one.
    Occurred(Path, Timestamp),
}

/// A test of the values at a path, one of which must fit.
#[derive(Debug)]
struct Test {
    path: Path,
    how: How,
}

#[derive(Debug)]
enum How {
    OneOf(Vec<Value>),
    OneText(BTreeSet<String>),
    Contains(String),
    EndsWith(String),
    Period(Option<Timestamp>, Option<Timestamp>),
    Message(Filter),
    IsSet,
}

impl Filter {
    /// Reads a request, without the fields of its path and page, for resources of a type.
    ///
    /// # Errors
    ///
    /// `UNIMPLEMENTED` for a field that is set and no filter, so that it never means everything, and
    /// `INVALID_ARGUMENT` for too many values.
    pub(crate) fn of(
        tables: &impl Read,
        resource: &MessageDescriptor,
        request: &DynamicMessage,
    ) -> Result<Self, Failure> {
        let mut filter = Self::occurred(resource, tables.environment().now());
        filter.read(tables, resource, request)?;
        Ok(filter)
    }

    /// Lets everything through that has occurred.
    pub(crate) fn occurred(resource: &MessageDescriptor, now: Timestamp) -> Self {
        let path = Path::of(resource, OCCUR_TIME);
        Self(path.map(|path| Condition::Occurred(path, now)).into_iter().collect())
    }

    fn read(
        &mut self,
        tables: &impl Read,
        resource: &MessageDescriptor,
        request: &DynamicMessage,
    ) -> Result<(), Failure> {
        for (by, wanted) in request.fields() {
            if let (Some(language), Some(text)) = (language(&by), wanted.as_str()) {
                let expression = Expression::parse(text, language, resource)
                    .map_err(|problem| Failure::invalid(by.name(), problem))?;
                self.0.push(Condition::Expression(expression));
                continue;
            }
            match (by.name(), wanted) {
                (name, Value::Message(inner))
                    if Path::of(resource, name).is_none() && filters_by(&by).is_empty() =>
                {
                    self.read(tables, resource, inner)?;
                }
                (GROUP, Value::String(group)) => {
                    let groups = groups::with_subgroups(tables, group)?;
                    self.0.push(Condition::Tests(vec![in_groups(tables, resource, groups)?]));
                }
                _ => {
                    let tests = tests(tables, resource, &by, wanted)?;
                    self.0.extend((!tests.is_empty()).then_some(Condition::Tests(tests)));
                }
            }
        }
        Ok(())
    }

    /// Whether everything fits.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a resource is wanted.
    pub(crate) fn fits(&self, resource: &DynamicMessage) -> bool {
        let one = |test: &Test| test.path.any(resource, &mut |value| test.how.fits(value));
        self.0.iter().all(|condition| match condition {
            Condition::Tests(tests) => tests.iter().any(one),
            Condition::Expression(expression) => expression.fits(resource),
            Condition::Occurred(path, now) => {
                !path.any(resource, &mut |found| time(found).is_some_and(|found| found > *now))
            }
        })
    }
}

/// What a field of the request asks for; nothing if it filters nothing.
fn tests(
    tables: &impl Read,
    resource: &MessageDescriptor,
    by: &FieldDescriptor,
    wanted: &Value,
) -> Result<Vec<Test>, Failure> {
    let name = by.name();
    let unknown = || Failure::unimplemented(format!("{name}: the emulator has no such filter"));
    let facts = filters_by(by);
    if facts.is_empty() {
        let singular = name.strip_suffix('s').filter(|_| by.is_list()).unwrap_or(name);
        let path = Path::of(resource, name).or_else(|| Path::of(resource, singular));
        let path = path.ok_or_else(unknown)?;
        let how = equal(tables, &path, by, wanted)?.ok_or_else(unknown)?;
        return Ok(vec![Test { path, how }]);
    }
    let mut tests = Vec::new();
    for fact in facts.iter().filter(|fact| !fact.is_empty()) {
        if let Some((value, set)) = fact.split_once(": ") {
            let Kind::Enum(kind) = by.kind() else { return Err(unknown()) };
            let value = kind.get_value_by_name(value).map(|value| value.number());
            if value == wanted.as_enum_number() {
                let path = Path::of(resource, set).ok_or_else(unknown)?;
                tests.push(Test { path, how: How::IsSet });
            }
            continue;
        }
        let (field, operator) = fact.split_once(' ').unwrap_or((fact, ""));
        let path = Path::of(resource, field).ok_or_else(unknown)?;
        let how = match (operator, wanted) {
            ("contains", Value::String(text)) => How::Contains(text.to_lowercase()),
            ("ends_with", Value::String(text)) => How::EndsWith(text.to_lowercase()),
            (">=", value) => How::Period(time(value), None),
            ("<", value) => How::Period(None, time(value)),
            _ => equal(tables, &path, by, wanted)?.ok_or_else(unknown)?,
        };
        tests.push(Test { path, how });
    }
    Ok(tests)
}

/// How a value of the field at a path equals what is wanted; `None` if it never can.
fn equal(
    tables: &impl Read,
    path: &Path,
    by: &FieldDescriptor,
    wanted: &Value,
) -> Result<Option<How>, Failure> {
    let Some(field) = path.last() else { return Ok(None) };
    let is_same_kind = field.kind() == by.kind();
    Ok(match wanted {
        Value::List(wanted) if wanted.len() > MAX_VALUES => {
            let limit = format!("at most {MAX_VALUES} values are possible");
            return Err(Failure::invalid(by.name(), limit));
        }
        Value::List(wanted) if is_same_kind => Some(How::OneOf(wanted.clone())),
        Value::Message(period) if is_period(period) => {
            let limit =
                |name| period.get_field_by_name(name).filter(|_| period.has_field_by_name(name));
            let (start, end) = (limit("start_time"), limit("end_time"));
            Some(How::Period(start.as_deref().and_then(time), end.as_deref().and_then(time)))
        }
        Value::Message(message) if is_same_kind => {
            let mut filter = Filter::default();
            filter.read(tables, &message.descriptor(), message)?;
            Some(How::Message(filter))
        }
        wanted if is_same_kind => Some(How::OneOf(vec![wanted.clone()])),
        _ => None,
    })
}

/// Tests whether a resource, or the device that it is about, is in one of these groups.
fn in_groups(
    tables: &impl Read,
    resource: &MessageDescriptor,
    groups: BTreeSet<String>,
) -> Result<Test, Failure> {
    if let Some(path) = Path::of(resource, GROUP) {
        return Ok(Test { path, how: How::OneText(groups) });
    }
    let device = Path::of(resource, "device_uuid").or_else(|| Path::of(resource, "uuid"));
    let path = device.ok_or_else(|| Failure::internal("a resource without a device"))?;
    Ok(Test { path, how: How::OneText(groups::devices(tables, &groups)?) })
}

impl How {
    fn fits(&self, found: &Value) -> bool {
        let text = || found.as_str().unwrap_or_default();
        match self {
            Self::OneOf(wanted) => wanted.contains(found),
            Self::OneText(wanted) => wanted.contains(text()),
            Self::Contains(part) => text().to_lowercase().contains(part),
            Self::EndsWith(end) => text().to_lowercase().ends_with(end),
            Self::Message(filter) => found.as_message().is_some_and(|found| filter.fits(found)),
            Self::IsSet => true,
            Self::Period(start, end) => {
                // Of a period, its start.
                let found = match found.as_message().filter(|found| is_period(found)) {
                    Some(period) => {
                        period.get_field_by_name("start_time").as_deref().and_then(time)
                    }
                    None => time(found),
                };
                found.is_some_and(|found| {
                    start.is_none_or(|start| start <= found) && end.is_none_or(|end| found < end)
                })
            }
        }
    }
}

fn is_period(message: &DynamicMessage) -> bool {
    message.descriptor().fields().all(|field| matches!(field.name(), "start_time" | "end_time"))
}

/// The time of a `google.protobuf.Timestamp`.
fn time(value: &Value) -> Option<Timestamp> {
    let message = value.as_message()?;
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    Some(Timestamp { seconds, nanos: message.get_field_by_name("nanos")?.as_i32()? })
}

//! Filters the resources of a list.

use prost_reflect::{DynamicMessage, ReflectMessage, Value};

use crate::emulator::failure::Failure;

/// The maximum number of values of a filter. Our limit.
const MAX_VALUES: usize = 10_000;

/// Whether a resource is wanted. A field of the request that is not set lets everything through.
///
/// * A field that the resource has too must be equal; of a message, the fields that are set.
/// * A repeated field, named after one of the resource with an `s`, holds the values that are wanted.
/// * A message with `start_time` and `end_time` is a period in which a time of the resource lies, from
///   the start on and before the end.
/// * The fields of a message `filter` are filters.
///
/// # Errors
///
/// `UNIMPLEMENTED` for a field that is set and none of these, so that it never means everything, and
/// `INVALID_ARGUMENT` for too many values. Both depend on the request alone.
pub(super) fn fits(resource: &DynamicMessage, filter: &DynamicMessage) -> Result<bool, Failure> {
    let mut fits = true;
    for (by, wanted) in filter.fields() {
        let name = by.name();
        let unknown = || Failure::unimplemented(format!("{name}: the emulator has no such filter"));
        if let ("filter", Value::Message(inner)) = (name, wanted) {
            fits &= self::fits(resource, inner)?;
            continue;
        }
        let descriptor = resource.descriptor();
        let singular = name.strip_suffix('s').filter(|_| by.is_list()).unwrap_or(name);
        let field = descriptor.get_field_by_name(name);
        let field = field.or_else(|| descriptor.get_field_by_name(singular)).ok_or_else(unknown)?;
        let found = resource.get_field(&field);
        let is_same_kind = field.kind() == by.kind() && !field.is_list();
        fits &= match wanted {
            Value::List(wanted) if wanted.len() > MAX_VALUES => {
                return Err(Failure::invalid(
                    name,
                    format!("at most {MAX_VALUES} values are possible"),
                ));
            }
            Value::List(wanted) if is_same_kind => wanted.contains(&found),
            Value::Message(wanted) if is_same_kind => match &*found {
                Value::Message(found) => self::fits(found, wanted)?,
                _ => false,
            },
            Value::Message(period) if is_period(period) && !field.is_list() => {
                let limit = |name| period.get_field_by_name(name).as_deref().and_then(time);
                let (start, end) = (limit("start_time"), limit("end_time"));
                let found = resource.has_field(&field).then(|| time(&found)).flatten();
                found.is_some_and(|found| {
                    start.is_none_or(|start| start <= found) && end.is_none_or(|end| found < end)
                })
            }
            wanted if is_same_kind => *found == *wanted,
            _ => return Err(unknown()),
        };
    }
    Ok(fits)
}

fn is_period(message: &DynamicMessage) -> bool {
    message.descriptor().fields().all(|field| matches!(field.name(), "start_time" | "end_time"))
}

/// The seconds and nanoseconds of a `google.protobuf.Timestamp`.
fn time(value: &Value) -> Option<(i64, i32)> {
    let message = value.as_message()?;
    let seconds = message.get_field_by_name("seconds")?.as_i64()?;
    Some((seconds, message.get_field_by_name("nanos")?.as_i32()?))
}

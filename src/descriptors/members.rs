//! Members of messages by their names, and what they sort by.

use prost_reflect::{DynamicMessage, FieldDescriptor, Kind, MessageDescriptor, Value};

use crate::check::closest;

/// The path of a member, such as `device.uuid`.
#[derive(Clone, Debug)]
pub struct Path(Vec<FieldDescriptor>);

impl Path {
    /// Returns the path with these names, each in either spelling; `None` if there is no such member.
    pub fn of(message: &MessageDescriptor, names: &str) -> Option<Self> {
        let mut message = Some(message.clone());
        let mut fields = Vec::new();
        for name in names.split('.') {
            let within = message.as_ref()?;
            let field =
                within.get_field_by_name(name).or_else(|| within.get_field_by_json_name(name))?;
            message = field.kind().as_message().cloned();
            fields.push(field);
        }
        Some(Self(fields))
    }

    /// Returns the path with these names.
    ///
    /// # Errors
    ///
    /// Says which message has no such member, and which one may have been meant.
    pub fn find(message: &MessageDescriptor, names: &str) -> Result<Self, String> {
        Self::of(message, names).ok_or_else(|| {
            let (above, name) = names.rsplit_once('.').unwrap_or(("", names));
            let within = match above {
                "" => Some(message.clone()),
                above => Self::of(message, above).and_then(|it| it.kind()?.as_message().cloned()),
            };
            let Some(within) = within else {
                return format!("expected a member of {}, found {names:?}", message.name());
            };
            let known: Vec<_> = within.fields().map(|it| it.json_name().to_owned()).collect();
            let meant = closest(name, known.iter().map(String::as_str));
            let meant = meant.map(|it| format!("; did you mean {it:?}?")).unwrap_or_default();
            format!("expected a member of {}, found {name:?}{meant}", within.name())
        })
    }

    /// Returns the member.
    pub fn last(&self) -> Option<&FieldDescriptor> {
        self.0.last()
    }

    /// Returns the type of the member.
    pub fn kind(&self) -> Option<Kind> {
        self.last().map(FieldDescriptor::kind)
    }

    /// Whether the member has one value at most.
    pub fn is_single(&self) -> bool {
        self.0.iter().all(|field| !field.is_list())
    }

    /// Whether one of the member's values fits. Messages that are not set have no values.
    pub fn any(&self, message: &DynamicMessage, fits: &mut dyn FnMut(&Value) -> bool) -> bool {
        any(message, &self.0, fits)
    }
}

fn any(
    message: &DynamicMessage,
    path: &[FieldDescriptor],
    fits: &mut dyn FnMut(&Value) -> bool,
) -> bool {
    let Some((field, rest)) = path.split_first() else { return false };
    if field.kind().as_message().is_some() && !message.has_field(field) {
        return false;
    }
    let value = message.get_field(field);
    let mut one = |value: &Value| match value {
        Value::Message(inner) if !rest.is_empty() => any(inner, rest, fits),
        value => fits(value),
    };
    match &*value {
        Value::List(values) => values.iter().any(one),
        value => one(value),
    }
}

/// What a value is compared by: numbers come before text.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(super) enum Key {
    /// Nothing.
    None,
    /// A number, or the number of an enum value.
    Number(f64),
    /// A time, or a number of 64 bits.
    Time(i64, i32),
    /// A text.
    Text(String),
}

impl Key {
    /// Returns what a value is compared by.
    pub(super) fn of(value: &Value) -> Self {
        match value {
            Value::Bool(value) => Self::Number(f64::from(u8::from(*value))),
            Value::EnumNumber(value) | Value::I32(value) => Self::Number(f64::from(*value)),
            Value::U32(value) => Self::Number(f64::from(*value)),
            Value::I64(value) => Self::Time(*value, 0),
            Value::U64(value) => Self::Time(i64::try_from(*value).unwrap_or(i64::MAX), 0),
            Value::F32(value) => Self::Number(f64::from(*value)),
            Value::F64(value) => Self::Number(*value),
            Value::String(text) => Self::Text(text.clone()),
            Value::Message(time) => {
                let part = |name| time.get_field_by_name(name);
                let seconds = part("seconds").and_then(|seconds| seconds.as_i64());
                let nanos = part("nanos").and_then(|nanos| nanos.as_i32());
                Self::Time(seconds.unwrap_or_default(), nanos.unwrap_or_default())
            }
            _ => Self::None,
        }
    }
}

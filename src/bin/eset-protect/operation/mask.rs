//! The `update_mask` of a request: made of what a call changes, or checked against it.

use std::collections::BTreeMap;

use eset_protect::descriptors::is_output_only;
use prost_reflect::{FieldDescriptor, MessageDescriptor};
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::cell::is_default;
use crate::flags::Flag;
use crate::method::{Method, named};

/// The field of a request with the paths of the fields to change (AIP-134). What an absent mask means, not every
/// service says, and a field that is empty is cleared only if the mask names it.
const NAME: &str = "update_mask";

/// The mask of a method's requests.
#[derive(Debug)]
pub struct Mask {
    field: FieldDescriptor,
    /// The fields from the request to the message that the paths are in: none, or its resource.
    resource: Option<FieldDescriptor>,
    /// The fields that a path can begin with.
    fields: Vec<FieldDescriptor>,
}

impl Mask {
    /// Returns the mask if the requests have one. What is in the path only names what is changed.
    pub fn of(method: &Method) -> Option<Self> {
        let (input, arguments) = (method.input(), method.arguments());
        let field = input.get_field_by_name(NAME)?;
        let resource = method.member();
        let kind = resource.as_ref().map(FieldDescriptor::kind);
        let message = kind.as_ref().and_then(|kind| kind.as_message()).unwrap_or(&input);
        let is_changed = |known: &FieldDescriptor| {
            let is_argument = resource.is_none() && arguments.iter().any(|it| it == known.name());
            *known != field && !is_argument && !is_output_only(known)
        };
        let fields = message.fields().filter(is_changed).collect();
        Some(Self { field, resource, fields })
    }

    /// Whether a flag sets something that the mask can name.
    pub fn covers(&self, flag: &Flag) -> bool {
        self.path_of(flag).is_some()
    }

    /// Completes a request with the mask of what it changes: what the `given` flags set, even to nothing, and what
    /// was in it `before`. Refuses a mask that leaves some of that out or names no field, and a request that changes
    /// nothing; `flags` are all that there are.
    pub fn complete(
        &self,
        before: &str,
        json: &str,
        given: &[&Flag],
        flags: &[Flag],
    ) -> Result<String, String> {
        let parse = |json| serde_json::from_str(json).map_err(|error| error.to_string());
        let (before, request): (Value, Value) = (parse(before)?, parse(json)?);
        let mut changed = self.set_in(&before);
        for path in given.iter().filter_map(|flag| self.path_of(flag)) {
            if !is_covered(&path, &changed) {
                changed.push(path);
            }
        }
        let is_flag = given.iter().any(|flag| flag.path() == NAME);
        let name = if is_flag { "--update-mask" } else { self.field.json_name() };
        let mask = member(&request, &self.field).and_then(Value::as_str).unwrap_or_default();
        let paths = mask.split(',').map(str::trim).filter(|path| !path.is_empty());
        let paths = paths.map(|path| self.find(path).map_err(|error| format!("{name}: {error}")));
        let mut paths = paths.collect::<Result<Vec<_>, _>>()?;
        if paths.is_empty() {
            paths = changed;
        } else if let Some(path) = changed.iter().find(|path| !is_covered(path, &paths)) {
            let expected = format!("expected {path} in it, too, since the request sets that");
            return Err(format!("{name}: {expected}; found {mask:?}"));
        }
        if paths.is_empty() {
            let known = flags.iter().filter(|flag| self.covers(flag)).map(Flag::typed_name);
            let known = known.collect::<Vec<_>>().join(", ");
            return Err(format!("the request changes nothing; expected one of {known}"));
        }
        let members = serde_json::from_str::<BTreeMap<String, Box<RawValue>>>(json);
        let mut members = members.map_err(|error| error.to_string())?;
        members.remove(NAME);
        let paths = to_raw_value(&paths.join(",")).map_err(|error| error.to_string())?;
        members.insert(self.field.json_name().to_owned(), paths);
        serde_json::to_string(&members).map_err(|error| error.to_string())
    }

    /// Returns the fields that a request sets.
    fn set_in(&self, request: &Value) -> Vec<String> {
        let message = match &self.resource {
            Some(resource) => member(request, resource),
            None => Some(request),
        };
        let is_set = |field: &&FieldDescriptor| {
            let value = message.and_then(|message| member(message, field));
            value.is_some_and(|value| !is_default(field, value))
        };
        self.fields.iter().filter(is_set).map(|field| field.json_name().to_owned()).collect()
    }

    /// Returns the path of what a flag sets, if the mask can name it.
    fn path_of(&self, flag: &Flag) -> Option<String> {
        let fields = match (&self.resource, &*flag.fields) {
            (Some(resource), [first, rest @ ..]) => (first == resource).then_some(rest)?,
            (_, fields) => fields,
        };
        let first = fields.first()?;
        let names = fields.iter().map(FieldDescriptor::json_name).collect::<Vec<_>>();
        self.fields.contains(first).then(|| names.join("."))
    }

    /// Finds a path in either spelling.
    fn find(&self, path: &str) -> Result<String, String> {
        if path == "*" {
            return Ok(path.to_owned());
        }
        let mut names = Vec::new();
        let mut fields = self.fields.clone();
        for name in path.split('.') {
            let field = named(&fields, name)
                .map_err(|hint| format!("expected fields to update, found {path:?}; {hint}"))?;
            names.push(field.json_name().to_owned());
            let kind = field.kind();
            fields = kind.as_message().into_iter().flat_map(MessageDescriptor::fields).collect();
        }
        Ok(names.join("."))
    }
}

/// Returns a member of an object, in either spelling.
fn member<'a>(object: &'a Value, field: &FieldDescriptor) -> Option<&'a Value> {
    object.get(field.json_name()).or_else(|| object.get(field.name()))
}

/// Whether one of `paths` names a field, a message around it or a part of it.
fn is_covered(path: &str, paths: &[String]) -> bool {
    let is_in = |inner: &str, outer: &str| {
        inner.strip_prefix(outer).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
    };
    paths.iter().any(|known| known == "*" || is_in(path, known) || is_in(known, path))
}

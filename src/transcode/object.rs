//! A JSON object whose members are taken out and put in by the path of a field, as text: what is not
//! touched keeps its numbers exactly.

use std::collections::BTreeMap;

use serde_json::value::RawValue;

use super::TranscodeError;
use crate::rpc::{Field, FieldKind};

type Members = BTreeMap<String, Box<RawValue>>;

/// An object with the fields that it can have.
pub(super) struct Object {
    pub(super) fields: &'static [Field],
    members: Members,
}

/// The field of a name in either spelling.
pub(super) fn field(fields: &'static [Field], name: &str) -> Option<&'static Field> {
    fields.iter().find(|field| field.json_name == name || field.name == name)
}

impl Object {
    pub(super) fn new(fields: &'static [Field]) -> Self {
        Self { fields, members: Members::new() }
    }

    /// Reads an object. Members that a message does not have stay: the message's reader judges them.
    pub(super) fn parse(fields: &'static [Field], json: &[u8]) -> Result<Self, TranscodeError> {
        let members = serde_json::from_slice(json)
            .map_err(|error| TranscodeError::new("", format!("expected a JSON object: {error}")))?;
        Ok(Self { fields, members })
    }

    /// Takes out the text of a scalar; `None` if it is not set.
    pub(super) fn take(&mut self, path: &str) -> Result<Option<String>, TranscodeError> {
        let wrong = |problem: &str| TranscodeError::new(path, problem);
        let (name, rest) = match path.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        let field = field(self.fields, name).ok_or_else(|| wrong("there is no such field"))?;
        let Some(json) = self.members.remove(field.json_name) else { return Ok(None) };
        match (rest, field.kind) {
            (Some(rest), FieldKind::Message(fields)) if !field.is_list => {
                let mut inner = Self::parse(fields(), json.get().as_bytes())?;
                let value = inner.take(rest)?;
                if !inner.members.is_empty() {
                    self.members.insert(field.json_name.to_owned(), inner.into_raw()?);
                }
                Ok(value)
            }
            (None, FieldKind::Bool | FieldKind::Scalar | FieldKind::Text) if !field.is_list => {
                scalar(&json).map(Some).ok_or_else(|| wrong("it is not a scalar"))
            }
            _ => Err(wrong("it is not a scalar")),
        }
    }

    /// Takes out a member whole.
    pub(super) fn take_member(&mut self, name: &str) -> Result<Box<RawValue>, TranscodeError> {
        let field = field(self.fields, name)
            .ok_or_else(|| TranscodeError::new(name, "there is no such field"))?;
        match self.members.remove(field.json_name) {
            Some(json) => Ok(json),
            None => raw("null".to_owned()),
        }
    }

    /// Puts in a scalar as text, in the JSON of its kind. A list grows; another field must be unset.
    pub(super) fn put(
        &mut self,
        path: &str,
        text: &str,
        replace: bool,
    ) -> Result<(), TranscodeError> {
        let wrong = |problem: String| TranscodeError::new(path, problem);
        let (name, rest) = match path.split_once('.') {
            Some((name, rest)) => (name, Some(rest)),
            None => (path, None),
        };
        let field =
            field(self.fields, name).ok_or_else(|| wrong("there is no such field".to_owned()))?;
        let known = self.known_name(field);
        match (rest, field.kind) {
            (Some(rest), FieldKind::Message(fields)) if !field.is_list => {
                let mut inner = match known.and_then(|name| self.members.remove(&name)) {
                    Some(json) if json.get() != "null" => {
                        Self::parse(fields(), json.get().as_bytes())?
                    }
                    _ => Self::new(fields()),
                };
                inner.put(rest, text, replace).map_err(|error| wrong(error.problem))?;
                self.members.insert(field.json_name.to_owned(), inner.into_raw()?);
            }
            (None, FieldKind::Bool | FieldKind::Scalar | FieldKind::Text) => {
                let value = json_of(field.kind, text).map_err(wrong)?;
                let value = match known.and_then(|name| self.members.remove(&name)) {
                    None if field.is_list => format!("[{value}]"),
                    None => value,
                    Some(list) if field.is_list => {
                        format!("{},{value}]", list.get().trim_end_matches(']'))
                    }
                    Some(_) if replace => value,
                    Some(_) => return Err(wrong("it is given twice".to_owned())),
                };
                self.members.insert(field.json_name.to_owned(), raw(value)?);
            }
            _ => return Err(wrong("a path or a query cannot hold it".to_owned())),
        }
        Ok(())
    }

    /// Puts in a member whole.
    pub(super) fn put_member(&mut self, name: &str, json: &[u8]) -> Result<(), TranscodeError> {
        let field = field(self.fields, name)
            .ok_or_else(|| TranscodeError::new(name, "there is no such field"))?;
        let value: Box<RawValue> = serde_json::from_slice(json)
            .map_err(|error| TranscodeError::new(name, format!("the body is not JSON: {error}")))?;
        self.members.insert(field.json_name.to_owned(), value);
        Ok(())
    }

    /// The scalars as a query has them: paths in JSON spelling, lists as one entry an element.
    pub(super) fn to_query(&self) -> Result<Vec<(String, String)>, TranscodeError> {
        let mut pairs = Vec::new();
        for (name, json) in &self.members {
            let wrong = || TranscodeError::new(name, "a query cannot hold it");
            let field = field(self.fields, name).ok_or_else(wrong)?;
            match field.kind {
                FieldKind::Message(fields) if !field.is_list => {
                    let inner = Self::parse(fields(), json.get().as_bytes())?;
                    let inner = inner.to_query().map_err(|error| {
                        TranscodeError::new(format!("{name}.{}", error.field), error.problem)
                    })?;
                    pairs.extend(inner.into_iter().map(|(path, v)| (format!("{name}.{path}"), v)));
                }
                FieldKind::Bool | FieldKind::Scalar | FieldKind::Text if field.is_list => {
                    let elements: Vec<Box<RawValue>> =
                        serde_json::from_str(json.get()).map_err(|_| wrong())?;
                    for element in elements {
                        pairs.push((name.clone(), scalar(&element).ok_or_else(wrong)?));
                    }
                }
                FieldKind::Bool | FieldKind::Scalar | FieldKind::Text => {
                    pairs.push((name.clone(), scalar(json).ok_or_else(wrong)?));
                }
                FieldKind::Message(_) | FieldKind::Map => return Err(wrong()),
            }
        }
        Ok(pairs)
    }

    pub(super) fn into_json(self) -> Result<Vec<u8>, TranscodeError> {
        serde_json::to_vec(&self.members)
            .map_err(|error| TranscodeError::new("", error.to_string()))
    }

    fn into_raw(self) -> Result<Box<RawValue>, TranscodeError> {
        serde_json::value::to_raw_value(&self.members)
            .map_err(|error| TranscodeError::new("", error.to_string()))
    }

    /// The spelling in which a member is there.
    fn known_name(&self, field: &Field) -> Option<String> {
        [field.json_name, field.name]
            .into_iter()
            .find(|name| self.members.contains_key(*name))
            .map(str::to_owned)
    }
}

fn raw(json: String) -> Result<Box<RawValue>, TranscodeError> {
    RawValue::from_string(json).map_err(|error| TranscodeError::new("", error.to_string()))
}

/// The text of a JSON scalar.
fn scalar(json: &RawValue) -> Option<String> {
    match json.get().as_bytes().first()? {
        b'"' => serde_json::from_str(json.get()).ok(),
        b'{' | b'[' => None,
        _ => Some(json.get().to_owned()),
    }
}

/// The JSON for a text. Numbers, enum values and well-known types are read from strings too.
fn json_of(kind: FieldKind, text: &str) -> Result<String, String> {
    match kind {
        FieldKind::Bool if text == "true" || text == "false" => Ok(text.to_owned()),
        FieldKind::Bool => Err(format!("expected true or false, found {text:?}")),
        _ => serde_json::to_string(text).map_err(|error| error.to_string()),
    }
}

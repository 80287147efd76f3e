//! A JSON object whose members are set and removed by field path, as text. Untouched numbers stay exact.

use super::TranscodeError;
use crate::json::compact::Compact;
use crate::json::members::Members;
use crate::json::parser::Parser;
use crate::json::schema::{Field, FieldKind, FieldShape, JsonForm, Parameter};
use crate::protojson;

/// The maximum depth of a name in a path or query, the same as protobuf's limit for messages. Parsing is
/// recursive, and a query may come from anyone.
const MAX_DEPTH: usize = 100;

/// An object and the fields that it may have, in their original order.
pub(super) struct Object {
    fields: &'static [Field],
    members: Vec<(String, Node)>,
}

/// A member's value.
enum Node {
    /// Unparsed JSON.
    Raw(String),
    /// A list to append to.
    List(Vec<String>),
    /// A partly modified object.
    Object(Object),
}

impl Node {
    fn write(&self, json: &mut Compact) {
        match self {
            Self::Raw(text) => json.raw(text),
            Self::List(list) => json.list(|json| {
                for text in list {
                    json.element();
                    json.raw(text);
                }
            }),
            Self::Object(object) => object.write(json),
        }
    }

    fn to_json(&self) -> Vec<u8> {
        let mut json = Compact::default();
        self.write(&mut json);
        json.into_string().into_bytes()
    }
}

/// The kinds of fields that a path or query can set.
enum Target {
    /// A value, or an element of a list.
    Value(Parameter),
    /// A message whose fields follow after a dot.
    Fields(&'static [Field]),
    /// Nothing: a map, a list of messages, free JSON, `google.protobuf.Empty`.
    Nothing,
}

fn target(field: &Field) -> Target {
    match (field.kind, field.shape) {
        (_, FieldShape::Map(_)) => Target::Nothing,
        (FieldKind::Bool, _) => Target::Value(Parameter::Bool),
        (FieldKind::Text | FieldKind::Scalar | FieldKind::Enum(_), _) => {
            Target::Value(Parameter::Text)
        }
        (FieldKind::Message(inner), _) => match inner().form {
            JsonForm::WellKnown { parameter: Some(parameter), .. } => Target::Value(parameter),
            JsonForm::Object { fields, .. } if !field.is_list() => Target::Fields(fields),
            _ => Target::Nothing,
        },
    }
}

/// Finds a field by name, in any spelling.
pub(super) fn find(fields: &'static [Field], name: &str) -> Result<&'static Field, TranscodeError> {
    fields
        .iter()
        .find(|field| field.is_called(name))
        .ok_or_else(|| TranscodeError::new(name, "there is no such field"))
}

/// Splits a path into its first name and the rest.
fn split(path: &str) -> (&str, Option<&str>) {
    path.split_once('.').map_or((path, None), |(name, rest)| (name, Some(rest)))
}

impl Object {
    pub(super) fn new(fields: &'static [Field]) -> Self {
        Self { fields, members: Vec::new() }
    }

    /// Parses an object, in which every name must be unique. Keeps unknown members, which the reader of the
    /// message handles.
    pub(super) fn parse(fields: &'static [Field], json: &[u8]) -> Result<Self, TranscodeError> {
        protojson::with_text(json, Members::parse)
            .map(|members| Self::of(fields, members))
            .map_err(|error| TranscodeError::json(&error))
    }

    /// Parses an object that this crate wrote, or part of an object that was already parsed. It may be nested
    /// more deeply than other input.
    pub(super) fn parse_own(fields: &'static [Field], json: &[u8]) -> Result<Self, TranscodeError> {
        protojson::with_text(json, Members::parse_own)
            .map(|members| Self::of(fields, members))
            .map_err(|error| TranscodeError::json(&error))
    }

    fn of(fields: &'static [Field], members: Members) -> Self {
        let members = members.into_list().into_iter();
        Self { fields, members: members.map(|(name, json)| (name, Node::Raw(json))).collect() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.members.is_empty()
    }

    /// Removes a scalar and returns its text; `None` if it is not set.
    pub(super) fn take(&mut self, path: &str) -> Result<Option<String>, TranscodeError> {
        let wrong = || TranscodeError::new(path, "it is not a scalar");
        let (name, rest) = split(path);
        let field = find(self.fields, name).map_err(|error| error.at(path))?;
        let Some(index) = self.position(field) else { return Ok(None) };
        match (rest, target(field)) {
            (Some(rest), Target::Fields(fields)) => {
                let Some(inner) = self.inner(index, fields)? else { return Ok(None) };
                let value = inner.take(rest).map_err(|error| error.at(path))?;
                if inner.is_empty() {
                    self.members.remove(index);
                }
                Ok(value)
            }
            (None, Target::Value(_)) if !field.is_list() => match self.members.remove(index).1 {
                Node::Raw(json) => scalar(&json).map(Some).ok_or_else(wrong),
                Node::List(_) | Node::Object(_) => Err(wrong()),
            },
            _ => Err(wrong()),
        }
    }

    /// Removes a member and returns its JSON; `None` if it is not set.
    pub(super) fn take_member(&mut self, name: &str) -> Result<Option<Vec<u8>>, TranscodeError> {
        let field = find(self.fields, name)?;
        match self.position(field) {
            Some(index) => Ok(Some(self.members.remove(index).1.to_json())),
            None => Ok(None),
        }
    }

    /// Sets a scalar from the text in a path or query, as JSON of its kind. Appends to lists; any other field
    /// must be unset or is replaced.
    pub(super) fn put(
        &mut self,
        path: &str,
        text: &str,
        replace: bool,
    ) -> Result<(), TranscodeError> {
        if path.split('.').count() > MAX_DEPTH {
            let problem = format!("a name has more than {MAX_DEPTH} parts");
            return Err(TranscodeError::new("", problem));
        }
        self.put_at(path, text, replace).map_err(|error| error.at(path))
    }

    fn put_at(&mut self, path: &str, text: &str, replace: bool) -> Result<(), TranscodeError> {
        let wrong = |problem: &str| TranscodeError::new(path, problem);
        let (name, rest) = split(path);
        let field = find(self.fields, name)?;
        let known = self.position(field);
        match (rest, target(field)) {
            (Some(rest), Target::Fields(fields)) => {
                let index = known.unwrap_or(self.members.len());
                if known.is_none() {
                    let inner = Node::Object(Self::new(fields));
                    self.members.push((field.json_name().to_owned(), inner));
                }
                self.inner(index, fields)?
                    .ok_or_else(|| wrong("it is not an object"))?
                    .put_at(rest, text, replace)
            }
            (None, Target::Value(parameter)) => {
                let value = json_of(parameter, text).map_err(|problem| wrong(&problem))?;
                let node = match field.is_list() {
                    true => Node::List(vec![value.clone()]),
                    false => Node::Raw(value.clone()),
                };
                match known.and_then(|index| self.members.get_mut(index)) {
                    None => self.members.push((field.json_name().to_owned(), node)),
                    Some((_, Node::List(list))) => list.push(value),
                    Some((_, known)) if replace => *known = node,
                    Some(_) => return Err(wrong("it is given twice")),
                }
                Ok(())
            }
            _ => Err(wrong("a path or a query cannot hold it")),
        }
    }

    /// Sets the JSON of a member that is unset.
    pub(super) fn put_member(&mut self, name: &str, json: &[u8]) -> Result<(), TranscodeError> {
        let field = find(self.fields, name)?;
        let value = protojson::with_text(json, |json| {
            Parser::new(json).read(|parser| parser.value().map(str::to_owned))
        });
        let value = value.map_err(|error| {
            let error = TranscodeError::json(&error).at(name);
            TranscodeError { problem: format!("the body is not JSON: {}", error.problem), ..error }
        })?;
        self.members.push((field.json_name().to_owned(), Node::Raw(value)));
        Ok(())
    }

    /// Returns the scalars as query parameters: paths in JSON spelling, and one parameter for each element of
    /// a list. Omits messages without any set field.
    pub(super) fn into_query(self) -> Result<Vec<(String, String)>, TranscodeError> {
        let mut pairs = Vec::new();
        for (name, node) in self.members {
            let wrong = || TranscodeError::new(&name, "a query cannot hold it");
            let field = find(self.fields, &name)?;
            let inner = match (target(field), node) {
                (Target::Fields(fields), Node::Raw(json)) => {
                    Self::parse_own(fields, json.as_bytes())?
                }
                (Target::Fields(_), Node::Object(inner)) => inner,
                (Target::Value(_), Node::Raw(json)) => {
                    if field.is_list() {
                        for element in elements(&json).ok_or_else(wrong)? {
                            pairs.push((name.clone(), scalar(element).ok_or_else(wrong)?));
                        }
                    } else {
                        pairs.push((name.clone(), scalar(&json).ok_or_else(wrong)?));
                    }
                    continue;
                }
                _ => return Err(wrong()),
            };
            let inner = inner.into_query().map_err(|error| error.below(&name))?;
            pairs.extend(inner.into_iter().map(|(path, value)| (format!("{name}.{path}"), value)));
        }
        Ok(pairs)
    }

    fn write(&self, json: &mut Compact) {
        json.object(|json| {
            for (name, node) in &self.members {
                json.member(name);
                node.write(json);
            }
        });
    }

    pub(super) fn into_json(self) -> Vec<u8> {
        Node::Object(self).to_json()
    }

    /// Returns the position of a field's member, in either spelling.
    fn position(&self, field: &Field) -> Option<usize> {
        self.members.iter().position(|(name, _)| field.is_called(name))
    }

    /// Returns the object in a member; `null` becomes an empty object.
    fn inner(
        &mut self,
        index: usize,
        fields: &'static [Field],
    ) -> Result<Option<&mut Self>, TranscodeError> {
        let Some((name, node)) = self.members.get_mut(index) else { return Ok(None) };
        if let Node::Raw(json) = node {
            let inner = match json.as_str() {
                "null" => Self::new(fields),
                json => {
                    Self::parse_own(fields, json.as_bytes()).map_err(|error| error.below(name))?
                }
            };
            *node = Node::Object(inner);
        }
        match node {
            Node::Object(inner) => Ok(Some(inner)),
            Node::Raw(_) | Node::List(_) => Ok(None),
        }
    }
}

/// Returns the elements of a list.
fn elements(list: &str) -> Option<Vec<&str>> {
    let read = Parser::new(list).read(|parser| {
        parser.list(&"a list", |list| {
            let mut elements = Vec::new();
            while let Some(parser) = list.next()? {
                elements.push(parser.value()?);
            }
            Ok(elements)
        })
    });
    read.ok()
}

/// Returns the text of a JSON scalar.
fn scalar(json: &str) -> Option<String> {
    match json.as_bytes().first()? {
        b'"' => serde_json::from_str(json).ok(),
        b'{' | b'[' => None,
        _ => Some(json.to_owned()),
    }
}

/// Returns the JSON for a text. Numbers, enum values and well-known types are read from strings too.
fn json_of(parameter: Parameter, text: &str) -> Result<String, String> {
    match (parameter, text) {
        (Parameter::Text, _) => {
            let mut json = Compact::default();
            json.string(text);
            Ok(json.into_string())
        }
        (Parameter::Bool, "true" | "false") => Ok(text.to_owned()),
        (Parameter::Bool, _) => Err(format!("expected true or false, found {text:?}")),
    }
}

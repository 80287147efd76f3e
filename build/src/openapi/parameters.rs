//! Describes path and query parameters.

use std::fmt;

use prost_reflect::{FieldDescriptor, Kind, MessageDescriptor};

use crate::comments;
use crate::field_behavior;
use crate::json::Json;
use crate::openapi::constraints;
use crate::openapi::examples::Examples;
use crate::openapi::schemas::{self, Schemas};

/// A path template in OpenAPI's syntax.
#[derive(Clone, Debug)]
pub(super) struct Path {
    segments: Vec<Segment>,
    verb: String,
}

#[derive(Clone, Debug)]
enum Segment {
    Literal(String),
    Parameter(Parameter),
}

#[derive(Clone, Debug)]
struct Parameter {
    name: String,
    /// The path of the field in the `.proto` file; empty for an unnamed wildcard.
    field_path: String,
    field: Option<FieldDescriptor>,
    is_part: bool,
    is_many: bool,
}

impl Path {
    /// Parses a template of this request. The crate's tests find malformed templates.
    pub(super) fn new(template: &str, request: &MessageDescriptor) -> Self {
        let (mut segments, mut verb) = (Vec::new(), String::new());
        let mut rest = template.strip_prefix('/').unwrap_or(template);
        while !rest.is_empty() {
            if let Some((variable, after)) =
                rest.strip_prefix('{').and_then(|rest| rest.split_once('}'))
            {
                let (field, pattern) = variable.split_once('=').unwrap_or((variable, "*"));
                add_variable(&mut segments, field, pattern, request);
                rest = after;
            } else {
                let end = rest.find(['/', ':']).unwrap_or(rest.len());
                let (segment, after) = rest.split_at(end);
                add_segment(&mut segments, segment, "", request, false);
                rest = after;
            }
            match rest.strip_prefix('/') {
                Some(next) => rest = next,
                None => {
                    rest.clone_into(&mut verb);
                    break;
                }
            }
        }
        Self { segments, verb }
    }

    /// Returns the path without parameter names.
    pub(super) fn shape(&self) -> String {
        self.write(|_| String::new())
    }

    /// Takes over the parameter names of a path of the same shape.
    pub(super) fn rename_as(&mut self, other: &Self) {
        for (own, other) in self.segments.iter_mut().zip(&other.segments) {
            if let (Segment::Parameter(own), Segment::Parameter(other)) = (own, other) {
                other.name.clone_into(&mut own.name);
            }
        }
    }

    /// Whether the path has no parameters.
    pub(super) fn is_constant(&self) -> bool {
        self.names().next().is_none()
    }

    /// Whether the path contains the whole value of a request field.
    pub(super) fn binds(&self, field: &FieldDescriptor) -> bool {
        self.binds_path(field.name())
    }

    fn binds_path(&self, path: &str) -> bool {
        self.names().any(|parameter| parameter.field_path == path)
    }

    fn names(&self) -> impl Iterator<Item = &Parameter> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::Parameter(parameter) => Some(parameter),
            Segment::Literal(_) => None,
        })
    }

    /// Returns the parameters of the path.
    pub(super) fn parameters(&self, schemas: &mut Schemas, examples: &Examples) -> Vec<Json> {
        let parameter = |parameter: &Parameter| {
            let mut text = parameter.field.as_ref().and_then(comment).unwrap_or_default();
            if parameter.is_many {
                text.push_str("\nIt may contain slashes, which are not escaped.");
            } else if parameter.is_part {
                text.push_str(&format!("\nA part of `{}`.", parameter.field_path));
            }
            let whole = parameter.field.as_ref().filter(|_| !parameter.is_part);
            let schema = match whole {
                Some(field) => schemas.element(field),
                None => Json::object([("type", Json::text("string"))]),
            };
            // A path without the segments of `**` fits, too.
            let schema = if parameter.is_many { schema } else { constraints::on_segment(schema) };
            let text = text.trim();
            Json::object([("name", Json::text(&parameter.name)), ("in", Json::text("path"))])
                .with("description", (!text.is_empty()).then(|| Json::text(text)))
                .with("required", Some(Json::Bool(true)))
                .with("schema", Some(schema))
                .with("example", examples.parameter(&parameter.name))
        };
        self.names().map(parameter).collect()
    }

    fn write(&self, name: impl Fn(&Parameter) -> String) -> String {
        let segments = self.segments.iter().map(|segment| match segment {
            Segment::Literal(literal) => format!("/{literal}"),
            Segment::Parameter(parameter) => format!("/{{{}}}", name(parameter)),
        });
        segments.collect::<String>() + &self.verb
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.write(|parameter| parameter.name.clone()))
    }
}

fn add_variable(
    segments: &mut Vec<Segment>,
    field: &str,
    pattern: &str,
    request: &MessageDescriptor,
) {
    let is_part = pattern != "*";
    for segment in pattern.split('/') {
        add_segment(segments, segment, field, request, is_part);
    }
}

fn add_segment(
    segments: &mut Vec<Segment>,
    segment: &str,
    field_path: &str,
    request: &MessageDescriptor,
    is_part: bool,
) {
    if segment != "*" && segment != "**" {
        segments.push(Segment::Literal(segment.to_owned()));
        return;
    }
    let (field, json_path) = resolve(request, field_path);
    let base = if field_path.is_empty() { "wildcard".to_owned() } else { json_path };
    let is_taken = |name: &str| {
        let is_it = |segment: &Segment| matches!(segment, Segment::Parameter(parameter) if parameter.name == name);
        segments.iter().any(is_it)
    };
    let mut name = base.clone();
    let mut number = 2;
    while is_taken(&name) {
        name = format!("{base}{number}");
        number += 1;
    }
    let field_path = field_path.to_owned();
    let is_many = segment == "**";
    segments.push(Segment::Parameter(Parameter { name, field_path, field, is_part, is_many }));
}

/// Returns the field of a path, and the path with JSON names.
fn resolve(request: &MessageDescriptor, path: &str) -> (Option<FieldDescriptor>, String) {
    let mut message = Some(request.clone());
    let (mut found, mut names) = (None, Vec::new());
    for name in path.split('.') {
        found = message.and_then(|message| message.get_field_by_name(name));
        names.push(found.as_ref().map_or(name, |field| field.json_name()).to_owned());
        message = found.as_ref().and_then(|field| field.kind().as_message().cloned());
    }
    (found, names.join("."))
}

fn comment(field: &FieldDescriptor) -> Option<String> {
    comments::find(&field.parent_file(), field.path())
}

/// Returns the query parameters: all fields that are in neither the path nor the body.
pub(super) fn query(
    request: &MessageDescriptor,
    body: &str,
    path: &Path,
    schemas: &mut Schemas,
    examples: &Examples,
) -> Vec<Json> {
    let (above, found) = (Vec::new(), Vec::new());
    let mut query = Query { path, schemas, examples, above, found };
    query.add(request, body, "", "");
    query.found
}

struct Query<'a> {
    path: &'a Path,
    schemas: &'a mut Schemas,
    examples: &'a Examples,
    /// The enclosing messages, to stop at recursive ones.
    above: Vec<String>,
    found: Vec<Json>,
}

impl Query<'_> {
    fn add(&mut self, message: &MessageDescriptor, body: &str, names: &str, json_names: &str) {
        if self.above.iter().any(|above| above == message.full_name()) {
            return;
        }
        self.above.push(message.full_name().to_owned());
        for field in message.fields().filter(|field| field.name() != body) {
            let path = format!("{names}{}", field.name());
            let name = format!("{json_names}{}", field.json_name());
            if self.path.binds_path(&path) || field.is_map() {
                continue;
            }
            match field.kind() {
                Kind::Message(inner) if !schemas::is_scalar(&inner) => {
                    // A query cannot represent lists of messages or free JSON.
                    if !field.is_list() && inner.package_name() != "google.protobuf" {
                        self.add(&inner, "", &format!("{path}."), &format!("{name}."));
                    }
                }
                _ => {
                    let schema = self.schemas.plain(&field);
                    // A message around it may be left out as a whole.
                    let is_required = names.is_empty() && field_behavior::is_required(&field);
                    let parameter =
                        Json::object([("name", Json::text(&name)), ("in", Json::text("query"))])
                            .with("description", comment(&field).map(Json::Text))
                            .with("required", is_required.then_some(Json::Bool(true)))
                            .with("schema", Some(schema))
                            .with("example", self.examples.parameter(&name));
                    self.found.push(parameter);
                }
            }
        }
        self.above.pop();
    }
}

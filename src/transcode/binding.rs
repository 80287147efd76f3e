//! The messages of an RPC as an HTTP request and its response.

use serde::Serialize;

use super::object::Object;
use super::{TranscodeError, query};
use crate::json::context;
use crate::json::embedded::message_type;
use crate::json::message::JsonMessage;
use crate::json::schema::Field;
use crate::protojson::{self, Writer};
use crate::rpc::{HttpBinding, Rpc};

/// The HTTP request that stands for a call of an RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query.
    pub path_and_query: String,
    /// The JSON body; `None` for a method without one. Empty where one field is the body and the
    /// field is not set.
    pub body: Option<Vec<u8>>,
    binding: &'static HttpBinding,
}

impl Encoded {
    /// Encodes a request by the first of its RPC's bindings whose variables have values.
    ///
    /// Messages without a field in them have no place in a query and leave no trace there.
    ///
    /// # Errors
    ///
    /// If no binding fits: a field of the path is empty, or something that only a body can hold would
    /// have to be in a query. Also if something in the request has no JSON form, as for a strict
    /// [`Writer`]: ESET takes what it does not understand for empty.
    pub fn request<R: Rpc>(request: &R::Request) -> Result<Self, TranscodeError> {
        context::writing_strictly(|| Self::strictly::<R>(request))
    }

    fn strictly<R: Rpc>(request: &R::Request) -> Result<Self, TranscodeError> {
        let json = write(request)?;
        let mut first = None;
        for binding in R::SPEC.http {
            let template = &binding.template;
            // The whole message is the body: the JSON is there already.
            if binding.body == "*" && template.fields().next().is_none() {
                let path_and_query = template.expand(|_| None)?;
                return Ok(Self {
                    method: binding.method,
                    path_and_query,
                    body: Some(json),
                    binding,
                });
            }
            match encode::<R>(binding, &json, request) {
                Ok(encoded) => return Ok(encoded),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| TranscodeError::new("", "the RPC has no HTTP form")))
    }

    /// The binding by which the request is encoded.
    pub fn binding(&self) -> &'static HttpBinding {
        self.binding
    }

    /// Reads the body of the response to this request. A body without a byte is a response without
    /// a field, if the response has no fields or one field is the body.
    ///
    /// # Errors
    ///
    /// If the body is not of such a response.
    pub fn response<R: Rpc>(&self, body: &[u8]) -> Result<R::Response, TranscodeError> {
        let fields = fields_of::<R::Response>();
        let field = self.binding.response_body;
        if body.is_empty() && (fields.is_empty() || !field.is_empty()) {
            return Ok(R::Response::default());
        }
        if field.is_empty() {
            return protojson::read(body).map_err(|error| TranscodeError::json(&error));
        }
        let mut object = Object::new(fields);
        object.put_member(field, body)?;
        serde_json::from_slice(&object.to_json()?)
            .map_err(|error| TranscodeError::json_made_here(&error))
    }
}

fn encode<R: Rpc>(
    binding: &'static HttpBinding,
    json: &[u8],
    request: &R::Request,
) -> Result<Encoded, TranscodeError> {
    let fields = fields_of::<R::Request>();
    let template = &binding.template;
    let mut object = Object::parse_own(fields, json)?;
    let mut values = Vec::new();
    for field in template.fields() {
        let value = match object.take(field)? {
            // A number 0 is left out of JSON, and yet it is a value.
            None => with_defaults(fields, request)?.take(field)?,
            value => value,
        };
        values.push((field, value));
    }
    let mut path_and_query = template.expand(|name| {
        values.iter().find(|(field, _)| *field == name).and_then(|(_, value)| value.clone())
    })?;
    let body = match binding.body {
        "" => None,
        "*" => {
            let body = std::mem::replace(&mut object, Object::new(fields));
            Some(body.to_json()?)
        }
        field => Some(match object.take_member(field)? {
            Some(json) => json,
            None => with_defaults(fields, request)?.take_member(field)?.unwrap_or_default(),
        }),
    };
    query::write(&object.into_query()?, &mut path_and_query);
    Ok(Encoded { method: binding.method, path_and_query, body, binding })
}

/// Reads a request from the values of the path, the query and the body.
pub(super) fn decode<R: Rpc>(
    binding: &HttpBinding,
    variables: &[(String, String)],
    query: &str,
    body: &[u8],
) -> Result<R::Request, TranscodeError> {
    let whole = |problem: &str| TranscodeError::new("", problem);
    let fields = fields_of::<R::Request>();
    let mut object = match binding.body {
        // Some HTTP clients send an empty object with everything.
        "" if matches!(body.trim_ascii(), b"" | b"{}") => Object::new(fields),
        "" => return Err(whole("the request takes its fields from the query, not a body")),
        // With `*` the body has every field that the path does not have.
        "*" if !query.is_empty() => {
            return Err(whole("the request takes its fields from the body, not a query"));
        }
        "*" if body.is_empty() => Object::new(fields),
        "*" if variables.is_empty() => {
            return protojson::read(body).map_err(|error| TranscodeError::json(&error));
        }
        "*" => Object::parse(fields, body)?,
        field if !body.is_empty() => {
            let mut object = Object::new(fields);
            object.put_member(field, body)?;
            object
        }
        _ => Object::new(fields),
    };
    for (field, value) in variables {
        object.put(field, value, true)?;
    }
    query::read(query, fields, binding.body, &mut object)?;
    serde_json::from_slice(&object.to_json()?)
        .map_err(|error| TranscodeError::json_made_here(&error))
}

/// The body of an HTTP response.
pub(super) fn encode_response<R: Rpc>(
    binding: &HttpBinding,
    response: &R::Response,
) -> Result<Vec<u8>, TranscodeError> {
    let json = write(response)?;
    let field = binding.response_body;
    if field.is_empty() {
        return Ok(json);
    }
    let fields = fields_of::<R::Response>();
    if let Some(json) = Object::parse_own(fields, &json)?.take_member(field)? {
        return Ok(json);
    }
    let json = with_defaults(fields, response)?.take_member(field)?;
    Ok(json.unwrap_or_else(|| b"null".to_vec()))
}

/// The fields of a request or a response.
fn fields_of<M: JsonMessage>() -> &'static [Field] {
    message_type::<M>().fields().unwrap_or_default()
}

fn write(message: &impl Serialize) -> Result<Vec<u8>, TranscodeError> {
    serde_json::to_vec(message).map_err(|error| TranscodeError::json(&error))
}

/// A message with the fields that JSON leaves out.
fn with_defaults(
    fields: &'static [Field],
    message: &impl Serialize,
) -> Result<Object, TranscodeError> {
    let writer = Writer::new().strict(context::writes_strictly()).emit_defaults(true);
    let json = writer.write(message).map_err(|error| TranscodeError::json(&error))?;
    Object::parse_own(fields, &json)
}

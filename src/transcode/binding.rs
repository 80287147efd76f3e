//! A request message as an HTTP request.

use super::object::Object;
use super::path_template::PathTemplate;
use super::{TranscodeError, query};
use crate::rpc::{HttpBinding, MethodSpec, Rpc};

/// The HTTP request that stands for a call of an RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The HTTP method.
    pub method: &'static str,
    /// Path and query.
    pub path_and_query: String,
    /// The JSON body; `None` for a method without one.
    pub body: Option<Vec<u8>>,
}

impl Encoded {
    /// Encodes a request by the first of its RPC's bindings whose variables have values.
    ///
    /// # Errors
    ///
    /// If no binding fits: a field of the path is empty, or something that only a body can hold would
    /// have to be in a query.
    pub fn request<R: Rpc>(request: &R::Request) -> Result<Self, TranscodeError> {
        let json = serde_json::to_vec(request)
            .map_err(|error| TranscodeError::new("", error.to_string()))?;
        let mut first = None;
        for binding in R::SPEC.http {
            match encode(R::SPEC, binding, &json) {
                Ok(encoded) => return Ok(encoded),
                Err(error) => first = first.or(Some(error)),
            }
        }
        Err(first.unwrap_or_else(|| TranscodeError::new("", "the RPC has no HTTP form")))
    }
}

fn encode(
    spec: &MethodSpec,
    binding: &HttpBinding,
    json: &[u8],
) -> Result<Encoded, TranscodeError> {
    let template: PathTemplate =
        binding.path.parse().map_err(|error| TranscodeError::new("", format!("{error}")))?;
    let mut object = Object::parse((spec.request_fields)(), json)?;
    let mut values = Vec::new();
    for field in template.fields() {
        values.push((field.to_owned(), object.take(field)?));
    }
    let mut path_and_query = template.expand(|name| {
        values.iter().find(|(field, _)| field == name).and_then(|(_, value)| value.clone())
    })?;
    let body = match binding.body {
        "" => None,
        "*" => {
            let body = std::mem::replace(&mut object, Object::new((spec.request_fields)()));
            Some(body.into_json()?)
        }
        field => Some(object.take_member(field)?.get().as_bytes().to_vec()),
    };
    query::write(&object.to_query()?, &mut path_and_query);
    Ok(Encoded { method: binding.method, path_and_query, body })
}

/// Reads a request from the values of the path, the query and the body.
pub(super) fn decode<R: Rpc>(
    binding: &HttpBinding,
    variables: &[(String, String)],
    query: &str,
    body: &[u8],
) -> Result<R::Request, TranscodeError> {
    let fields = (R::SPEC.request_fields)();
    let mut object = match binding.body {
        "" => Object::new(fields),
        "*" if body.is_empty() => Object::new(fields),
        "*" => Object::parse(fields, body)?,
        field => {
            let mut object = Object::new(fields);
            if !body.is_empty() {
                object.put_member(field, body)?;
            }
            object
        }
    };
    // With `*` the body has every field that the path does not have.
    if binding.body == "*" && !query.is_empty() {
        return Err(TranscodeError::new(
            "",
            "the request takes its fields from the body, not a query",
        ));
    }
    super::query::read(query, &mut object)?;
    for (field, value) in variables {
        object.put(field, value, true)?;
    }
    serde_json::from_slice(&object.into_json()?)
        .map_err(|error| TranscodeError::new("", error.to_string()))
}

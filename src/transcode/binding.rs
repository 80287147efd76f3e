//! Encodes and decodes the messages of an RPC as HTTP requests and responses.

use std::borrow::Cow;

use bytes::Bytes;
use prost::DecodeError;
use prost::encoding::WireType;

use super::object::Object;
use super::{TranscodeError, form, query};
use crate::json::context;
use crate::json::message::{JsonMessage, message_type};
use crate::json::parser::Parser;
use crate::json::schema::{Field, FieldKind, FieldShape};
use crate::json::wire;
use crate::protojson;
use crate::rpc::{HttpBinding, Rpc};
use crate::warn_limit::{WarnLimit, warn_within};
#[cfg(feature = "rest")]
use crate::wkt::Any;

/// An upstream that sends such a member does so in every response.
static MISFITS: WarnLimit = WarnLimit::new();

/// The HTTP request for a call of an RPC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Encoded {
    /// The HTTP method.
    pub method: &'static str,
    /// The path and query.
    pub path_and_query: String,
    /// The JSON body; `None` for a method without one. Empty if a single field is the body and is not set.
    pub body: Option<Vec<u8>>,
    binding: &'static HttpBinding,
}

impl Encoded {
    /// A request as it is.
    #[cfg(feature = "rest")]
    pub(crate) fn new(
        binding: &'static HttpBinding,
        path_and_query: String,
        body: Option<Vec<u8>>,
    ) -> Self {
        Self { method: binding.method, path_and_query, body, binding }
    }

    /// Encodes a request with the first binding of its RPC whose variables all have values.
    ///
    /// Messages without any set field cannot be represented in a query and are omitted from it.
    ///
    /// # Errors
    ///
    /// Fails if no binding fits: a field in the path is empty, or a query would have to contain something
    /// that only a body can. Also fails if part of the request has no JSON form, as with a strict
    /// [`Writer`](crate::protojson::Writer), because ESET treats values that it does not understand as empty.
    pub fn request<R: Rpc>(request: &R::Request) -> Result<Self, TranscodeError> {
        Self::of(request, R::SPEC.http)
    }

    /// Encodes a request with one of these bindings of its RPC.
    pub(crate) fn of(
        request: &dyn Transcoded,
        bindings: &'static [HttpBinding],
    ) -> Result<Self, TranscodeError> {
        Self::of_strings(request, bindings).map_or_else(|| Self::by_json(request, bindings), Ok)
    }

    /// Encodes a request of strings alone, such as that of a get, which needs no JSON on the way to its path and
    /// query, nor types.
    pub(crate) fn of_strings(
        request: &dyn Transcoded,
        bindings: &'static [HttpBinding],
    ) -> Option<Self> {
        bindings.first().and_then(|first| of_strings(first, request))
    }

    /// Encodes any request.
    pub(crate) fn by_json(
        request: &dyn Transcoded,
        bindings: &'static [HttpBinding],
    ) -> Result<Self, TranscodeError> {
        let _options = context::options().writing_strictly().apply();
        encode_request(request, bindings).map_err(|error| error.named(request.fields()))
    }

    /// Returns the binding with which the request was encoded.
    pub fn binding(&self) -> &'static HttpBinding {
        self.binding
    }

    /// Decodes the body of the response to this request. An empty body is a response without any set field,
    /// if the response has no fields or the body is a single field.
    ///
    /// One odd item must not cost a whole list:
    ///
    /// * U+FFFD replaces what is not Unicode, such as half of a surrogate pair in the name of a Windows file.
    /// * A member of a message in the response that has another type than documented, such as a list of objects instead of
    ///   strings, is left out like a member that is not known, and an event names it. An [`Any`](crate::wkt::Any)
    ///   with such a member keeps its JSON, and unpacking it is an error. Members of the response itself, such as
    ///   `nextPageToken`, must have their type, and in a scope of a strict [`Reader`](protojson::Reader) all must.
    /// * A member that is not known and is nested too deeply to be [kept](protojson#limits) is left out in the same way.
    ///
    /// # Errors
    ///
    /// Fails if the body is not valid for this response.
    pub fn response<R: Rpc>(&self, body: &[u8]) -> Result<R::Response, TranscodeError> {
        let mut response = R::Response::default();
        self.read_response(&mut response, body)?;
        Ok(response)
    }

    /// Decodes it into a message that has its default.
    pub(super) fn read_response(
        &self,
        message: &mut dyn Target,
        body: &[u8],
    ) -> Result<(), TranscodeError> {
        let Err(mut error) = self.read_unicode(message, body) else { return Ok(()) };
        let replaced = protojson::replace_non_unicode(body);
        if let Some(replaced) = &replaced {
            message.clear();
            match self.read_unicode(message, replaced.as_bytes()) {
                Ok(()) => return Ok(()),
                Err(other) => error = other,
            }
        }
        message.clear();
        self.read_misfits(message, replaced.as_deref().map_or(body, str::as_bytes), &error)
    }

    /// Decodes what failed with this error, without the members that have another type than documented or cannot be kept.
    fn read_misfits(
        &self,
        message: &mut dyn Target,
        body: &[u8],
        error: &TranscodeError,
    ) -> Result<(), TranscodeError> {
        let _options = context::options().keeping_misfits().apply();
        self.read_unicode(message, body)?;
        // Without the keys of maps, which are data.
        let field = error.field().split("[\"").next();
        warn_within!(
            MISFITS,
            target: "eset_protect::wire",
            field,
            "a member of a response has another type than documented or is nested too deeply, and was left out"
        );
        Ok(())
    }

    fn read_unicode(&self, message: &mut dyn Target, body: &[u8]) -> Result<(), TranscodeError> {
        let (fields, field) = (message.fields(), self.binding.response_body);
        if body.is_empty() && (fields.is_empty() || !field.is_empty()) {
            return Ok(());
        }
        if field.is_empty() {
            return read_json(body, message).map_err(|error| TranscodeError::json(&error));
        }
        let mut object = Object::new(fields);
        object.put_member(field, body)?;
        let json = object.into_json();
        read_json(&json, message).map_err(|error| TranscodeError::json_made_here(&error))
    }
}

/// Reads an `Any` in the body of an error, as those of successes are read.
#[cfg(feature = "rest")]
pub(crate) fn read_any(json: &str) -> Option<Any> {
    let _options = context::options().keeping_misfits().apply();
    serde_json::from_str(json).ok()
}

/// What JSON is read into: a message, as itself or encoded, so that nothing below is compiled for each type.
pub(super) trait Target {
    fn fields(&self) -> &'static [Field];

    /// Returns to the default, after an error.
    fn clear(&mut self);

    /// Reads the JSON.
    fn read(&mut self, parser: &mut Parser<'_>) -> serde_json::Result<()>;

    /// Decodes the bytes.
    fn decode(&mut self, bytes: Vec<u8>) -> Result<(), DecodeError>;
}

impl<M: JsonMessage> Target for M {
    fn fields(&self) -> &'static [Field] {
        fields_of::<M>()
    }

    fn clear(&mut self) {
        *self = M::default();
    }

    fn read(&mut self, parser: &mut Parser<'_>) -> serde_json::Result<()> {
        self.read_json(parser)
    }

    fn decode(&mut self, bytes: Vec<u8>) -> Result<(), DecodeError> {
        *self = M::decode(Bytes::from(bytes))?;
        Ok(())
    }
}

fn read_json(json: &[u8], message: &mut dyn Target) -> serde_json::Result<()> {
    protojson::with_text(json, |text| Parser::new(text).read(|parser| message.read(parser)))
}

/// A message as what a binding needs of it, so that nothing below is compiled for each type.
pub(crate) trait Transcoded {
    fn fields(&self) -> &'static [Field];
    fn bytes(&self) -> Cow<'_, [u8]>;
    /// Returns the JSON with the options that apply.
    fn json(&self) -> Result<Vec<u8>, TranscodeError>;
}

impl<M: JsonMessage> Transcoded for M {
    fn fields(&self) -> &'static [Field] {
        fields_of::<M>()
    }

    fn bytes(&self) -> Cow<'_, [u8]> {
        self.encode_to_vec().into()
    }

    fn json(&self) -> Result<Vec<u8>, TranscodeError> {
        protojson::write(self).map_err(|error| TranscodeError::json(&error))
    }
}

impl dyn Transcoded + '_ {
    /// Returns the message including fields with default values, which JSON omits.
    fn with_defaults(&self) -> Result<Object, TranscodeError> {
        let _options = context::options().emitting_defaults().apply();
        Object::parse_own(self.fields(), &self.json()?)
    }
}

fn encode_request(
    request: &dyn Transcoded,
    bindings: &'static [HttpBinding],
) -> Result<Encoded, TranscodeError> {
    let json = request.json()?;
    let mut first = None;
    for binding in bindings {
        // The whole message is the body, and its JSON already exists.
        if binding.body == "*" && binding.template.fields().next().is_none() {
            let path_and_query = binding.template.expand(|_| None)?;
            return Ok(Encoded {
                method: binding.method,
                path_and_query,
                body: Some(json),
                binding,
            });
        }
        match encode(binding, &json, request) {
            Ok(encoded) => return Ok(encoded),
            Err(error) => first = first.or(Some(error)),
        }
    }
    Err(first.unwrap_or_else(|| TranscodeError::new("", "the RPC has no HTTP form")))
}

/// Encodes a request of strings alone without JSON on the way to its path and query.
fn of_strings(binding: &'static HttpBinding, request: &dyn Transcoded) -> Option<Encoded> {
    if !binding.body.is_empty() {
        return None;
    }
    let (fields, bytes) = (request.fields(), request.bytes());
    let mut strings: Vec<(&Field, &str)> = Vec::new();
    for found in wire::fields(&bytes) {
        let found = found.ok()?;
        let field = fields.iter().find(|field| field.number == found.number)?;
        // As prost encodes it. What any other encoding means, prost decides, such as that the last of several values counts.
        let is_canonical = is_string(field)
            && found.wire_type == WireType::LengthDelimited
            && !found.value.is_empty()
            && strings.last().is_none_or(|(last, _)| last.number < field.number);
        strings.push((field, str::from_utf8(found.value).ok().filter(|_| is_canonical)?));
    }
    let text = |name: &str| strings.iter().find(|(field, _)| field.is_called(name));
    let value = |name: &str| text(name).map(|(_, text)| Cow::Borrowed(*text));
    let mut path_and_query = binding.template.expand_with(value).ok()?;
    strings.retain(|(field, _)| !binding.template.fields().any(|name| field.is_called(name)));
    let pairs = strings.iter().map(|(field, text)| (field.json_name(), *text));
    form::append(pairs, &mut path_and_query);
    Some(Encoded { method: binding.method, path_and_query, body: None, binding })
}

fn encode(
    binding: &'static HttpBinding,
    json: &[u8],
    request: &dyn Transcoded,
) -> Result<Encoded, TranscodeError> {
    let fields = request.fields();
    let template = &binding.template;
    let mut object = Object::parse_own(fields, json)?;
    let mut values = Vec::new();
    for field in template.fields() {
        let value = match object.take(field)? {
            // JSON omits the number 0, but it is a valid value here.
            None => request.with_defaults()?.take(field)?,
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
            Some(body.into_json())
        }
        field => Some(match object.take_member(field)? {
            Some(json) => json,
            None => request.with_defaults()?.take_member(field)?.unwrap_or_default(),
        }),
    };
    let pairs = object.into_query()?;
    form::append(pairs.iter().map(|(name, value)| (&**name, &**value)), &mut path_and_query);
    Ok(Encoded { method: binding.method, path_and_query, body, binding })
}

/// Decodes a request from the values in the path, the query and the body.
pub(super) fn decode(
    request: &mut dyn Target,
    binding: &HttpBinding,
    variables: &[(&str, String)],
    query: &str,
    body: &[u8],
) -> Result<(), TranscodeError> {
    let fields = request.fields();
    let read = read_request(request, binding, variables, query, body);
    read.map_err(|error| error.named(fields))
}

fn read_request(
    request: &mut dyn Target,
    binding: &HttpBinding,
    variables: &[(&str, String)],
    query: &str,
    body: &[u8],
) -> Result<(), TranscodeError> {
    let fields = request.fields();
    if query.is_empty()
        && body.is_empty()
        && let Some(bytes) = serialized(fields, variables)
    {
        let whole = |error: DecodeError| TranscodeError::new("", error.to_string());
        return request.decode(bytes).map_err(whole);
    }
    match request_json(fields, binding, variables, query, body)? {
        Some(json) => {
            read_json(&json, request).map_err(|error| TranscodeError::json_made_here(&error))
        }
        None => read_json(body, request).map_err(|error| TranscodeError::json(&error)),
    }
}

/// Serializes a request of nothing but values in the path that are strings, without JSON on the way.
fn serialized(fields: &[Field], variables: &[(&str, String)]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    for (name, value) in variables {
        let field = fields.iter().find(|field| field.is_called(name) && is_string(field))?;
        prost::encoding::string::encode(field.number, value, &mut bytes);
    }
    Some(bytes)
}

/// Returns the JSON of a request; `None` if it is the body.
fn request_json(
    fields: &'static [Field],
    binding: &HttpBinding,
    variables: &[(&str, String)],
    query: &str,
    body: &[u8],
) -> Result<Option<Vec<u8>>, TranscodeError> {
    let whole = |problem: &str| TranscodeError::new("", problem);
    let mut object = match binding.body {
        // Some HTTP clients send an empty object with every request.
        "" if matches!(body.trim_ascii(), b"" | b"{}") => Object::new(fields),
        "" => return Err(whole("the request takes its fields from the query, not a body")),
        // With `*` the body contains all fields that the path does not.
        "*" if !query.is_empty() => {
            return Err(whole("the request takes its fields from the body, not a query"));
        }
        "*" if body.is_empty() => Object::new(fields),
        "*" if variables.is_empty() => return Ok(None),
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
    Ok(Some(object.into_json()))
}

/// Encodes the body of an HTTP response.
pub(super) fn encode_response(
    binding: &HttpBinding,
    response: &dyn Transcoded,
) -> Result<Vec<u8>, TranscodeError> {
    let json = response.json()?;
    let field = binding.response_body;
    if field.is_empty() {
        return Ok(json);
    }
    if let Some(json) = Object::parse_own(response.fields(), &json)?.take_member(field)? {
        return Ok(json);
    }
    let json = response.with_defaults()?.take_member(field)?;
    Ok(json.unwrap_or_else(|| b"null".to_vec()))
}

fn is_string(field: &Field) -> bool {
    matches!((field.kind, field.shape), (FieldKind::Text, FieldShape::Single))
}

/// Whether the response of an RPC has a member of this name.
#[cfg(feature = "rest")]
pub(crate) fn has_member<R: Rpc>(name: &str) -> bool {
    fields_of::<R::Response>().iter().any(|field| field.is_called(name))
}

/// Returns the fields of a request or response.
pub(super) fn fields_of<M: JsonMessage>() -> &'static [Field] {
    message_type::<M>().fields().unwrap_or_default()
}

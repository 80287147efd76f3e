//! Requests in JSON, read and checked before anything is sent.

use std::collections::BTreeMap;

use eset_protect::protojson::Reader;
use eset_protect::rpc::{self, Rpc, RpcVisitor};
use prost_reflect::MessageDescriptor;
use serde::Serialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::input::refuse_duplicates;
use crate::method::{Method, field};
use crate::problem::{self, Problem};

/// A request without the fields that only the server sets.
#[derive(Debug)]
pub struct Request {
    pub json: String,
    /// The mistakes and unknown names in it.
    pub problems: Vec<Problem>,
}

impl Request {
    /// Makes the request of a message.
    pub fn new(method: &Method, message: &impl Serialize) -> Result<Self, Failure> {
        Self::whole(method, &serde_json::to_string(message)?)
    }

    /// Reads a complete request, which may be empty.
    pub fn whole(method: &Method, json: &str) -> Result<Self, Failure> {
        let value = serde_json::from_str(json).map_err(|error| error.to_string());
        value.and_then(|value| strict(method, json, value)).map_err(Failure::Input)
    }

    /// Reads a request, or only its content, as a list prints it; `complete` adds to it.
    ///
    /// Refuses members that the schema does not have, since gRPC cannot carry them and they would be lost
    /// silently. Inside an `Any` they are kept and therefore allowed.
    pub fn read(
        method: &Method,
        json: &str,
        complete: &dyn Fn(&str) -> Result<String, String>,
    ) -> Result<Self, String> {
        let members: Members = serde_json::from_str(json)
            .map_err(|error| if error.is_data() { expected(method) } else { error.to_string() })?;
        refuse_duplicates(json).map_err(|error| error.to_string())?;
        let content = content(method, members)?;
        let json = complete(content.as_deref().unwrap_or(json))?;
        if json == "{}" && method.member().is_some() {
            return Err(format!("{}, found {{}}", expected(method)));
        }
        let value = serde_json::from_str(&json).map_err(|error| error.to_string())?;
        strict(method, &json, value).map_err(|error| match content {
            Some(_) => format!("{}; {}", without_position(&error), expected(method)),
            None => error,
        })
    }
}

/// The members of an object with their text, so that numbers stay exact.
type Members = BTreeMap<String, Box<RawValue>>;

/// Makes a request of members that are its content alone; `None` if they are a whole request.
fn content(method: &Method, mut members: Members) -> Result<Option<String>, String> {
    let Some(member) = method.member() else { return Ok(None) };
    let (input, kind) = (method.input(), member.kind());
    let Some(message) = kind.as_message() else { return Ok(None) };
    let listed = method.listed().unwrap_or_else(|| message.clone());
    let has = |message: &MessageDescriptor| members.keys().any(|it| field(message, it).is_ok());
    let is_whole = members.keys().any(|name| field(&input, name).as_ref() == Ok(&member))
        || has(&input) && !has(message) && !has(&listed);
    if is_whole || members.is_empty() {
        return Ok(None);
    }
    // What only lists show has no place in a request.
    members.retain(|name, _| match (field(&listed, name), field(message, name)) {
        (Ok(listed), field) => field.is_ok_and(|field| field.kind() == listed.kind()),
        (Err(_), _) => true,
    });
    let content = serde_json::to_string(&members).map_err(|error| error.to_string())?;
    Ok(Some(format!("{{\"{}\":{content}}}", member.json_name())))
}

/// Describes the form of a request.
pub fn expected(method: &Method) -> String {
    match method.member() {
        Some(member) => {
            let name = member.json_name();
            format!(
                "expected {{\"{name}\": {{…}}}}, as `get` prints it, or a {name} alone, as `list` does"
            )
        }
        None => format!("expected a JSON object, the {} of the call", method.input().name()),
    }
}

/// Returns the problem without line and column, which refer to a part.
pub fn without_position(message: &str) -> &str {
    message.rsplit_once(" at line ").map_or(message, |(message, _)| message)
}

fn strict(method: &Method, json: &str, mut value: Value) -> Result<Request, String> {
    remove_anys(&mut value);
    // As what a list prints has it.
    let mut json = json.to_owned();
    if let Some((member, name)) = method.new_uuid().as_deref().and_then(|path| path.split_once('.'))
        && value[member].as_object_mut().is_some_and(|member| member.remove(name).is_some())
    {
        json = remove(&json, member, name).map_err(|error| error.to_string())?;
    }
    let json = &json;
    let without_anys = value.to_string();
    let unknown = || Err(format!("{}: there is no such RPC", method.spec.path));
    let read = rpc::visit(method.spec.path, Read { json, without_anys: &without_anys });
    let mut request = read.unwrap_or_else(unknown)?;
    let value = serde_json::from_str(&request.json).map_err(|error| error.to_string())?;
    request.problems.extend(problem::of_filters(method, &value));
    Ok(request)
}

/// Removes a member of a member. All other text stays, so that numbers stay exact.
fn remove(json: &str, member: &str, name: &str) -> serde_json::Result<String> {
    let mut outer: Members = serde_json::from_str(json)?;
    if let Some(inner) = outer.get_mut(member) {
        let mut members: Members = serde_json::from_str(inner.get())?;
        members.remove(name);
        *inner = serde_json::value::to_raw_value(&members)?;
    }
    serde_json::to_string(&outer)
}

struct Read<'a> {
    json: &'a str,
    without_anys: &'a str,
}

impl RpcVisitor for Read<'_> {
    type Output = Result<Request, String>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        use eset_protect::JsonMessage;
        let request = Reader::new().read::<R::Request>(self.json.as_bytes());
        let mut request = request.map_err(|error| error.to_string())?;
        Reader::new()
            .strict(true)
            .read::<R::Request>(self.without_anys.as_bytes())
            .map_err(|error| without_position(&error.to_string()).to_owned())?;
        request.clear_output_only();
        let json = serde_json::to_string(&request).map_err(|error| error.to_string())?;
        Ok(Request { json, problems: problem::of_rules(&request) })
    }
}

/// Removes every object with an `@type`.
fn remove_anys(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| member.get("@type").is_none());
            members.values_mut().for_each(remove_anys);
        }
        Value::Array(elements) => elements.iter_mut().for_each(remove_anys),
        _ => {}
    }
}

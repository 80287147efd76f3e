//! Prints the response of a call.

use eset_protect::Client;
use eset_protect::rpc::{IdempotencyLevel, Rpc};
use serde_json::Value;

use crate::calls;
use crate::check::{Flags, checked};
use crate::connection::Connection;
use crate::details;
use crate::failure::Failure;
use crate::method::Method;
use crate::output::{Format, Output};
use crate::say::say;
use crate::table::Table;
use crate::text::{plural, printable, singular};

/// Checks a request, makes the call and prints its response, or `done` if that is empty.
pub fn run<R: Rpc>(
    connection: Connection,
    request: &R::Request,
    flags: Flags<'_>,
    done: &str,
) -> Result<(), Failure> {
    let (method, request) = checked::<R>(request, flags)?;
    connection.run(async |client, format| {
        call(&client, format, &method, &request.json, done).await.map(drop)
    })
}

/// Makes a call and prints its response, or `done` if that is empty. Returns the response.
pub async fn call(
    client: &Client,
    format: Format,
    method: &Method,
    request: &str,
    done: &str,
) -> Result<String, Failure> {
    let response = calls::call(client, method, request).await?;
    print(format, method, &response, done)?;
    Ok(response)
}

/// Prints a response. If that fails after something was created, prints its UUID to standard error, since
/// nothing else records it.
pub fn print(format: Format, method: &Method, response: &str, done: &str) -> Result<(), Failure> {
    print_response(format, method, response, done).map_err(|failure| {
        let created = created(method, response);
        match created {
            Some(uuid) => {
                let noun = noun(method);
                say(&format!("created, but not printed: the {noun} {uuid}"));
                failure.of_created()
            }
            None => failure,
        }
    })
}

fn print_response(
    format: Format,
    method: &Method,
    response: &str,
    done: &str,
) -> Result<(), Failure> {
    let mut output = Output::new();
    if format == Format::Json {
        output.line(response)?;
        return output.flush();
    }
    let value = parse(response)?;
    match method.item() {
        _ if method.output().fields().next().is_none() => output.line(&printable(done))?,
        Some(field) if field.is_list() => {
            let elements = item(method, &value).and_then(Value::as_array);
            let mut table = Table::of(&field, output.is_terminal);
            elements.into_iter().flatten().for_each(|element| table.push(element));
            table.print(&mut output, &plural(&noun(method)))?;
        }
        Some(field) => match (item(method, &value), field.kind().as_message()) {
            (Some(value), Some(message)) => details::print(&mut output, message, value)?,
            _ => output.line(&format!("The response holds no {}.", noun(method)))?,
        },
        None => details::print(&mut output, &method.output(), &value)?,
    }
    output.flush()
}

pub fn parse(response: &str) -> Result<Value, Failure> {
    serde_json::from_str(response)
        .map_err(|error| Failure::Other(format!("the response is no JSON: {error}")))
}

/// Returns the resource in a response.
pub fn item<'a>(method: &Method, response: &'a Value) -> Option<&'a Value> {
    let value = response.get(method.item()?.json_name())?;
    (!value.is_null()).then_some(value)
}

/// Returns the UUID of the resource that a call created.
pub fn created(method: &Method, response: &str) -> Option<String> {
    if method.spec.idempotency != IdempotencyLevel::Unknown {
        return None;
    }
    let response = parse(response).ok()?;
    let uuid = item(method, &response)?.get("uuid")?.as_str()?;
    Some(uuid.to_owned())
}

/// Returns the singular name of the resources of a method, such as `task`.
pub fn noun(method: &Method) -> String {
    method.item().map_or("item".to_owned(), |field| singular(&field.name().replace('_', " ")))
}

//! Prints the response of a call.

use std::path::Path;

use eset_protect::Client;
use eset_protect::rpc::IdempotencyLevel;
use prost_reflect::FieldDescriptor;
use serde_json::Value;

use crate::assigned;
use crate::calls::{self, parse};
use crate::cell;
use crate::details::{self, Numbers};
use crate::dry_run;
use crate::failure::Failure;
use crate::items::{Items, program};
use crate::method::Method;
use crate::output::{Output, View};
use crate::say::say;
use crate::text::{count, printable, singular};
use crate::whole_file::{self, Readers};

/// Makes calls of a method and prints their responses.
#[derive(Clone, Copy, Debug)]
pub struct Call<'a> {
    pub client: &'a Client,
    pub view: &'a View,
    pub method: &'a Method,
    /// What is printed if the response is empty.
    pub done: &'a str,
}

impl Call<'_> {
    /// Makes a call and prints its response, unless it is a dry run or what is not found is ignored.
    pub async fn make(self, request: &str) -> Result<(), Failure> {
        self.view.expect_rows_if_sorted()?;
        if self.view.safety.dry_run {
            return dry_run::print(self.view, self.method, request);
        }
        assigned::confirm(self.client, self.view.safety, self.method, request).await?;
        match calls::call(self.client, self.method, request).await {
            Err(Failure::Call(error, ..)) if self.view.safety.ignores(&error) => Ok(()),
            response => self.print(&response?).await,
        }
    }

    /// Prints a response. If that fails after something was created, prints its UUID to standard error, since
    /// nothing else records it.
    pub async fn print(self, response: &str) -> Result<(), Failure> {
        let printed = self.print_response(response).await;
        printed.map_err(|failure| match created(self.method, response) {
            Some(uuid) => {
                say(&format!("created, but not printed: the {} {uuid}", noun(self.method)));
                failure.of_created()
            }
            None => failure,
        })
    }

    async fn print_response(self, response: &str) -> Result<(), Failure> {
        let Self { client, view, method, done } = self;
        let mut output = Output::new();
        if program(view, &mut output, response)? {
            return output.flush();
        }
        let value = parse(response)?;
        if let Some(content) = content(method, &value)? {
            if output.is_terminal {
                let problem = "the response is a file, and standard output is a terminal; --to FILE, or a pipe";
                return Err(Failure::Input(problem.to_owned()));
            }
            output.bytes(&content)?;
            return output.flush();
        }
        let message = method.output();
        match method.item().or_else(|| scalars(method)) {
            _ if message.fields().next().is_none() => output.line(&printable(done))?,
            Some(field) if field.is_list() => {
                let what = cell::noun(field.name()).replace('_', " ");
                self.rows(&field, elements(&field, &value), &what).await?;
                if view.is_for_people() {
                    let mut others = value.clone();
                    others.as_object_mut().map(|others| others.remove(field.json_name()));
                    details::print(client, &mut output, view, &message, &others, Numbers::Set)
                        .await?;
                }
            }
            Some(field) => match (item(method, &value), field.kind().as_message()) {
                (Some(value), Some(_)) if view.is_tabular() => {
                    self.rows(&field, std::slice::from_ref(value), "").await?;
                }
                (Some(value), Some(message)) => {
                    details::print(client, &mut output, view, message, value, Numbers::Set).await?;
                }
                _ => output.line(&format!("The response holds no {}.", noun(method)))?,
            },
            None => {
                if !details::print(client, &mut output, view, &message, &value, Numbers::All)
                    .await?
                {
                    output.line("The response is empty.")?;
                }
            }
        }
        output.flush()
    }

    /// Prints values of a field; `what` names them if there are none.
    async fn rows(
        self,
        field: &FieldDescriptor,
        values: &[Value],
        what: &str,
    ) -> Result<(), Failure> {
        let mut items = Items::of(field, self.view)?;
        values.iter().try_for_each(|value| items.push(&value.to_string()))?;
        items.end(self.client, what).await
    }
}

/// Returns the elements of a list in a response.
fn elements<'a>(field: &FieldDescriptor, response: &'a Value) -> &'a [Value] {
    response[field.json_name()].as_array().map_or(&[], Vec::as_slice)
}

/// Makes a call whose response is a file, and writes it to `path`.
pub async fn save(
    client: &Client,
    method: &Method,
    request: &str,
    path: &Path,
) -> Result<(), Failure> {
    let response = parse(&calls::call(client, method, request).await?)?;
    let content = content(method, &response)?.unwrap_or_default();
    whole_file::write(path, &content, Readers::Owner)
        .map_err(|error| Failure::io(&format!("--to {}", path.display()), &error))?;
    let mut output = Output::new();
    let size = count(content.len(), "byte");
    output.line(&printable(&format!("Wrote {} with {size}.", path.display())))?;
    output.flush()
}

/// Returns the content of the file that a response is.
fn content(method: &Method, response: &Value) -> Result<Option<Vec<u8>>, Failure> {
    let Some(field) = method.content() else { return Ok(None) };
    let base64 = response[field.json_name()].as_str().unwrap_or_default();
    let content = base64_simd::STANDARD.decode_to_vec(base64);
    content.map(Some).map_err(|error| Failure::Other(format!("the response: {error}")))
}

/// Returns the resource in a response.
pub fn item<'a>(method: &Method, response: &'a Value) -> Option<&'a Value> {
    let value = response.get(method.item()?.json_name())?;
    (!value.is_null()).then_some(value)
}

/// Returns the field of the response that is a list of texts or numbers, if that is what the response is.
fn scalars(method: &Method) -> Option<FieldDescriptor> {
    let output = method.output();
    let is_only = output.fields().len() == 1;
    output.fields().find(|field| is_only && field.is_list() && field.kind().as_message().is_none())
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

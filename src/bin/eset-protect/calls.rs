//! Calls of RPCs that are known only at run time: requests and responses are JSON.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use eset_protect::protojson::{Reader, Writer};
use eset_protect::rpc::{self, PagedRpc, Rpc, RpcVisitor};
use eset_protect::wkt::TypeRegistry;
use eset_protect::{Client, Error, JsonMessage};
use futures_util::StreamExt;
use futures_util::future::BoxFuture;
use futures_util::stream::{self, BoxStream};
use prost_reflect::{DynamicMessage, FieldDescriptor, Value};
use serde::Deserialize;
use serde_json::value::RawValue;

use crate::failure::Failure;
use crate::item_filter::ItemFilter;
use crate::method::Method;

/// Makes a call and returns the response.
pub async fn call(client: &Client, method: &Method, request: &str) -> Result<String, Failure> {
    visit(method, Single { client, request })?.await
}

/// The pages of a list: of each, the items that a filter selects, in JSON.
pub type Pages<'a> = BoxStream<'a, Result<Vec<String>, Failure>>;

/// Lists page by page. A list without pages is one.
pub fn pages<'a>(
    client: &Client,
    method: &Method,
    request: &str,
    filter: Option<&'a ItemFilter>,
) -> Result<Pages<'a>, Failure> {
    visit(method, List { client, method, request, filter })
}

/// Makes many concurrent calls.
pub fn bulk(
    client: &Client,
    method: &Method,
    requests: &[&str],
    concurrency: Option<usize>,
) -> Result<Box<dyn Bulk>, Failure> {
    visit(method, Many { client, requests, concurrency })
}

/// Returns the registry of the command's clients. It remembers the enum names that they receive, so that the
/// output shows names that are newer than the command.
pub fn type_registry() -> &'static TypeRegistry {
    static REGISTRY: LazyLock<TypeRegistry> =
        LazyLock::new(|| TypeRegistry::default().remember_enum_names());
    &REGISTRY
}

/// Writes a message as ProtoJSON, with defaults, because programs may not recognize a missing member as
/// `false` or `""`.
pub fn to_json<M: JsonMessage>(message: &M) -> Result<String, Failure> {
    let writer = Writer::new().emit_defaults(true).registry(type_registry().clone());
    let json = writer.write(message).map_err(|error| error.to_string());
    json.and_then(|json| String::from_utf8(json).map_err(|error| error.to_string()))
        .map_err(|problem| Failure::Other(format!("cannot be written as JSON: {problem}")))
}

/// Reads a response.
pub fn parse(response: &str) -> Result<serde_json::Value, Failure> {
    parsed(response)
}

fn parsed<'a, T: Deserialize<'a>>(response: &'a str) -> Result<T, Failure> {
    serde_json::from_str(response)
        .map_err(|error| Failure::Other(format!("the response is no JSON: {error}")))
}

/// The response to the request of this index, in JSON.
pub type Response = (usize, Result<Result<String, Failure>, Error>);

/// Returns the results in the order in which the calls end.
pub trait Bulk: Send {
    fn next(&mut self) -> BoxFuture<'_, Option<Response>>;
    /// Starts no more calls and returns the number of remaining ones.
    fn stop(&mut self) -> usize;
}

/// Does something with the types of a method.
pub fn visit<V, T>(method: &Method, visitor: V) -> Result<T, Failure>
where
    V: RpcVisitor<Output = Result<T, Failure>>,
{
    let unknown = || Failure::Other(format!("{}: there is no such RPC", method.spec.path));
    rpc::visit(method.spec.path, visitor).ok_or_else(unknown)?
}

pub fn read<R: Rpc>(request: &str) -> Result<R::Request, Failure> {
    Reader::new()
        .registry(type_registry().clone())
        .read(request.as_bytes())
        .map_err(|error| Failure::Input(format!("{}: {error}", R::SPEC.request)))
}

struct Single<'a> {
    client: &'a Client,
    request: &'a str,
}

impl RpcVisitor for Single<'_> {
    type Output = Result<BoxFuture<'static, Result<String, Failure>>, Failure>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let call = self.client.call::<R>(read::<R>(self.request)?);
        Ok(Box::pin(async move { to_json::<R::Response>(&call.await?.into()) }))
    }
}

struct List<'a, 'f> {
    client: &'a Client,
    method: &'a Method,
    request: &'a str,
    filter: Option<&'f ItemFilter>,
}

impl<'f> RpcVisitor for List<'_, 'f> {
    type Output = Result<Pages<'f>, Failure>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let (items, filter) = (self.method.items()?, self.filter);
        let call = self.client.call::<R>(read::<R>(self.request)?);
        let all = async move { elements(&call.send().await?.into_inner(), &items, filter) };
        Ok(stream::once(all).boxed())
    }

    fn paged_rpc<R: PagedRpc>(self) -> Self::Output {
        let filter = self.filter;
        let pages = self.client.call::<R>(read::<R>(self.request)?).pages();
        let wanted = move |page: Result<_, Error>| {
            let items = R::items(page?).into_iter();
            let wanted = items.filter(|item| filter.is_none_or(|filter| filter.fits(item)));
            wanted.map(|item| to_json(&item)).collect()
        };
        Ok(pages.map(wanted).boxed())
    }
}

/// Returns the elements of a list, in JSON, that a filter selects.
fn elements(
    message: &impl JsonMessage,
    list: &FieldDescriptor,
    filter: Option<&ItemFilter>,
) -> Result<Vec<String>, Failure> {
    let json = to_json(message)?;
    let mut members: BTreeMap<String, &RawValue> = parsed(&json)?;
    let Some(elements) = members.remove(list.json_name()) else { return Ok(Vec::new()) };
    let elements: Vec<&RawValue> = parsed(elements.get())?;
    let message = DynamicMessage::decode(list.parent_message().clone(), &*message.encode_to_vec());
    let message = message.map_err(|error| Failure::Other(error.to_string()))?;
    let values = message.get_field(list);
    let values = values.as_list().unwrap_or_default().iter().filter_map(Value::as_message);
    let is_wanted = |value| filter.is_none_or(|filter| filter.selects(value));
    let wanted = elements.iter().zip(values).filter(|(_, value)| is_wanted(value));
    Ok(wanted.map(|(element, _)| element.get().to_owned()).collect())
}

struct Many<'a> {
    client: &'a Client,
    requests: &'a [&'a str],
    concurrency: Option<usize>,
}

impl RpcVisitor for Many<'_> {
    type Output = Result<Box<dyn Bulk>, Failure>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let requests = self.requests.iter().map(|request| read::<R>(request));
        let calls = self.client.bulk::<R>(requests.collect::<Result<Vec<_>, _>>()?);
        Ok(match self.concurrency {
            Some(concurrency) => Box::new(calls.concurrency(concurrency)),
            None => Box::new(calls),
        })
    }
}

impl<R: Rpc> Bulk for eset_protect::Bulk<'static, R> {
    fn next(&mut self) -> BoxFuture<'_, Option<Response>> {
        Box::pin(async {
            let response = Self::next(self).await?;
            Some((
                response.index,
                response.result.map(|output| to_json::<R::Response>(&output.into())),
            ))
        })
    }

    fn stop(&mut self) -> usize {
        Self::stop(self).count()
    }
}

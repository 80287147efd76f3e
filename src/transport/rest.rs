//! The REST wire: ESET's JSON gateway.

mod hosts;
mod members;
mod response;

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderValue, Method, header};
use http_body_util::Full;

use super::http::{HttpClient, HttpResponse, RESPONSE_ID, is_answer, without_mark};
use super::readiness::Readiness;
use super::{Outgoing, Reply, Request, SentSecrets, Transport};
use crate::error::Error;
use crate::proto::google::api::HttpBody;
use crate::rpc::MethodSpec;
use crate::timer::BoxFuture;
use crate::wkt::TypeRegistry;
pub(crate) use hosts::Hosts;
pub use hosts::Region;
pub(crate) use members::Members;
use response::error_in_success;
pub(crate) use response::{error_from, error_told};

const JSON: HeaderValue = HeaderValue::from_static("application/json");
/// `google.api.HttpBody`: no JSON but a body of any media type.
const HTTP_BODY: &str = "google.api.HttpBody";
const ANY: HeaderValue = HeaderValue::from_static("*/*");

/// One or several HTTP servers that together provide the API.
#[derive(Clone, Debug)]
pub(crate) struct RestTransport {
    http: HttpClient,
    hosts: Arc<Hosts>,
    user_agent: HeaderValue,
}

impl RestTransport {
    pub(crate) fn new(http: HttpClient, hosts: Hosts, user_agent: HeaderValue) -> Self {
        Self { http, hosts: Arc::new(hosts), user_agent }
    }

    /// Returns the readiness of its connections.
    pub(super) fn readiness(&self) -> &Readiness {
        self.http.readiness()
    }

    /// Where requests go.
    pub(super) fn hosts(&self) -> &Arc<Hosts> {
        &self.hosts
    }

    /// Takes the metadata out of a request and returns it as HTTP.
    fn encode(&self, request: &mut Request<'_>) -> Result<http::Request<Full<Bytes>>, Error> {
        let form = request.outgoing.http()?;
        let body = form.body().cloned();
        self.http.check_request(body.as_deref().unwrap_or_default())?;
        let has_body = body.is_some();
        let mut http = http::Request::new(Full::new(body.unwrap_or_default()));
        *http.method_mut() = Method::from_bytes(form.method().as_bytes())
            .map_err(|error| Error::config(format!("the HTTP method: {error}")))?;
        let mut origin = self.hosts.origin(request.spec())?;
        let host = origin.host.take();
        *http.uri_mut() = origin.uri(form.path_and_query())?;
        let headers = http.headers_mut();
        *headers = std::mem::take(&mut request.metadata).into_headers();
        if let Some(host) = host {
            headers.entry(header::HOST).or_insert(host);
        }
        headers.insert(header::ACCEPT, if is_http_body(request.spec()) { ANY } else { JSON });
        if has_body {
            headers.insert(header::CONTENT_TYPE, JSON);
        }
        headers.insert(header::USER_AGENT, self.user_agent.clone());
        if let Some(id) = request.pending_id {
            headers.insert(RESPONSE_ID, id.clone());
        }
        Ok(http)
    }
}

impl Transport for RestTransport {
    fn send<'a>(&'a self, mut request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        let (outgoing, secrets) = (request.outgoing, request.secrets);
        let begun = self.encode(&mut request).and_then(|http| self.http.begin(http));
        Box::pin(async move {
            let on_head = || outgoing.set_head(true);
            let response = self.http.finish(begun?, on_head, || secrets.get().clone()).await?;
            read(response, outgoing, secrets)
        })
    }
}

/// Reads the response to a request.
fn read(
    response: HttpResponse,
    outgoing: &Outgoing<'_>,
    secrets: &SentSecrets<'_>,
) -> Result<Reply, Error> {
    let status = response.status;
    let no_types = TypeRegistry::default();
    let registry = outgoing.messages().type_registry().unwrap_or(&no_types);
    let reply = match response.pending_id()? {
        Some(id) => Reply::pending(id),
        None if !is_answer(status) => return Err(error_from(&response, registry)),
        None if is_http_body(outgoing.spec()) => Reply::message(&http_body(&response)),
        None => {
            let json = checked(&response)?;
            if let Some(error) = error_in_success(&response, &json, outgoing.messages(), registry) {
                return Err(error.redacted(secrets.get()));
            }
            Reply::json(json)
        }
    };
    Ok(reply.with_headers(response.headers).with_http_status(status))
}

/// The body, if it is JSON. What has no bytes needs no type.
fn checked(response: &HttpResponse) -> Result<Bytes, Error> {
    let media_type = response.media_type();
    if media_type.eq_ignore_ascii_case(b"application/json")
        || (media_type.is_empty() && response.body.is_empty())
    {
        return Ok(without_mark(&response.body));
    }
    let message = format!(
        "expected a response of application/json, found {}: the address may not be that of the API",
        if media_type.is_empty() { "none".into() } else { String::from_utf8_lossy(media_type) }
    );
    Err(Error::protocol(message).with_answer(response.status, &response.headers))
}

/// Whether the response is no JSON but a body of any media type, such as a download.
fn is_http_body(spec: &MethodSpec) -> bool {
    spec.response == HTTP_BODY
}

fn http_body(response: &HttpResponse) -> HttpBody {
    let content_type = response.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    HttpBody {
        content_type: String::from_utf8_lossy(content_type.unwrap_or_default()).into_owned(),
        data: response.body.clone(),
        extensions: Vec::new(),
    }
}

//! The REST wire: ESET's JSON gateway.

mod hosts;
mod response;

use bytes::Bytes;
use http::{HeaderValue, Request, header};
use tonic::Response;

use super::http::{HttpClient, HttpResponse};
use super::readiness::Readiness;
use super::{Attempt, USER_AGENT, metadata};
use crate::error::Error;
use crate::rpc::{MethodSpec, Rpc};
use crate::telemetry::Server;
use crate::transcode::Encoded;
pub(crate) use hosts::Hosts;
pub use hosts::Region;
pub(crate) use response::error_from;

/// One or many HTTP servers that together are the API.
#[derive(Clone, Debug)]
pub(crate) struct RestTransport {
    http: HttpClient,
    hosts: Hosts,
}

impl RestTransport {
    pub(crate) fn new(http: HttpClient, hosts: Hosts) -> Self {
        Self { http, hosts }
    }

    /// Whether it has connections that take requests.
    pub(super) fn readiness(&self) -> &Readiness {
        self.http.readiness()
    }

    /// Where the requests of an RPC go.
    pub(crate) fn server(&self, spec: &MethodSpec) -> Option<Server> {
        self.hosts.origin(spec).ok()?.parse().ok().as_ref().map(Server::of)
    }

    /// Sends a request once, and waits for its answer if that is pending.
    pub(crate) async fn attempt<R: Rpc>(
        &self,
        request: &R::Request,
        attempt: Attempt,
    ) -> Result<Response<R::Response>, Error> {
        let encoded = Encoded::request::<R>(request)
            .map_err(|error| Error::config(error.to_string()).with_source(error))?;
        let body = Bytes::from(encoded.body.clone().unwrap_or_default());
        self.http.check_size(&body)?;
        let origin = self.hosts.origin(R::SPEC)?;
        let uri = format!("{origin}{}", encoded.path_and_query);
        let mut http = Request::builder()
            .method(encoded.method)
            .uri(&uri)
            .body(body)
            .map_err(|error| Error::config(format!("the address {uri:?}: {error}")))?;
        let headers = http.headers_mut();
        *headers = attempt.metadata.into_headers();
        headers.insert(header::ACCEPT, HeaderValue::from_static("application/json"));
        if encoded.body.is_some() {
            headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
        }
        headers.insert(header::USER_AGENT, HeaderValue::from_static(USER_AGENT));
        let response = self.http.send_pending(http, attempt.pending_id, &attempt.exchange).await?;
        read::<R>(&encoded, response)
    }
}

fn read<R: Rpc>(encoded: &Encoded, response: HttpResponse) -> Result<Response<R::Response>, Error> {
    if !response.status.is_success() {
        return Err(error_from(&response));
    }
    let media_type = response.media_type();
    // What has no bytes needs no type.
    if media_type != "application/json" && !(media_type.is_empty() && response.body.is_empty()) {
        return Err(Error::protocol(format!(
            "expected an answer of application/json, found {}: the address may not be that of the API",
            if media_type.is_empty() { "none" } else { &media_type }
        ))
        .with_answer(response.status, &response.headers));
    }
    let message = encoded.response::<R>(&response.body).map_err(|error| {
        Error::protocol(format!("the answer is not a {}: {error}", R::SPEC.response))
            .with_answer(response.status, &response.headers)
    })?;
    Ok(Response::from_parts(metadata(response.headers), message, Default::default()))
}

//! One request on the wire and its answer: its span, and the trace context that it carries.

use std::future::Future;

use http::HeaderMap;
use tonic::{Code, Response};
use tracing::field::Empty;
use tracing::{Instrument, Span};

use super::Server;
use super::call::ended;
use super::names::text;
use crate::error::{Error, code_name};
use crate::rpc::MethodSpec;

/// What is sent, and how often it was sent before.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sending {
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    pub(super) spec: Option<&'static MethodSpec>,
    before: u32,
}

impl Sending {
    /// The n-th attempt of a call; the first is 1.
    pub(crate) fn attempt(spec: &'static MethodSpec, number: u32) -> Self {
        Self { spec: Some(spec), before: number.saturating_sub(1) }
    }
}

/// Watches an exchange. Dropped before it is told the end, it was cancelled.
pub(crate) struct Exchange {
    span: Span,
    is_rpc: bool,
    is_ended: bool,
}

impl Exchange {
    /// An attempt over gRPC.
    pub(crate) fn grpc(path: &str, server: impl FnOnce() -> Server, sending: Sending) -> Self {
        let method = path.strip_prefix('/').unwrap_or(path);
        let span = tracing::info_span!(
            target: "eset_protect::wire",
            "attempt",
            otel.name = %format_args!("Attempt.{method}"),
            otel.kind = "client",
            otel.status_code = Empty,
            rpc.system.name = "grpc",
            rpc.method = method,
            rpc.response.status_code = Empty,
            server.address = Empty,
            server.port = Empty,
            "error.type" = Empty,
            "previous-rpc-attempts" = sending.before,
            eset_protect.request_id = Empty,
        );
        Self::to(span, true, server)
    }

    /// A request over HTTP. Its answer was pending so often before.
    #[cfg(feature = "rest")]
    pub(crate) fn http(request: &http::request::Parts, sending: Sending, polls: u32) -> Self {
        let template = sending.spec.and_then(|spec| spec.http.first()).map(|binding| binding.path);
        let template = template.unwrap_or_else(|| request.uri.path());
        let method = request.method.as_str();
        let span = tracing::info_span!(
            target: "eset_protect::wire",
            "request",
            otel.name = %format_args!("{method} {template}"),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = method,
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            network.protocol.version = Empty,
            url.full = %format_args!(
                "{}://{}{}",
                request.uri.scheme_str().unwrap_or_default(),
                request.uri.authority().map_or("", |authority| authority.as_str()),
                request.uri.path(),
            ),
            url.template = template,
            server.address = Empty,
            server.port = Empty,
            "error.type" = Empty,
            eset_protect.request_id = Empty,
        );
        let resends = sending.before.saturating_add(polls);
        if resends > 0 {
            span.record("http.request.resend_count", resends);
        }
        Self::to(span, false, || Server::of(&request.uri))
    }

    fn to(span: Span, is_rpc: bool, server: impl FnOnce() -> Server) -> Self {
        if !span.is_disabled() {
            let server = server();
            span.record("server.address", &*server.address);
            span.record("server.port", server.port);
        }
        Self { span, is_rpc, is_ended: false }
    }

    /// Adds the trace context, unless the caller gave one.
    #[cfg_attr(not(feature = "otel"), allow(unused_variables, clippy::unused_self))]
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        #[cfg(feature = "otel")]
        super::propagation::inject(&self.span, headers);
    }

    /// Watches an RPC.
    pub(crate) async fn rpc<T>(
        mut self,
        exchange: impl Future<Output = Result<Response<T>, Error>>,
    ) -> Result<Response<T>, Error> {
        let result = exchange.instrument(self.span.clone()).await;
        self.is_ended = true;
        let (code, request_id) = match &result {
            Ok(response) => (Code::Ok, text(response.metadata().get("request-id"))),
            Err(error) => (error.code(), error.request_id()),
        };
        self.record_request_id(request_id);
        ended(&self.span, code);
        result
    }

    /// Watches an HTTP request; `head` says what to look at in its answer.
    #[cfg(feature = "rest")]
    pub(crate) async fn request<T>(
        mut self,
        exchange: impl Future<Output = Result<T, Error>>,
        head: impl FnOnce(&T) -> (http::StatusCode, &HeaderMap),
    ) -> Result<T, Error> {
        let result = exchange.instrument(self.span.clone()).await;
        self.is_ended = true;
        match &result {
            Ok(answer) => {
                let (status, headers) = head(answer);
                let id = headers.get("request-id").and_then(|value| value.to_str().ok());
                self.record_request_id(id);
                self.span.record("http.response.status_code", status.as_u16());
                if status.is_client_error() || status.is_server_error() {
                    self.failed(status.as_str());
                }
            }
            Err(error) => {
                self.record_request_id(error.request_id());
                if let Some(status) = error.http_status() {
                    self.span.record("http.response.status_code", status);
                }
                self.failed(code_name(error.code()));
            }
        }
        result
    }

    fn record_request_id(&self, id: Option<&str>) {
        if let Some(id) = id {
            self.span.record("eset_protect.request_id", id);
        }
    }

    fn failed(&self, error: &str) {
        self.span.record("error.type", error);
        self.span.record("otel.status_code", "ERROR");
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        if self.is_ended {
            return;
        }
        if self.is_rpc {
            ended(&self.span, Code::Cancelled);
        } else {
            self.failed(code_name(Code::Cancelled));
        }
    }
}

/// The version of HTTP in which the answer to the current request came.
#[cfg(feature = "rest")]
pub(crate) fn http_version(version: http::Version) {
    let text = match version {
        http::Version::HTTP_10 => "1.0",
        http::Version::HTTP_11 => "1.1",
        http::Version::HTTP_2 => "2",
        _ => return,
    };
    Span::current().record("network.protocol.version", text);
}

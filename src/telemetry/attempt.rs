//! One attempt of a call: its span, and the trace context that it carries.

#[cfg(feature = "rest")]
use std::cell::LazyCell;

use http::{HeaderMap, StatusCode};
use tonic::Code;
use tracing::Span;
use tracing::field::Empty;

use super::Server;
use super::call::{dropped, ended};
use super::names::request_id;
use crate::error::{Error, code_name};
use crate::rpc::MethodSpec;

/// What is sent, and the number of previous attempts.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Sending {
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    spec: Option<&'static MethodSpec>,
    before: u32,
}

impl Sending {
    /// Creates attempt number `number` of a call; the first is 1.
    pub(crate) fn attempt(spec: &'static MethodSpec, number: u32) -> Self {
        Self { spec: Some(spec), before: number.saturating_sub(1) }
    }
}

/// Watches an attempt. If it is dropped before `end`, the attempt was cancelled.
pub(crate) struct Attempt {
    span: Span,
    is_rpc: bool,
    is_ended: bool,
}

impl Attempt {
    /// An attempt over gRPC.
    pub(crate) fn grpc(
        path: &str,
        server: impl FnOnce() -> Option<Server>,
        sending: Sending,
    ) -> Self {
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
        if !span.is_disabled()
            && let Some(server) = server()
        {
            server.record(&span);
        }
        Self { span, is_rpc: true, is_ended: false }
    }

    /// A request over HTTP after this number of polls. `request` is called only if a subscriber listens.
    #[cfg(feature = "rest")]
    pub(crate) fn http(
        sending: Sending,
        polls: u32,
        request: impl FnOnce() -> Option<(http::Method, http::Uri)>,
    ) -> Self {
        let request = LazyCell::new(|| {
            let (method, uri) = request()?;
            let template = sending.spec.and_then(|spec| spec.http.first());
            let template =
                template.map_or_else(|| uri.path().to_owned(), |first| first.path.to_owned());
            Some((method, uri, template))
        });
        let request = || LazyCell::force(&request).as_ref();
        let span = tracing::info_span!(
            target: "eset_protect::wire",
            "request",
            otel.name = request().map(|(method, _, template)| format!("{method} {template}")),
            otel.kind = "client",
            otel.status_code = Empty,
            http.request.method = request().map(|(method, ..)| method.as_str()),
            http.request.resend_count = Empty,
            http.response.status_code = Empty,
            network.protocol.version = Empty,
            url.full = request().map(|(_, uri, _)| without_query(uri)),
            url.template = request().map(|(.., template)| template.as_str()),
            server.address = Empty,
            server.port = Empty,
            "error.type" = Empty,
            eset_protect.request_id = Empty,
        );
        if !span.is_disabled()
            && let Some((_, uri, _)) = request()
        {
            Server::of(uri).record(&span);
        }
        let resends = sending.before.saturating_add(polls);
        if resends > 0 {
            span.record("http.request.resend_count", resends);
        }
        Self { span, is_rpc: false, is_ended: false }
    }

    /// The span, for all that the attempt does.
    pub(crate) fn span(&self) -> Span {
        self.span.clone()
    }

    /// Adds the trace context unless the caller set one.
    #[cfg_attr(not(feature = "otel"), allow(unused_variables, clippy::unused_self))]
    pub(crate) fn inject(&self, headers: &mut HeaderMap) {
        #[cfg(feature = "otel")]
        super::propagation::inject(&self.span, headers);
    }

    /// The attempt came to an end: with a response, of which these are the headers and perhaps the status, or with
    /// an error.
    pub(crate) fn end(mut self, result: Result<(Option<StatusCode>, &HeaderMap), &Error>) {
        self.is_ended = true;
        if self.span.is_disabled() {
            return;
        }
        if let Some(id) = request_id(result.map(|(_, headers)| headers)) {
            self.span.record("eset_protect.request_id", id);
        }
        let code = result.map_or_else(Error::code, |_| Code::Ok);
        if self.is_rpc {
            return ended(&self.span, code);
        }
        let of_response = |(status, _): (Option<StatusCode>, _)| status.map(|s| s.as_u16());
        let status = result.map_or_else(Error::http_status, of_response);
        if let Some(status) = status {
            self.span.record("http.response.status_code", status);
        }
        match status.filter(|status| (400..600).contains(status)) {
            Some(status) => self.failed(&status.to_string()),
            None if code != Code::Ok => self.failed(code_name(code)),
            None => {}
        }
    }

    fn failed(&self, error: &str) {
        self.span.record("error.type", error);
        self.span.record("otel.status_code", "ERROR");
    }
}

impl Drop for Attempt {
    fn drop(&mut self) {
        if self.is_ended {
            return;
        }
        if self.is_rpc {
            ended(&self.span, dropped());
        } else {
            self.failed(code_name(dropped()));
        }
    }
}

/// An address without its query, in which page tokens are.
#[cfg(feature = "rest")]
fn without_query(uri: &http::Uri) -> String {
    let scheme = uri.scheme_str().unwrap_or_default();
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    format!("{scheme}://{authority}{}", uri.path())
}

/// Records the HTTP version of the response to the current request.
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

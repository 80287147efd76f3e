//! HTTP/1.1 and HTTP/2 with hyper, for the REST wire and logins: one request, one response of limited size.

use std::borrow::Cow;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http::response::Parts;
use http::uri::Authority;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body_util::{BodyExt, Full};
use hyper::body::{Body, Incoming};
use hyper_util::client::legacy::{Client, ResponseFuture};
use hyper_util::rt::{TokioExecutor, TokioTimer};

use crate::error::{Error, Secrets, root_cause};
use crate::framing::append;
use crate::gzip::gunzip;
use crate::protojson;
use crate::telemetry;
use crate::timer::Timer;
use crate::transport::complete_body::CompleteBody;
use crate::transport::connector::{self, Connector};
use crate::transport::error_chain::{BoxError, find};
use crate::transport::limits::{self, TooLong};
use crate::transport::no_http2::NoHttp2;
use crate::transport::per_runtime::PerRuntime;
use crate::transport::readiness::Readiness;
use crate::transport::refusal::{Refusal, what_broke};
use crate::transport::{CONNECTION_WINDOW, Limits};

/// The header with the id of a pending response ([facts](crate::facts#pending-responses)).
pub(crate) const RESPONSE_ID: http::HeaderName = http::HeaderName::from_static("response-id");

/// The byte order mark in UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// The maximum size to read of an error's body.
const MAX_ERROR_BODY: usize = 1024 * 1024;

/// An HTTP client. Follows no redirects, because credentials would be sent along.
#[derive(Clone, Debug)]
pub(crate) struct HttpClient {
    connector: Connector,
    pools: Arc<PerRuntime<Pool>>,
    limits: Limits,
    timer: Arc<dyn Timer>,
}

/// The connections of one runtime.
type Pool = Arc<Client<Connector, Full<Bytes>>>;

/// A request on its way.
pub(super) struct Begun {
    response: ResponseFuture,
    host: Option<Authority>,
    has_body: bool,
}

/// A complete response.
#[derive(Debug)]
pub(crate) struct HttpResponse {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl HttpResponse {
    /// The identifier of the response, if that is pending. Two of them leave open which to ask for.
    pub(crate) fn pending_id(&self) -> Result<Option<HeaderValue>, Error> {
        if self.status != StatusCode::ACCEPTED {
            return Ok(None);
        }
        let mut ids = self.headers.get_all(RESPONSE_ID).iter().filter(|id| !id.is_empty());
        let problem = match ids.next() {
            None => "the response is pending (202) and has no response-id",
            Some(first) if ids.any(|id| id != first) => {
                "the response is pending (202) and has two response-ids"
            }
            Some(first) => return Ok(Some(first.clone())),
        };
        Err(Error::protocol(problem).with_answer(self.status, &self.headers))
    }

    /// Returns the media type without parameters.
    pub(crate) fn media_type(&self) -> &[u8] {
        let value = self.headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
        let media_type = value.unwrap_or_default().split(|byte| *byte == b';').next();
        media_type.unwrap_or_default().trim_ascii()
    }

    /// Returns the body as text for a reader of JSON: without a byte order mark, and with U+FFFD for what is not Unicode.
    pub(crate) fn text(&self) -> Cow<'_, str> {
        let body = self.body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(&self.body);
        let replaced = protojson::replace_non_unicode(body).map(Cow::Owned);
        replaced.unwrap_or_else(|| String::from_utf8_lossy(body))
    }
}

impl HttpClient {
    pub(crate) fn new(connector: Connector, limits: Limits, timer: Arc<dyn Timer>) -> Self {
        Self { connector, pools: Arc::default(), limits, timer }
    }

    /// Returns the readiness of its connections.
    pub(super) fn readiness(&self) -> &Readiness {
        self.connector.readiness()
    }

    /// Refuses a request whose message is over the limit.
    pub(super) fn check_request(&self, body: &[u8]) -> Result<(), Error> {
        self.limits.check_request(body.len())
    }

    /// Returns the pool of the current runtime.
    fn pool(&self) -> Result<Pool, Error> {
        let keep_alive = self.connector.keep_alive();
        let interval = keep_alive.interval();
        let make = || {
            Client::builder(TokioExecutor::new())
                .timer(TokioTimer::new())
                .pool_timer(TokioTimer::new())
                .pool_idle_timeout(Duration::from_secs(60))
                // A user agent replaces such line breaks by spaces, and a proxy removes such spaces (RFC 9112, 5).
                .http1_allow_obsolete_multiline_headers_in_responses(true)
                .http1_allow_spaces_after_header_name_in_responses(true)
                .http1_max_buf_size(self.limits.http1_buffer())
                .http2_max_header_list_size(self.limits.http2_header_list())
                // All calls to a host share one HTTP/2 connection, so they would all wait for a dead one.
                .http2_initial_connection_window_size(CONNECTION_WINDOW)
                .http2_keep_alive_interval(interval)
                .http2_keep_alive_timeout(keep_alive.timeout())
                .build(self.connector.clone())
        };
        self.pools.get(interval, || Arc::new(make()))
    }

    /// Sends a request once. What is sent as a secret with it is in no response that is not a success.
    pub(crate) async fn send(
        &self,
        request: Request<Bytes>,
        secrets: impl FnOnce() -> Secrets,
    ) -> Result<HttpResponse, Error> {
        self.finish(self.begin(request.map(Full::new))?, || {}, secrets).await
    }

    /// Begins to send a request. A future that keeps the request is several times as large as what this returns.
    pub(super) fn begin(&self, mut request: Request<Full<Bytes>>) -> Result<Begun, Error> {
        request.headers_mut().insert(header::ACCEPT_ENCODING, HeaderValue::from_static("gzip"));
        let host = request.uri().authority().cloned();
        let has_body = !request.body().is_end_stream();
        Ok(Begun { response: self.pool()?.request(request), host, has_body })
    }

    /// Receives the response. Calls `on_head` when its head has arrived.
    pub(super) async fn finish(
        &self,
        Begun { response, host, has_body }: Begun,
        on_head: impl FnOnce(),
        secrets: impl FnOnce() -> Secrets,
    ) -> Result<HttpResponse, Error> {
        let response = self.limits.head(&*self.timer, response).await?;
        let response = response.map_err(|error| {
            self.not_answered(error, host.as_ref().map_or("", Authority::as_str), has_body)
        })?;
        on_head();
        self.receive(response, secrets).await
    }

    async fn receive(
        &self,
        response: Response<Incoming>,
        secrets: impl FnOnce() -> Secrets,
    ) -> Result<HttpResponse, Error> {
        let (Parts { status, mut headers, version, .. }, body) = response.into_parts();
        let body = CompleteBody::new(body, version, &headers, self.limits)
            .map_err(|long| long.to_error().with_http_status(status).with_source(long))?;
        telemetry::http_version(version);
        let body = if is_answer(status) {
            let read = self.read(&headers, body, self.limits.message.bytes).await;
            read.map_err(|error| error.with_answer(status, &headers))?
        } else {
            // The status says what happened, even if the body is broken.
            let most = MAX_ERROR_BODY.min(self.limits.message.bytes);
            let body = self.read(&headers, body, most).await.unwrap_or_default();
            let secrets = secrets();
            secrets.redact_headers(&mut headers);
            secrets.redact(&String::from_utf8_lossy(&body)).map_or(body, Bytes::from)
        };
        Ok(HttpResponse { status, headers, body })
    }

    async fn read<B>(&self, headers: &HeaderMap, body: B, most: usize) -> Result<Bytes, Error>
    where
        B: BodyExt<Data = Bytes, Error = BoxError> + Unpin,
    {
        let body = self.collect(body, most).await?;
        if body.is_empty() {
            // Nothing to unpack, such as in a 204, whatever the header says.
            return Ok(body);
        }
        let coding = headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes);
        match coding.unwrap_or_default().to_ascii_lowercase().as_slice() {
            b"" | b"identity" => Ok(body),
            b"gzip" | b"x-gzip" => self.unpack(&body, most),
            _ => Err(Error::protocol("the response has a content-encoding not asked for")),
        }
    }

    async fn collect<B>(&self, mut body: B, most: usize) -> Result<Bytes, Error>
    where
        B: BodyExt<Data = Bytes, Error = BoxError> + Unpin,
    {
        let mut read = Bytes::new();
        while let Some(frame) = BodyExt::frame(&mut body).await {
            let frame = frame.map_err(|error| {
                if let Some(long) = find::<TooLong>(&*error) {
                    return long.to_error().with_source(error);
                }
                let cause = root_cause(&*error);
                let what = what_broke(&*error);
                let message = format!("{what} broke in the middle of a response: {cause}");
                Error::broken(message).with_source(error)
            })?;
            let Ok(data) = frame.into_data() else { continue };
            if read.len() + data.len() > most {
                return Err(self.too_large());
            }
            append(&mut read, data);
        }
        Ok(read)
    }

    /// Unpacks a body up to the limit, so that a small response cannot grow without bounds.
    fn unpack(&self, body: &[u8], most: usize) -> Result<Bytes, Error> {
        let unpacked = gunzip(body, most)
            .map_err(|error| Error::protocol(format!("the response is not gzip: {error}")))?;
        unpacked.ok_or_else(|| self.too_large())
    }

    fn too_large(&self) -> Error {
        self.limits.response_too_large("too many")
    }

    /// Creates the error for a request without a response.
    fn not_answered(
        &self,
        error: hyper_util::client::legacy::Error,
        host: &str,
        has_body: bool,
    ) -> Error {
        let cause = root_cause(&error);
        let found = if error.is_connect() {
            connector::connect_error(format!("cannot connect to {host}: {cause}"), &error)
        } else if let Some(failed) = NoHttp2::of(&error, || self.readiness().failure()) {
            return failed.into_error(&format!("cannot connect to {host}"));
        } else if let Some(refusal) = Refusal::of(&error, has_body) {
            let message = format!("{host}: {refusal}");
            Error::broken(message).refused()
        } else if find::<hyper::Error>(&error).is_some_and(is_too_large) {
            self.limits.no_end_of_headers().to_error()
        } else {
            let note = limits::note(&error);
            let what = what_broke(&error);
            let message = format!("{what} to {host} broke: {cause}{note}");
            Error::broken(message)
        };
        found.with_source(error)
    }
}

/// Whether a head exceeds hyper's limit. hyper's method for that exists only in its server feature.
fn is_too_large(error: &hyper::Error) -> bool {
    error.is_parse() && error.to_string().contains("message head is too large")
}

/// Whether the body counts: the call succeeded, as a whole, and is not pending.
pub(super) fn is_answer(status: StatusCode) -> bool {
    let is_other = matches!(
        status,
        StatusCode::ACCEPTED | StatusCode::PARTIAL_CONTENT | StatusCode::MULTI_STATUS
    );
    status.is_success() && !is_other
}

/// Returns JSON without the byte order mark that some servers begin it with (RFC 8259, 8.1).
pub(super) fn without_mark(json: &Bytes) -> Bytes {
    json.slice(if json.starts_with(BYTE_ORDER_MARK) { BYTE_ORDER_MARK.len() } else { 0 }..)
}

//! Which web pages of other origins may call the REST front.

use std::fmt;
use std::str::FromStr;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_util::future::{Either, MapOk, TryFutureExt};
use http::uri::Uri;
use http::{HeaderName, HeaderValue, Method, Request, Response, header};
use tower::{Layer, Service};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, Cors, CorsLayer};

/// How long a browser may cache the permission.
const MAX_AGE: Duration = Duration::from_secs(3600);

/// An origin whose web pages may call a REST front from a browser (CORS, the Fetch standard): a
/// scheme, a host, and a port unless it is the scheme's default, such as `https://console.example` or
/// `http://localhost:5173`; `*` means every origin.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(HeaderValue);

impl FromStr for Origin {
    type Err = ParseOriginError;

    fn from_str(text: &str) -> Result<Self, ParseOriginError> {
        let wrong = || ParseOriginError(text.to_owned());
        if text != "*" {
            let uri: Uri = text.parse().map_err(|_| wrong())?;
            let scheme = uri.scheme_str().unwrap_or_default();
            let authority = uri.authority().map_or("", |authority| authority.as_str());
            // Browsers send lower-case letters and compare byte for byte.
            let is_origin = text == format!("{scheme}://{authority}")
                && !authority.contains('@')
                && text == text.to_ascii_lowercase();
            if !is_origin {
                return Err(wrong());
            }
        }
        HeaderValue::try_from(text).map(Self).map_err(|_| wrong())
    }
}

impl Origin {
    pub(crate) fn is_any(&self) -> bool {
        self.0 == "*"
    }

    pub(crate) fn is(&self, origin: &HeaderValue) -> bool {
        self.0 == origin
    }

    /// Whether its pages come from this host, whatever the port.
    pub(crate) fn has_host(&self, host: &str) -> bool {
        let uri = Uri::try_from(self.0.as_bytes()).ok();
        uri.as_ref().and_then(Uri::host).is_some_and(|own| own.eq_ignore_ascii_case(host))
    }
}

/// The text is not an [`Origin`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ParseOriginError(String);

impl fmt::Display for ParseOriginError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "`{}`: expected * or an origin in lower case without a path, such as \
             https://console.example",
            self.0
        )
    }
}

impl std::error::Error for ParseOriginError {}

/// Returns the layer that answers preflight requests and adds CORS headers; `None` without origins.
pub(crate) fn layer(origins: &[Origin]) -> Option<WebPages> {
    if origins.is_empty() {
        return None;
    }
    let origin = if origins.iter().any(|Origin(origin)| origin == "*") {
        AllowOrigin::any()
    } else {
        AllowOrigin::list(origins.iter().map(|Origin(origin)| origin.clone()))
    };
    let exposed = [
        HeaderName::from_static("eset-protect-code-inferred-from"),
        HeaderName::from_static("eset-protect-tenant"),
        HeaderName::from_static("grpc-message"),
        HeaderName::from_static("grpc-retry-pushback-ms"),
        HeaderName::from_static("grpc-status"),
        HeaderName::from_static("grpc-status-details-bin"),
        HeaderName::from_static("request-id"),
        HeaderName::from_static("response-id"),
        header::ALLOW,
        header::CONTENT_DISPOSITION,
        header::RETRY_AFTER,
        header::WWW_AUTHENTICATE,
    ];
    let cors = CorsLayer::new()
        .allow_origin(origin)
        // The router knows the methods, and `*` would not include `Authorization`.
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(MAX_AGE);
    Some(WebPages(cors))
}

/// Adds CORS headers to the answers to web pages: to requests with `Origin`.
#[derive(Clone)]
pub(crate) struct WebPages(CorsLayer);

impl<S: Clone> Layer<S> for WebPages {
    type Service = WithWebPages<S>;

    fn layer(&self, inner: S) -> Self::Service {
        WithWebPages { cors: self.0.layer(inner.clone()), inner }
    }
}

#[derive(Clone)]
pub(crate) struct WithWebPages<S> {
    cors: Cors<S>,
    inner: S,
}

impl<S, A, B> Service<Request<A>> for WithWebPages<S>
where
    S: Service<Request<A>, Response = Response<B>>,
    Cors<S>: Service<Request<A>, Response = Response<B>, Error = S::Error>,
{
    type Response = Response<B>;
    type Error = S::Error;
    type Future = Either<
        <Cors<S> as Service<Request<A>>>::Future,
        MapOk<S::Future, fn(Response<B>) -> Response<B>>,
    >;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        match self.cors.poll_ready(context) {
            Poll::Ready(Ok(())) => self.inner.poll_ready(context),
            other => other,
        }
    }

    fn call(&mut self, request: Request<A>) -> Self::Future {
        if request.headers().contains_key(header::ORIGIN) {
            return Either::Left(self.cors.call(request));
        }
        // What a cache keeps of a request without `Origin` is no answer to one with it.
        let is_cached = matches!(*request.method(), Method::GET | Method::HEAD);
        let finish: fn(_) -> _ = if is_cached { by_origin } else { std::convert::identity };
        Either::Right(self.inner.call(request).map_ok(finish))
    }
}

/// Says that a request with another `Origin` gets another answer.
fn by_origin<B>(mut answer: Response<B>) -> Response<B> {
    answer.headers_mut().append(header::VARY, HeaderValue::from_static("origin"));
    answer
}

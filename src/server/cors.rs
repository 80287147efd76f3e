//! Which web pages of other origins may call the REST front.

use std::fmt;
use std::str::FromStr;
use std::sync::Arc;
use std::time::Duration;

use http::uri::Uri;
use http::{HeaderName, HeaderValue, Method, Request, header};
use tonic::body::Body;
use tower::{Layer, ServiceExt, service_fn};
use tower_http::cors::{AllowHeaders, AllowMethods, AllowOrigin, CorsLayer};

use super::connections::{Answering, Calls};

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

/// Wraps what answers the requests of these origins: answers their preflight requests, and adds CORS headers to the answers
/// to web pages, which are those to requests with `Origin`.
pub(crate) fn wrap(
    origins: &[Origin],
    calls: impl Fn(Request<Body>) -> Answering + Clone + Send + Sync + 'static,
) -> Calls {
    if origins.is_empty() {
        return Arc::new(calls);
    }
    let cors = layer(origins).layer(service_fn(calls.clone()));
    Arc::new(move |request| {
        if request.headers().contains_key(header::ORIGIN) {
            return Box::pin(cors.clone().oneshot(request));
        }
        // What a cache keeps of a request without `Origin` is no answer to one with it.
        let is_cached = matches!(*request.method(), Method::GET | Method::HEAD);
        let answer = calls(request);
        Box::pin(async move {
            let mut answer = answer.await?;
            if is_cached {
                let origin = HeaderValue::from_static("origin");
                answer.headers_mut().append(header::VARY, origin);
            }
            Ok(answer)
        })
    })
}

fn layer(origins: &[Origin]) -> CorsLayer {
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
    CorsLayer::new()
        .allow_origin(origin)
        // The router knows the methods, and `*` would not include `Authorization`.
        .allow_methods(AllowMethods::mirror_request())
        .allow_headers(AllowHeaders::mirror_request())
        .expose_headers(exposed)
        .max_age(MAX_AGE)
}

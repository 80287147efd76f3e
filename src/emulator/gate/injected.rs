//! Chooses the injected fault for a request, and creates responses that only faults return.

use std::io;

use bytes::Bytes;
use futures_util::{StreamExt, stream};
use http::{HeaderMap, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use tonic::Status;
use tonic::body::Body;
use tower::BoxError;

use crate::emulator::faults::{Fault, Faults, ParseFaultError, Place};
use crate::rpc::MethodSpec;

/// The header that requests a fault.
const FAULT: &str = "x-emulator-fault";

/// Returns the fault for a request: that of its header, or the next one waiting for it.
pub(super) fn injected(
    faults: &Faults,
    headers: &HeaderMap,
    spec: Option<&'static MethodSpec>,
    path: &str,
) -> Result<Option<Fault>, Status> {
    let Some(text) = headers.get(FAULT) else {
        return Ok(match spec {
            Some(spec) => faults.take(&[spec.method, spec.path], true),
            None => faults.take(&[path], false),
        });
    };
    let text = text
        .to_str()
        .map_err(|_| Status::invalid_argument("x-emulator-fault: expected visible ASCII"))?;
    let fault = text.parse();
    fault.map(Some).map_err(|error: ParseFaultError| Status::invalid_argument(error.to_string()))
}

/// Creates a response without a call.
pub(super) fn plain(status: StatusCode, headers: HeaderMap, body: Bytes) -> Response<Bytes> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    *response.headers_mut() = headers;
    response
}

/// Creates a response that is cut off.
pub(super) fn broken(place: Place, answer: Response<Bytes>) -> Result<Response<Body>, BoxError> {
    let (mut head, body) = answer.into_parts();
    let some = match place {
        Place::BeforeHeaders => return Err("the connection was to break".into()),
        Place::AfterHeaders => Bytes::new(),
        Place::MidBody => body.slice(..body.len() / 2),
    };
    // Declares a length, so that the part is not mistaken for the whole.
    head.headers.insert(header::CONTENT_LENGTH, body.len().max(1).into());
    Ok(Response::from_parts(head, cut_off(some)))
}

/// A body that ends with an error after some bytes.
fn cut_off(bytes: Bytes) -> Body {
    let error = async {
        // The connection writes what it has while it waits for more. An immediate error would discard the
        // headers.
        tokio::task::yield_now().await;
        Err(io::Error::other("the connection was to break"))
    };
    let bytes = (!bytes.is_empty()).then(|| Ok(Frame::data(bytes)));
    Body::new(StreamBody::new(stream::iter(bytes).chain(stream::once(error))))
}

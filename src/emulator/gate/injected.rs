//! Chooses the injected fault for a request, and creates responses that only faults return.

use bytes::Bytes;
use http::{HeaderMap, Response, StatusCode, header};
use tonic::Status;
use tonic::body::Body;

use super::broken_body::BrokenBody;
use super::{BoxError, Gate};
use crate::emulator::faults::{Fault, ParseFaultError, Place};
use crate::rpc::MethodSpec;

/// The header that requests a fault.
const FAULT: &str = "x-emulator-fault";

impl Gate {
    /// Returns the fault for a request: that of its header, or the next queued one.
    pub(super) fn fault(
        &self,
        headers: &HeaderMap,
        spec: Option<&'static MethodSpec>,
        path: &str,
    ) -> Result<Option<Fault>, Status> {
        if let Some(text) = headers.get(FAULT) {
            let text = text.to_str().map_err(|_| {
                Status::invalid_argument("x-emulator-fault: expected visible ASCII")
            })?;
            let fault: Fault = text
                .parse()
                .map_err(|error: ParseFaultError| Status::invalid_argument(error.to_string()))?;
            return Ok(Some(fault));
        }
        Ok(match spec {
            Some(spec) => self.faults.take(&[spec.method, spec.path], true),
            None => self.faults.take(&[path], false),
        })
    }
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
    Ok(Response::from_parts(head, Body::new(BrokenBody::new(some))))
}

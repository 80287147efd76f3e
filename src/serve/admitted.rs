//! A call that may be forwarded.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use tonic::{Response, Status};

use super::access::Tenant;
use super::{failure, metadata};
use crate::call::{CallOptions, HttpCodec};
use crate::client::Client;
use crate::rpc::MethodSpec;
use crate::server::deadline::Deadline;
use crate::wkt::TypeRegistry;

/// A call that its caller may make, and where it goes.
#[derive(Clone)]
pub(super) struct Admitted {
    pub(super) tenant: Arc<Tenant>,
    /// The caller's own token for the upstream.
    pub(super) own_token: Option<HeaderValue>,
    pub(super) deadline: Deadline,
}

impl Admitted {
    pub(super) fn client(&self) -> &Client {
        &self.tenant.client
    }

    pub(super) fn type_registry(&self) -> &TypeRegistry {
        &self.tenant.type_registry
    }

    /// Returns the options of the call to the upstream: the metadata and the remaining time.
    pub(super) fn options(&self, headers: HeaderMap) -> CallOptions {
        let metadata = metadata::for_upstream(headers, self.own_token.clone());
        let options = CallOptions::default().forwarded(metadata);
        match self.deadline.left() {
            Some(left) => options.timeout(left),
            None => options,
        }
    }

    /// Forwards an encoded message.
    pub(super) async fn forward(
        self,
        spec: &'static MethodSpec,
        codec: HttpCodec,
        request: tonic::Request<Bytes>,
    ) -> Result<Response<Bytes>, Status> {
        let (metadata, _, message) = request.into_parts();
        let options = self.options(metadata.into_headers());
        self.client().forward(spec, codec, message, &options).await.map_err(failure::status)
    }
}

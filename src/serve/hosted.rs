//! The services of a crate that a bridge forwards. Nothing here is specific to an RPC.

use bytes::Bytes;
use prost::Message;
use tonic::Status;

use super::admitted::Admitted;
use crate::call::HttpCodec;
use crate::rpc::{HttpBinding, MethodSpec, Rpc, RpcVisitor};
use crate::server::{Backend, RestCall, RestFuture, Services};
use crate::transcode::{Encoded, TranscodeError};

/// The services of a crate, with their type erased.
#[derive(Clone, Copy)]
pub(super) struct Hosted {
    pub(super) methods: &'static [&'static MethodSpec],
    pub(super) descriptors: &'static [u8],
    pub(super) codec: HttpCodec,
    answer: fn(RestCall, Admitted) -> Option<RestFuture>,
}

impl Hosted {
    pub(super) fn of<S: Services>() -> Self {
        let codec = HttpCodec {
            request: |spec, bindings, message| S::visit(spec.path, ToHttp { bindings, message }),
            response: |spec, request, body| S::visit(spec.path, OfHttp { request, body }),
        };
        let answer = |call: RestCall, admitted| S::visit(call.rpc().path, Typed { call, admitted });
        Self { methods: S::METHODS, descriptors: S::DESCRIPTORS, codec, answer }
    }
}

/// Encodes a request as HTTP.
struct ToHttp<'a> {
    bindings: &'static [HttpBinding],
    message: &'a Bytes,
}

impl RpcVisitor for ToHttp<'_> {
    type Output = Result<Encoded, TranscodeError>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        let request = R::Request::decode(self.message.clone()).map_err(|error| {
            TranscodeError::new("", format!("the request is no {}: {error}", R::SPEC.request))
        })?;
        Encoded::of::<R>(&request, self.bindings)
    }
}

/// Decodes the response to such a request.
struct OfHttp<'a> {
    request: &'a Encoded,
    body: &'a [u8],
}

impl RpcVisitor for OfHttp<'_> {
    type Output = Result<Vec<u8>, TranscodeError>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        Ok(self.request.response::<R>(self.body)?.encode_to_vec())
    }
}

/// The backend of a REST front.
pub(super) struct Rest(pub(super) Hosted);

impl Backend for Rest {
    fn methods(&self) -> &'static [&'static MethodSpec] {
        self.0.methods
    }

    fn call(&self, call: RestCall) -> RestFuture {
        let path = call.rpc().path;
        let admitted = call.extensions().get::<Admitted>().cloned();
        let answer = admitted.and_then(|admitted| {
            let call = call.with_registry(admitted.type_registry().clone());
            (self.0.answer)(call, admitted)
        });
        answer.unwrap_or_else(|| {
            Box::pin(async move { Err(Status::unimplemented(format!("{path} is not served"))) })
        })
    }
}

/// A REST call to forward.
struct Typed {
    call: RestCall,
    admitted: Admitted,
}

impl RpcVisitor for Typed {
    type Output = RestFuture;

    fn rpc<R: Rpc>(self) -> RestFuture {
        let Self { call, admitted } = self;
        Box::pin(call.answer::<R, _, _>(|request| async move {
            let (metadata, _, message) = request.into_parts();
            let types = admitted.type_registry();
            let encode = |message: &_| types.scope(|| Encoded::request::<R>(message));
            let call = async |message, options| {
                admitted.client().call::<R>(message).options(options).send().await
            };
            admitted.answer(R::SPEC, metadata.into_headers(), message, encode, call).await
        }))
    }
}

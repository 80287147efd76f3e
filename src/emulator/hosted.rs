//! The services of a crate that an emulator serves.

use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorError, DescriptorPool};
use tonic::{Response, Status};

use super::api::{Api, Check};
use crate::check::{Problem, received};
use crate::rpc::{MethodSpec, Rpc, RpcVisitor};
use crate::server::{Backend, RestCall, RestFuture, Services};
use crate::wkt::{Timestamp, TypeRegistry};

/// The services of a crate, with their type erased.
#[derive(Clone, Copy)]
pub(crate) struct Hosted {
    pub(crate) methods: &'static [&'static MethodSpec],
    pub(crate) descriptors: &'static [u8],
    pub(crate) register: fn(TypeRegistry) -> TypeRegistry,
    answer: fn(RestCall, Api) -> Option<RestFuture>,
    /// Checks an encoded request.
    pub(crate) check: Check,
}

impl Hosted {
    pub(crate) fn of<S: Services>() -> Self {
        let answer = |call: RestCall, api| S::visit(call.rpc().path, Transcoded { call, api });
        let check: Check = |path, request, now, strict| {
            S::visit(path, Checked { request, now, strict }).unwrap_or_default()
        };
        let (methods, descriptors, register) = (S::METHODS, S::DESCRIPTORS, S::register);
        Self { methods, descriptors, register, answer, check }
    }

    /// Returns the message types.
    pub(crate) fn pool(&self) -> Result<DescriptorPool, DescriptorError> {
        DescriptorPool::decode(self.descriptors)
    }

    /// Returns the backend for these services over REST.
    pub(crate) fn backend(self, api: Api) -> Arc<dyn Backend> {
        Arc::new(Rest { hosted: self, api })
    }
}

struct Rest {
    hosted: Hosted,
    api: Api,
}

impl Backend for Rest {
    fn methods(&self) -> &'static [&'static MethodSpec] {
        self.hosted.methods
    }

    fn call(&self, call: RestCall) -> RestFuture {
        let path = call.rpc().path;
        (self.hosted.answer)(call, self.api.clone()).unwrap_or_else(|| {
            Box::pin(async move { Err(Status::unimplemented(format!("{path} is not served"))) })
        })
    }
}

/// A request to check.
struct Checked {
    request: Bytes,
    now: Timestamp,
    strict: bool,
}

impl RpcVisitor for Checked {
    type Output = Vec<Problem>;

    fn rpc<R: Rpc>(self) -> Self::Output {
        // The method refuses bytes that do not decode when it reads them.
        let request = R::Request::decode(self.request);
        request.map_or_else(|_| Vec::new(), |request| received(&request, self.now, self.strict))
    }
}

/// A REST call to serve with encoded messages.
struct Transcoded {
    call: RestCall,
    api: Api,
}

impl RpcVisitor for Transcoded {
    type Output = RestFuture;

    fn rpc<R: Rpc>(self) -> RestFuture {
        let Self { call, api } = self;
        Box::pin(call.answer::<R, _, _>(|request| async move {
            let request = request.into_inner().encode_to_vec().into();
            let response = api.call(R::SPEC.path, request).await?;
            let response = R::Response::decode(Bytes::from(response))
                .map_err(|error| Status::internal(format!("the response is not one: {error}")))?;
            Ok(Response::new(response))
        }))
    }
}

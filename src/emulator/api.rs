//! The RPCs that an emulator serves, on both wires.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, OnceLock};

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, MessageDescriptor};
use tonic::Status;

use super::environment::Environment;
use super::failure::{Failure, Violations};
use super::hosted::{Hosted, HostedRpc};
use super::paging::Page;
use super::request;
use super::standard::{self, Standard};
use super::store::{Change, Read as _, Snapshot, Store};
use crate::rpc::Rpc;
use crate::transcode::RpcTypes;

/// The store, the environment and the methods.
#[derive(Clone)]
pub(crate) struct Api {
    pub(crate) store: Arc<Store>,
    pub(crate) environment: Arc<Environment>,
    pub(crate) methods: Arc<Methods>,
}

/// The methods by gRPC path, and the types of the resources.
#[derive(Default)]
pub(crate) struct Methods {
    methods: BTreeMap<&'static str, Arc<Method>>,
    /// A method of each type of resources.
    resources: BTreeMap<String, Arc<Standard>>,
}

struct Method {
    rpc: HostedRpc,
    request: MessageDescriptor,
    /// The request fields in its path.
    path: Vec<String>,
    /// The fields that only the server sets, from the first request on: options are slow to read.
    output_only: OnceLock<BTreeSet<String>>,
    /// `None` for an RPC that is not implemented.
    answer: Option<Answer>,
}

/// The implementation of an RPC.
#[derive(Clone)]
pub(crate) enum Answer {
    Standard(Arc<Standard>),
    Read(Arc<Read>),
    Write(Arc<Write>),
}

type Read = dyn Fn(&Snapshot<'_>, DynamicMessage) -> Result<Vec<u8>, Failure> + Send + Sync;
type Write = dyn Fn(&mut Change<'_>, DynamicMessage) -> Result<Vec<u8>, Failure> + Send + Sync;

/// The implementation of an RPC, with its gRPC path.
pub(crate) type Special = (&'static str, Answer);

type List<R> =
    fn(&Snapshot<'_>, <R as Rpc>::Request, Page) -> Result<<R as Rpc>::Response, Failure>;

/// Implements an RPC that lists.
pub(crate) fn list<R: Rpc>(answer: List<R>) -> Special {
    let read = move |snapshot: &Snapshot<'_>, mut request| {
        let page = Page::of(snapshot.environment().pages, &mut request)?;
        Ok(answer(snapshot, request.transcode_to()?, page)?.encode_to_vec())
    };
    (R::SPEC.path, Answer::Read(Arc::new(read)))
}

/// Implements an RPC that makes changes and returns something.
pub(crate) fn write<R: Rpc, T: Into<R::Response> + 'static>(
    answer: fn(&mut Change<'_>, R::Request) -> Result<T, Failure>,
) -> Special {
    let write = move |change: &mut Change<'_>, request: DynamicMessage| {
        Ok(answer(change, request.transcode_to()?)?.into().encode_to_vec())
    };
    (R::SPEC.path, Answer::Write(Arc::new(write)))
}

/// Implements an RPC that makes changes and returns nothing.
pub(crate) fn write_only<R: Rpc>(
    answer: fn(&mut Change<'_>, R::Request) -> Result<(), Failure>,
) -> Special {
    let write = move |change: &mut Change<'_>, request: DynamicMessage| {
        answer(change, request.transcode_to()?)?;
        Ok(Vec::new())
    };
    (R::SPEC.path, Answer::Write(Arc::new(write)))
}

impl Methods {
    /// Adds the RPCs of these services. `special` are those that do more than a standard method.
    pub(crate) fn add(&mut self, hosted: &Hosted, pool: &DescriptorPool, special: Vec<Special>) {
        let mut special: BTreeMap<_, _> = special.into_iter().collect();
        let mut standard = standard::methods(hosted.methods, pool);
        for &rpc in &hosted.rpcs {
            let spec = rpc.spec;
            let Some(request) = pool.get_message_by_name(spec.request) else { continue };
            let standard = standard.remove(spec.path).map(Arc::new);
            if let Some(standard) = &standard {
                let resource = standard.resource().to_owned();
                self.resources.entry(resource).or_insert_with(|| Arc::clone(standard));
            }
            let path = standard.as_ref().map(|method| method.path().to_vec()).unwrap_or_default();
            let answer = special.remove(spec.path).or(standard.map(Answer::Standard));
            let output_only = OnceLock::new();
            let method = Method { rpc, request, path, output_only, answer };
            self.methods.insert(spec.path, Arc::new(method));
        }
    }

    /// Returns the types of an RPC, given by its gRPC path.
    pub(crate) fn types(&self, path: &str) -> Option<RpcTypes> {
        self.methods.get(path).map(|method| method.rpc.types)
    }

    /// Whether there are resources of this type.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.resources.contains_key(name)
    }

    /// Stores an encoded resource given by the name of its type, inside the `parents` if it is inside anything.
    pub(crate) fn store(
        &self,
        change: &mut Change<'_>,
        name: &str,
        parents: &[String],
        row: &[u8],
    ) -> Result<(), Failure> {
        let unknown = || Failure::internal(format!("no service has resources of type {name}"));
        self.resources.get(name).ok_or_else(unknown)?.store(change, parents, row)
    }
}

impl Method {
    /// Decodes a request and checks everything that does not depend on the store.
    fn read(&self, request: Bytes) -> Result<DynamicMessage, Failure> {
        let mut request =
            DynamicMessage::decode(self.request.clone(), request).map_err(|error| {
                Status::internal(format!("the request is no {}: {error}", self.request.full_name()))
            })?;
        let output_only = self.output_only.get_or_init(|| request::output_only(&self.request));
        request::prepare("", &mut request, &self.path, output_only)?;
        Ok(request)
    }

    /// Checks a request, which is given encoded and as [`read`](Self::read), and answers it.
    fn answer(
        &self,
        api: &Api,
        answer: &Answer,
        encoded: Bytes,
        request: DynamicMessage,
    ) -> Result<Vec<u8>, Failure> {
        let Api { store, environment, .. } = api;
        let (now, strict) = (environment.now(), environment.strict);
        let mut violations = Violations::default();
        violations.extend((self.rpc.check)(encoded, now, strict));
        violations.check()?;
        match answer {
            Answer::Standard(method) if method.is_change() => {
                store.write(environment, |change| method.write(change, request))
            }
            Answer::Standard(method) => {
                store.read(environment, |snapshot| method.read(snapshot, request))
            }
            Answer::Read(read) => store.read(environment, |snapshot| read(snapshot, request)),
            Answer::Write(write) => store.write(environment, |change| write(change, request)),
        }
    }
}

impl Api {
    /// Serves a call: takes the encoded request and returns the encoded response.
    pub(crate) async fn call(&self, path: &str, request: Bytes) -> Result<Vec<u8>, Status> {
        let method = self.methods.methods.get(path);
        let answered = method.and_then(|method| Some((method, method.answer.as_ref()?)));
        let Some((method, answer)) = answered else {
            return Err(Status::unimplemented(format!("{path} is not emulated")));
        };
        let message = method.read(request.clone())?;
        let is_brief = matches!(answer, Answer::Standard(method) if method.is_brief(&message));
        if is_brief && self.store.is_in_memory() {
            return Ok(method.answer(self, answer, request, message)?);
        }
        // On a thread of its own, since the store waits for the disk and for other changes, lists may be long, and
        // deeply nested `Any`s need most of a stack.
        let (api, called, answer) = (self.clone(), Arc::clone(method), answer.clone());
        let answered =
            tokio::task::spawn_blocking(move || called.answer(&api, &answer, request, message));
        let answer = answered.await;
        let answer = answer.map_err(|error| Status::internal(format!("{path} failed: {error}")))?;
        Ok(answer?)
    }
}

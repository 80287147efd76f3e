//! The RPCs that an emulator serves, on both wires.

use std::collections::BTreeMap;
use std::sync::Arc;

use bytes::Bytes;
use prost::Message;
use prost_reflect::{DescriptorPool, DynamicMessage, FieldDescriptor, MessageDescriptor};
use tonic::Status;

use super::environment::Environment;
use super::failure::{Failure, Violations};
use super::paging::Page;
use super::request;
use super::standard::{self, Standard};
use super::store::{Change, Snapshot, Store};
use crate::rpc::{MethodSpec, Rpc};

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
    methods: BTreeMap<&'static str, Method>,
    /// The identifier field of each resource, by type.
    resources: BTreeMap<String, FieldDescriptor>,
}

struct Method {
    spec: &'static MethodSpec,
    request: MessageDescriptor,
    /// The request fields in its path.
    path: Vec<String>,
    /// Whether the descriptors contain all checks.
    is_standard: bool,
    /// Whether the request holds a whole resource.
    is_create: bool,
    /// `None` for an RPC that is not implemented.
    answer: Option<Answer>,
}

/// The implementation of an RPC.
#[derive(Clone)]
pub(crate) enum Answer {
    Read(Arc<Read>),
    Write(Arc<Write>),
}

type Read =
    dyn Fn(&Snapshot, &Environment, DynamicMessage) -> Result<Vec<u8>, Failure> + Send + Sync;
type Write =
    dyn Fn(&mut Change<'_>, &Environment, DynamicMessage) -> Result<Vec<u8>, Failure> + Send + Sync;

/// The result of a method, by message types.
type Returned<R> = Result<<R as Rpc>::Response, Failure>;
type List<R> = fn(&Snapshot, &Environment, <R as Rpc>::Request, Page) -> Returned<R>;
type Make<R> = fn(&mut Change<'_>, &Environment, <R as Rpc>::Request) -> Returned<R>;

/// Implements an RPC that lists.
pub(crate) fn list<R: Rpc>(answer: List<R>) -> (&'static str, Answer) {
    let read = move |snapshot: &Snapshot, environment: &Environment, mut request| {
        let page = Page::of(environment.pages, &mut request)?;
        let request = request.transcode_to()?;
        Ok(answer(snapshot, environment, request, page)?.encode_to_vec())
    };
    (R::SPEC.path, Answer::Read(Arc::new(read)))
}

/// Implements an RPC that makes changes.
pub(crate) fn write<R: Rpc>(answer: Make<R>) -> (&'static str, Answer) {
    let write =
        move |change: &mut Change<'_>, environment: &Environment, request: DynamicMessage| {
            let request = request.transcode_to()?;
            Ok(answer(change, environment, request)?.encode_to_vec())
        };
    (R::SPEC.path, Answer::Write(Arc::new(write)))
}

impl From<Standard> for Answer {
    fn from(method: Standard) -> Self {
        if method.is_change() {
            Self::Write(Arc::new(move |change, environment, request| {
                method.write(change, environment, request)
            }))
        } else {
            Self::Read(Arc::new(move |snapshot, environment, request| {
                method.read(snapshot, environment, request)
            }))
        }
    }
}

impl Methods {
    /// Adds the RPCs of these services. `special` are those that do more than a standard method.
    pub(crate) fn add(
        &mut self,
        specs: &[&'static MethodSpec],
        pool: &DescriptorPool,
        special: impl IntoIterator<Item = (&'static str, Answer)>,
    ) {
        let mut standard = standard::methods(specs, pool);
        let mut special: BTreeMap<_, _> = special.into_iter().collect();
        for &spec in specs {
            let Some(request) = pool.get_message_by_name(spec.request) else { continue };
            let standard = standard.remove(spec.path);
            if let Some((resource, id)) = standard.as_ref().and_then(Standard::resource) {
                self.resources.insert(resource.full_name().to_owned(), id.clone());
            }
            let path = standard.as_ref().map(|method| method.path().to_vec()).unwrap_or_default();
            let special = special.remove(spec.path);
            let is_standard = special.is_none();
            let is_create = standard.as_ref().is_some_and(Standard::is_create);
            let answer = special.or_else(|| standard.map(Answer::from));
            let method = Method { spec, request, path, is_standard, is_create, answer };
            self.methods.insert(spec.path, method);
        }
    }

    /// Returns the RPCs.
    pub(crate) fn specs(&self) -> impl Iterator<Item = &'static MethodSpec> {
        self.methods.values().map(|method| method.spec)
    }

    /// Returns the RPC with this gRPC path.
    pub(crate) fn spec(&self, path: &str) -> Option<&'static MethodSpec> {
        self.methods.get(path).map(|method| method.spec)
    }

    /// Stores a resource given by the name of its type. Generates an identifier if it has none.
    pub(crate) fn store(
        &self,
        change: &mut Change<'_>,
        environment: &Environment,
        name: &str,
        row: &[u8],
    ) -> Result<(), Failure> {
        let Some(field) = self.resources.get(name) else {
            return Err(Failure::internal(format!("no service has resources of type {name}")));
        };
        let mut resource = DynamicMessage::decode(field.parent_message().clone(), row)?;
        standard::insert(change, environment, name, field, &mut resource)?;
        Ok(())
    }
}

impl Method {
    /// Decodes a request and checks everything that does not depend on the store.
    fn read(&self, request: Bytes) -> Result<DynamicMessage, Failure> {
        let mut request =
            DynamicMessage::decode(self.request.clone(), request).map_err(|error| {
                Status::internal(format!("the request is no {}: {error}", self.request.full_name()))
            })?;
        request::prepare(&mut request, &self.path)?;
        if self.is_standard {
            let mut violations = Violations::default();
            request::note("", &request, self.is_create, &mut violations);
            violations.check()?;
        }
        Ok(request)
    }
}

impl Api {
    /// Serves a call: takes the encoded request and returns the encoded response.
    pub(crate) async fn call(&self, path: &str, request: Bytes) -> Result<Vec<u8>, Status> {
        let method = self.methods.methods.get(path);
        let answered = method.and_then(|method| Some((method, method.answer.clone()?)));
        let Some((method, answer)) = answered else {
            return Err(Status::unimplemented(format!("{path} is not emulated")));
        };
        let request = method.read(request)?;
        let environment = Arc::clone(&self.environment);
        match answer {
            Answer::Read(read) => {
                self.store.read(move |snapshot| read(snapshot, &environment, request)).await
            }
            Answer::Write(write) => {
                self.store.write(move |change| write(change, &environment, request)).await
            }
        }
    }
}

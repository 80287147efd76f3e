//! From an HTTP method and a path to an RPC.

use super::{TranscodeError, binding};
use crate::rpc::{self, HttpBinding, MethodSpec, Rpc};

/// The bindings of many RPCs, the more special ones first.
#[derive(Clone, Debug)]
pub struct Router {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    spec: &'static MethodSpec,
    binding: &'static HttpBinding,
}

impl Router {
    /// A router for RPCs, with all their bindings.
    pub fn new(specs: impl IntoIterator<Item = &'static MethodSpec>) -> Self {
        let entries = specs
            .into_iter()
            .flat_map(|spec| spec.http.iter().map(move |binding| Entry { spec, binding }));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_cached_key(|entry| entry.binding.template.specificity());
        Self { entries }
    }

    /// A router for every RPC of this crate.
    pub fn of_crate() -> Self {
        Self::new(rpc::METHODS.iter().copied())
    }

    /// The RPC for a method and a path without its query; `None` if there is none.
    ///
    /// # Errors
    ///
    /// If there is one and the path is not percent-encoded UTF-8.
    pub fn route(&self, method: &str, path: &str) -> Result<Option<Route>, TranscodeError> {
        for entry in self.entries.iter().filter(|entry| entry.binding.method == method) {
            if let Some(found) = entry.binding.template.capture(path)? {
                let variables =
                    found.into_iter().map(|(field, value)| (field.to_owned(), value)).collect();
                return Ok(Some(Route { spec: entry.spec, binding: entry.binding, variables }));
            }
        }
        Ok(None)
    }

    /// The HTTP methods that a path has; empty if it has none.
    pub fn methods(&self, path: &str) -> Vec<&'static str> {
        let matching = self
            .entries
            .iter()
            .filter(|entry| !matches!(entry.binding.template.capture(path), Ok(None)));
        let mut methods: Vec<_> = matching.map(|entry| entry.binding.method).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

/// An RPC that was found, with what the path says.
#[derive(Clone, Debug)]
pub struct Route {
    spec: &'static MethodSpec,
    binding: &'static HttpBinding,
    variables: Vec<(String, String)>,
}

impl Route {
    /// The RPC.
    pub fn spec(&self) -> &'static MethodSpec {
        self.spec
    }

    /// The binding by which it was found.
    pub fn binding(&self) -> &'static HttpBinding {
        self.binding
    }

    /// The request message. What the path says goes before what the body says.
    ///
    /// # Errors
    ///
    /// If query or body are not of such a request, or `R` is not the RPC that was found.
    pub fn request<R: Rpc>(&self, query: &str, body: &[u8]) -> Result<R::Request, TranscodeError> {
        self.check::<R>()?;
        binding::decode::<R>(self.binding, &self.variables, query, body)
    }

    /// The body of the response: the message, or the one field of it that `response_body` names.
    ///
    /// # Errors
    ///
    /// If the response has no JSON form, or `R` is not the RPC that was found.
    pub fn response<R: Rpc>(&self, response: &R::Response) -> Result<Vec<u8>, TranscodeError> {
        self.check::<R>()?;
        binding::encode_response::<R>(self.binding, response)
    }

    fn check<R: Rpc>(&self) -> Result<(), TranscodeError> {
        if R::SPEC.path == self.spec.path {
            return Ok(());
        }
        let problem = format!("the route is of {}, not of {}", self.spec.path, R::SPEC.path);
        Err(TranscodeError::new("", problem))
    }
}

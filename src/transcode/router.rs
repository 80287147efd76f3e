//! Finds the RPC for an HTTP method and path.

use std::collections::{BTreeMap, BTreeSet};

use super::path::segments;
use super::{TranscodeError, binding};
#[cfg(feature = "emulator")]
use crate::rpc::Deployment;
use crate::rpc::path_template::Piece;
use crate::rpc::{self, HttpBinding, MethodSpec, Rpc};

/// The bindings of many RPCs.
#[derive(Clone, Debug)]
pub struct Router {
    /// The most specific ones first.
    entries: Vec<Entry>,
    /// Which of them fit, by the second segment of a path, which names the collection.
    places: Places,
    /// What another deployment has.
    gone: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    spec: &'static MethodSpec,
    binding: &'static HttpBinding,
}

impl Router {
    /// Creates a router for RPCs, with all their bindings.
    pub fn new(specs: impl IntoIterator<Item = &'static MethodSpec>) -> Self {
        let entries = specs
            .into_iter()
            .flat_map(|spec| spec.http.iter().map(move |binding| Entry { spec, binding }));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_cached_key(|entry| entry.binding.template.specificity());
        Self { places: Places::of(&entries), entries, gone: Vec::new() }
    }

    /// Keeps what a deployment has. The paths of the rest do not exist, even where others fit them.
    #[cfg(feature = "emulator")]
    pub(crate) fn keep(&mut self, deployment: Deployment) {
        let (kept, gone) = std::mem::take(&mut self.entries).into_iter().partition(|entry| {
            deployment.has(entry.spec) && deployment.bindings(entry.spec).contains(entry.binding)
        });
        (self.entries, self.gone) = (kept, gone);
        self.places = Places::of(&self.entries);
    }

    /// Creates a router for every RPC of this crate.
    pub fn of_crate() -> Self {
        Self::new(rpc::METHODS.iter().copied())
    }

    /// Returns the RPC for a method and a path without query; `None` if there is none.
    ///
    /// # Errors
    ///
    /// Fails if there is one but the path is not percent-encoded UTF-8.
    pub fn route(&self, method: &str, path: &str) -> Result<Option<Route>, TranscodeError> {
        let Some(segments) = segments(path) else { return Ok(None) };
        for &place in self.places.at(&segments) {
            let Entry { spec, binding } = self.entries[place];
            if binding.method == method
                && let Some(segments) = binding.template.fitting(&segments)
            {
                let values = binding.template.values(&segments)?.into_iter();
                let variables = values.map(|(field, value)| (field.to_owned(), value)).collect();
                return Ok(Some(Route { spec, binding, variables }));
            }
        }
        Ok(None)
    }

    /// Returns the HTTP methods that a path supports; empty if it does not exist.
    pub fn methods(&self, path: &str) -> Vec<&'static str> {
        let Some(segments) = segments(path) else { return Vec::new() };
        let fits = |entry: &&Entry| entry.binding.template.fitting(&segments).is_some();
        let is_gone = |entry: &&Entry| entry.binding.template.verb().is_some() && fits(entry);
        if self.gone.iter().any(|entry| is_gone(&entry)) {
            return Vec::new();
        }
        let matching = self.entries.iter().filter(fits);
        let mut methods: Vec<_> = matching.map(|entry| entry.binding.method).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

/// The places of entries that a path may fit, in order.
#[derive(Clone, Debug, Default)]
struct Places {
    by_second: BTreeMap<&'static str, Vec<usize>>,
    /// Those that have no literal there.
    others: Vec<usize>,
}

impl Places {
    fn of(entries: &[Entry]) -> Self {
        let second = |entry: &Entry| match entry.binding.template.pieces() {
            [Piece::Literal(_) | Piece::One, Piece::Literal(literal), ..] => Some(*literal),
            _ => None,
        };
        let literals: BTreeSet<_> = entries.iter().filter_map(second).collect();
        let places = |literal: Option<&str>| {
            let fitting = entries.iter().enumerate().filter(|(_, entry)| {
                let second = second(entry);
                second.is_none() || second == literal
            });
            fitting.map(|(place, _)| place).collect()
        };
        let by_second = literals.into_iter().map(|literal| (literal, places(Some(literal))));
        Self { by_second: by_second.collect(), others: places(None) }
    }

    fn at(&self, segments: &[&str]) -> &[usize] {
        // No literal has a colon, which begins a verb.
        let second = segments.get(1).and_then(|second| second.split(':').next());
        second.and_then(|second| self.by_second.get(second)).unwrap_or(&self.others)
    }
}

/// A matching RPC, with the values in the path.
#[derive(Clone, Debug)]
pub struct Route {
    spec: &'static MethodSpec,
    binding: &'static HttpBinding,
    variables: Vec<(String, String)>,
}

impl Route {
    /// Returns the RPC.
    pub fn spec(&self) -> &'static MethodSpec {
        self.spec
    }

    /// Returns the binding that matched.
    pub fn binding(&self) -> &'static HttpBinding {
        self.binding
    }

    /// Decodes the request message. Values in the path take precedence over the body.
    ///
    /// # Errors
    ///
    /// Fails if the query or body is not valid for this request, or if `R` is not the matching RPC.
    pub fn request<R: Rpc>(&self, query: &str, body: &[u8]) -> Result<R::Request, TranscodeError> {
        self.check::<R>()?;
        binding::decode::<R>(self.binding, &self.variables, query, body)
    }

    /// Encodes the body of the response: the message, or the single field of it that `response_body` names.
    ///
    /// # Errors
    ///
    /// Fails if the response has no JSON form, or if `R` is not the matching RPC.
    pub fn response<R: Rpc>(&self, response: &R::Response) -> Result<Vec<u8>, TranscodeError> {
        self.check::<R>()?;
        binding::encode_response(self.binding, response)
    }

    fn check<R: Rpc>(&self) -> Result<(), TranscodeError> {
        if R::SPEC.path == self.spec.path {
            return Ok(());
        }
        let problem = format!("the route is of {}, not of {}", self.spec.path, R::SPEC.path);
        Err(TranscodeError::new("", problem))
    }
}

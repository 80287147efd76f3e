//! Finds the RPC for an HTTP method and path.

use std::collections::{BTreeMap, BTreeSet};

use super::path::segments;
use super::{TranscodeError, binding};
#[cfg(feature = "emulator")]
use crate::rpc::Deployment;
use crate::rpc::path_template::Piece;
use crate::rpc::{self, HttpBinding, MethodSpec, Rpc};

/// The bindings of many RPCs, the most specific ones first.
#[derive(Clone, Debug)]
pub struct Router {
    entries: Vec<Entry>,
    /// Those that paths with these first two segments may fit: few of all.
    by_head: BTreeMap<[&'static str; 2], Vec<Entry>>,
    /// What another deployment has.
    gone: Vec<Entry>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    spec: &'static MethodSpec,
    binding: &'static HttpBinding,
}

impl Entry {
    /// Returns the first two segments of its paths, if they are always the same.
    fn head(&self) -> Option<[&'static str; 2]> {
        match self.binding.template.pieces() {
            [Piece::Literal(first), Piece::Literal(second), ..] => Some([first, second]),
            _ => None,
        }
    }
}

impl Router {
    /// Creates a router for RPCs, with all their bindings.
    pub fn new(specs: impl IntoIterator<Item = &'static MethodSpec>) -> Self {
        let entries = specs
            .into_iter()
            .flat_map(|spec| spec.http.iter().map(move |binding| Entry { spec, binding }));
        let mut entries: Vec<_> = entries.collect();
        entries.sort_by_cached_key(|entry| entry.binding.template.specificity());
        Self::of(entries, Vec::new())
    }

    fn of(entries: Vec<Entry>, gone: Vec<Entry>) -> Self {
        let heads: BTreeSet<_> = entries.iter().filter_map(Entry::head).collect();
        let by_head = heads.into_iter().map(|head| {
            let may_fit = |entry: &&Entry| entry.head().is_none_or(|own| own == head);
            (head, entries.iter().filter(may_fit).copied().collect())
        });
        Self { by_head: by_head.collect(), entries, gone }
    }

    /// Keeps what a deployment has. The paths of the rest do not exist, even where others fit them.
    #[cfg(feature = "emulator")]
    pub(crate) fn keep(&mut self, deployment: Deployment) {
        let (kept, gone) = std::mem::take(&mut self.entries).into_iter().partition(|entry| {
            deployment.has(entry.spec) && deployment.bindings(entry.spec).contains(entry.binding)
        });
        *self = Self::of(kept, gone);
    }

    /// Whether requests find an RPC by this binding.
    #[cfg(feature = "_connections")]
    pub(crate) fn has(&self, binding: &HttpBinding) -> bool {
        self.entries.iter().any(|entry| entry.binding == binding)
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
        let found = self.matching(&segments).find(|entry| entry.binding.method == method);
        let route = found.map(|&Entry { spec, binding }| {
            let variables = binding.template.values(&segments)?;
            Ok(Route { spec, binding, variables })
        });
        route.transpose()
    }

    /// Returns the entries that a path may fit.
    fn candidates<'a>(&'a self, segments: &[&'a str]) -> &'a [Entry] {
        let by_head = match *segments {
            // A literal has no colon: what follows is a verb.
            [first, last] => self.by_head.get(&[first, last.split(':').next().unwrap_or(last)]),
            [first, second, ..] => self.by_head.get(&[first, second]),
            _ => None,
        };
        by_head.unwrap_or(&self.entries)
    }

    /// Returns the entries that a path fits. What follows a colon is the verb of a template that has it, even if another
    /// template takes all of the segment for a value: nobody deletes `UUID:rename`.
    fn matching<'a>(&'a self, segments: &'a [&'a str]) -> impl Iterator<Item = &'a Entry> {
        let fits = |entry: &&Entry| entry.binding.template.fits(segments);
        let has_verb = |entry: &Entry| entry.binding.template.verb().is_some();
        let candidates = self.candidates(segments).iter().filter(fits);
        let is_verb = segments.last().is_some_and(|last| last.contains(':'))
            && candidates.clone().chain(self.gone.iter().filter(fits)).any(has_verb);
        candidates.filter(move |entry| !is_verb || has_verb(entry))
    }

    /// Returns the HTTP methods that a path supports; empty if it does not exist.
    pub fn methods(&self, path: &str) -> Vec<&'static str> {
        let Some(segments) = segments(path) else { return Vec::new() };
        let mut methods: Vec<_> =
            self.matching(&segments).map(|entry| entry.binding.method).collect();
        methods.sort_unstable();
        methods.dedup();
        methods
    }
}

/// A matching RPC, with the values in the path.
#[derive(Clone, Debug)]
pub struct Route {
    spec: &'static MethodSpec,
    binding: &'static HttpBinding,
    variables: Vec<(&'static str, String)>,
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

    /// Returns the values in the path, by field.
    #[cfg(feature = "_connections")]
    pub(super) fn variables(&self) -> &[(&'static str, String)] {
        &self.variables
    }

    /// Decodes the request message. Values in the path take precedence over the body.
    ///
    /// # Errors
    ///
    /// Fails if the query or body is not valid for this request, or if `R` is not the matching RPC.
    pub fn request<R: Rpc>(&self, query: &str, body: &[u8]) -> Result<R::Request, TranscodeError> {
        self.check::<R>()?;
        let mut request = R::Request::default();
        binding::decode(&mut request, self.binding, &self.variables, query, body)?;
        Ok(request)
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

//! The requests that an emulator received.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

use http::{HeaderMap, HeaderValue, Method, header};

use crate::rpc::MethodSpec;

/// The number of most recent requests to keep.
const MAX_ARRIVALS: usize = 10_000;

/// The wire of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Front {
    /// gRPC and gRPC-Web.
    Grpc,
    /// REST, the token endpoints and all other HTTP requests.
    Rest,
}

/// A received request, whatever its outcome.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Arrival {
    /// The wire.
    pub front: Front,
    /// The HTTP method.
    pub method: Method,
    /// The path with the query.
    pub path: String,
    /// The RPC, if the request was for one.
    pub rpc: Option<&'static MethodSpec>,
    /// The headers, with credentials redacted.
    pub headers: HeaderMap,
}

impl Arrival {
    /// Whether it was a call of the RPC with this name, such as `ListTasks`.
    pub fn is_rpc(&self, method: &str) -> bool {
        self.rpc.is_some_and(|spec| spec.method == method)
    }
}

/// The most recent requests.
#[derive(Debug, Default)]
pub(super) struct Log(Mutex<VecDeque<Arrival>>);

impl Log {
    pub(super) fn note(&self, mut arrival: Arrival) {
        for name in [header::AUTHORIZATION, header::PROXY_AUTHORIZATION, header::COOKIE] {
            if arrival.headers.contains_key(&name) {
                arrival.headers.insert(name, HeaderValue::from_static("[redacted]"));
            }
        }
        let mut arrivals = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if arrivals.len() >= MAX_ARRIVALS {
            arrivals.pop_front();
        }
        arrivals.push_back(arrival);
    }

    pub(super) fn arrivals(&self) -> Vec<Arrival> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

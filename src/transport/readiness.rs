//! Whether any connection of a client can have carried a request.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::no_http2::NoHttp2;

/// The connections of one connector, counted once they take requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Readiness(Arc<Counts>);

#[derive(Debug, Default)]
struct Counts {
    ready: AtomicU64,
    gone: AtomicU64,
    /// Why the last one took none.
    failure: Mutex<Option<NoHttp2>>,
}

impl Readiness {
    /// Another connection takes requests, for as long as this lives.
    pub(super) fn ready(&self) -> Ready {
        self.set_failure(None);
        self.0.ready.fetch_add(1, Ordering::SeqCst);
        Ready(self.0.clone())
    }

    /// A connection ended before it took any.
    pub(super) fn failed(&self, failure: &NoHttp2) {
        self.set_failure(Some(failure.clone()));
    }

    pub(super) fn failure(&self) -> Option<NoHttp2> {
        self.0.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failure(&self, failure: Option<NoHttp2>) {
        *self.0.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// A connection that takes requests.
#[derive(Debug)]
pub(super) struct Ready(Arc<Counts>);

impl Drop for Ready {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Ordering::SeqCst);
    }
}

/// Says of an attempt, also of one that is given up, whether any of it can have gone out: not if there was no
/// connection when it began, and none since.
#[derive(Debug)]
pub(super) struct Sent {
    /// Those that had no connection, and how many had been ready then.
    before: Vec<(Readiness, u64)>,
    is_all: bool,
    verdict: Arc<AtomicBool>,
}

impl Sent {
    /// An attempt begins, on any of these.
    pub(super) fn begin(on: Vec<Readiness>, verdict: Arc<AtomicBool>) -> Self {
        let count = |readiness: Readiness| {
            let gone = readiness.0.gone.load(Ordering::SeqCst);
            let ready = readiness.0.ready.load(Ordering::SeqCst);
            (gone == ready).then_some((readiness, ready))
        };
        let before: Option<Vec<_>> = on.into_iter().map(count).collect();
        Self { is_all: before.is_some(), before: before.unwrap_or_default(), verdict }
    }

    /// Whether any of it can have gone out so far.
    pub(super) fn is_possible(&self) -> bool {
        let is_as_before = |(readiness, ready): &(Readiness, u64)| {
            readiness.0.ready.load(Ordering::SeqCst) == *ready
        };
        !(self.is_all && self.before.iter().all(is_as_before))
    }
}

impl Drop for Sent {
    fn drop(&mut self) {
        self.verdict.store(self.is_possible(), Ordering::SeqCst);
    }
}

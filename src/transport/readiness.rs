//! Tracks whether any connection of a client may have carried a request.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use super::no_http2::NoHttp2;

/// The connections of a connector, counted once they accept requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Readiness {
    counts: Arc<Counts>,
    /// Why the last connection accepted none.
    failure: Arc<Mutex<Option<NoHttp2>>>,
}

#[derive(Debug, Default)]
struct Counts {
    ready: AtomicU64,
    gone: AtomicU64,
}

impl Readiness {
    /// Returns the readiness of another server, whose connections count together with these.
    pub(super) fn of_other_server(&self) -> Self {
        Self { counts: self.counts.clone(), failure: Arc::default() }
    }

    /// Records a connection that accepts requests as long as the returned value lives.
    pub(super) fn ready(&self) -> Ready {
        self.set_failure(None);
        self.counts.ready.fetch_add(1, Ordering::SeqCst);
        Ready(self.counts.clone())
    }

    /// Records a connection that ended before it accepted any.
    pub(super) fn failed(&self, failure: &NoHttp2) {
        self.set_failure(Some(failure.clone()));
    }

    pub(super) fn failure(&self) -> Option<NoHttp2> {
        self.failure.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn set_failure(&self, failure: Option<NoHttp2>) {
        *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
    }
}

/// A connection that accepts requests.
#[derive(Debug)]
pub(super) struct Ready(Arc<Counts>);

impl Drop for Ready {
    fn drop(&mut self) {
        self.0.gone.fetch_add(1, Ordering::SeqCst);
    }
}

/// Whether part of a request may have been sent: not if there was no connection when the request began, and none
/// since.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// The connections, if none was ready then, and how many had been by then.
    none_since: Option<(Readiness, u64)>,
}

impl Sent {
    /// Watches from now on.
    pub(super) fn begin(readiness: &Readiness) -> Self {
        let gone = readiness.counts.gone.load(Ordering::SeqCst);
        let ready = readiness.counts.ready.load(Ordering::SeqCst);
        Self { none_since: (gone == ready).then(|| (readiness.clone(), ready)) }
    }

    /// For a wire that does not report this.
    pub(super) fn unknown() -> Self {
        Self { none_since: None }
    }

    /// Whether part of it may have been sent so far.
    pub(crate) fn is_possible(&self) -> bool {
        let none_since = self.none_since.as_ref();
        none_since.is_none_or(|(readiness, before)| {
            readiness.counts.ready.load(Ordering::SeqCst) != *before
        })
    }
}

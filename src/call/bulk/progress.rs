//! The progress of many calls.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A total that is still unknown.
const UNKNOWN: usize = usize::MAX;

/// The progress of a [`Bulk`](crate::Bulk) or [`BulkItems`](crate::BulkItems). Clones report the same
/// progress, from any thread, even after it ended.
///
/// ```no_run
/// # async fn run(client: eset_protect::Client, uuids: Vec<String>) {
/// use eset_protect::rpc::device_tasks::GetTask;
///
/// let bulk = client.bulk::<GetTask>(uuids);
/// let progress = bulk.progress();
/// tokio::spawn(async move {
///     let mut second = tokio::time::interval(std::time::Duration::from_secs(1));
///     while !progress.counts().is_complete() {
///         second.tick().await;
///         println!("{:?}", progress.counts());
///     }
/// });
/// let responses = bulk.collect().await;
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Progress(Arc<Counters>);

#[derive(Debug)]
struct Counters {
    started: AtomicUsize,
    succeeded: AtomicUsize,
    failed: AtomicUsize,
    total: AtomicUsize,
}

/// The counts of a [`Progress`] at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProgressCounts {
    /// The number of started calls or lists, including finished ones.
    pub started: usize,
    /// The number that succeeded.
    pub succeeded: usize,
    /// The number that failed.
    pub failed: usize,
    /// The total number; `None` if the iterator of requests does not know it exactly and has not ended.
    pub total: Option<usize>,
}

impl ProgressCounts {
    /// Returns the number that succeeded or failed.
    pub fn finished(&self) -> usize {
        self.succeeded + self.failed
    }

    /// Returns the number that started and have not finished.
    pub fn under_way(&self) -> usize {
        self.started.saturating_sub(self.finished())
    }

    /// Whether all have succeeded or failed.
    pub fn is_complete(&self) -> bool {
        self.total == Some(self.finished())
    }
}

impl Progress {
    pub(super) fn new(total: Option<usize>) -> Self {
        Self(Arc::new(Counters {
            started: AtomicUsize::new(0),
            succeeded: AtomicUsize::new(0),
            failed: AtomicUsize::new(0),
            total: AtomicUsize::new(total.unwrap_or(UNKNOWN)),
        }))
    }

    /// Returns the current counts.
    pub fn counts(&self) -> ProgressCounts {
        let counters = &*self.0;
        // Read in the opposite order of the writes, so that no finished call appears as not started.
        let succeeded = counters.succeeded.load(Ordering::Acquire);
        let failed = counters.failed.load(Ordering::Acquire);
        let started = counters.started.load(Ordering::Acquire);
        let total = Some(counters.total.load(Ordering::Acquire)).filter(|total| *total != UNKNOWN);
        ProgressCounts { started, succeeded, failed, total }
    }

    pub(super) fn start(&self) {
        self.0.started.fetch_add(1, Ordering::Release);
    }

    pub(super) fn finish(&self, succeeded: bool) {
        let counter = if succeeded { &self.0.succeeded } else { &self.0.failed };
        counter.fetch_add(1, Ordering::Release);
    }

    /// Records that no more start, so that the total is the number started.
    pub(super) fn close(&self) {
        self.0.total.store(self.0.started.load(Ordering::Acquire), Ordering::Release);
    }
}

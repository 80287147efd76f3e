//! How far many calls are.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// A total that nobody knows yet.
const UNKNOWN: usize = usize::MAX;

/// How far a [`Bulk`](crate::Bulk) or [`BulkItems`](crate::BulkItems) is. Clones look at the same one, from
/// any thread, also after it is gone.
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

/// What a [`Progress`] showed at one time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub struct ProgressCounts {
    /// How many have begun, finished ones among them.
    pub started: usize,
    /// How many have succeeded.
    pub succeeded: usize,
    /// How many have failed.
    pub failed: usize,
    /// How many there will be; `None` where the iterator of the requests does not say exactly and has not
    /// come to its end.
    pub total: Option<usize>,
}

impl ProgressCounts {
    /// How many have succeeded or failed.
    pub fn finished(&self) -> usize {
        self.succeeded + self.failed
    }

    /// How many have begun and not finished.
    pub fn under_way(&self) -> usize {
        self.started.saturating_sub(self.finished())
    }

    /// All have succeeded or failed.
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

    /// The counts of this moment.
    pub fn counts(&self) -> ProgressCounts {
        let counters = &*self.0;
        // In the opposite order of the writer, so that nothing has finished that has not begun.
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

    /// No more begin: there are as many as have begun.
    pub(super) fn close(&self) {
        self.0.total.store(self.0.started.load(Ordering::Acquire), Ordering::Release);
    }
}

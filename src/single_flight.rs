//! Work that runs once for many callers, such as a login.
//!
//! All waiting callers drive it: if only one did, it could block the others while nothing polls it, perhaps because
//! its caller waits for one of the others. For the same reason, the callers of another tokio runtime do not wait for it
//! without end: the connections and timers of the work belong to the runtime in which it began, which may be idle.

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use tokio::runtime::{Handle, Id};

use crate::timer::BoxFuture;

/// The work that is under way, at most one in each runtime. It is dropped if no caller waits for it any more.
#[derive(Debug)]
pub(crate) struct SingleFlight<T>(Vec<Flight<T>>);

/// Work to wait for.
pub(crate) type Work<T> = Shared<BoxFuture<'static, T>>;

#[derive(Debug)]
struct Flight<T> {
    /// `None` outside any runtime.
    runtime: Option<Id>,
    work: WeakShared<BoxFuture<'static, T>>,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Clone> SingleFlight<T> {
    /// Returns the work under way in this runtime.
    pub(crate) fn under_way(&self) -> Option<Work<T>> {
        let runtime = runtime();
        let flight = self.0.iter().find(|flight| flight.runtime == runtime)?;
        flight.work.upgrade().filter(|work| work.peek().is_none())
    }

    /// Returns the work under way in any other runtime.
    pub(crate) fn under_way_elsewhere(&self) -> Option<Work<T>> {
        let works = self.0.iter().filter_map(|flight| flight.work.upgrade());
        works.into_iter().find(|work| work.peek().is_none())
    }

    /// Begins work in this runtime when polled.
    pub(crate) fn begin(&mut self, work: impl Future<Output = T> + Send + 'static) -> Work<T> {
        let runtime = runtime();
        let work = work.boxed().shared();
        let is_other = |flight: &Flight<T>| flight.runtime != runtime;
        self.0.retain(|flight| is_other(flight) && flight.work.upgrade().is_some());
        self.0.extend(work.downgrade().map(|work| Flight { runtime, work }));
        work
    }
}

fn runtime() -> Option<Id> {
    Handle::try_current().ok().map(|handle| handle.id())
}

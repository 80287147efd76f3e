//! What the three services share.

use std::sync::Arc;

use tonic::Status;

use super::clock::Clock;
use super::failure::Failure;
use super::fleet::Fleet;
use super::ids::IdSource;
use super::paging::PageLimits;
use super::runs::{Outcome, OutcomeRule, Pace};
use super::store::{Store, Tables};
use crate::automation::v1::DeviceTask;
use crate::wkt::Timestamp;

/// The store and what decides beside it. The services hold nothing else, so any front can serve them.
#[derive(Clone, Debug)]
pub(crate) struct Core {
    pub(crate) store: Arc<Store>,
    pub(crate) world: Arc<World>,
}

/// What is outside the store.
pub(crate) struct World {
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) ids: Box<dyn IdSource>,
    pub(crate) fleet: Fleet,
    pub(crate) pace: Pace,
    pub(crate) outcome: Option<OutcomeRule>,
    pub(crate) pages: PageLimits,
}

impl Core {
    /// Makes a change that knows the world.
    pub(crate) async fn write<T, F>(&self, work: F) -> Result<T, Status>
    where
        T: Send + 'static,
        F: FnOnce(&mut Tables<'_>, &World) -> Result<T, Failure> + Send + 'static,
    {
        let world = Arc::clone(&self.world);
        self.store.write(move |tables| work(tables, &world)).await
    }
}

impl World {
    /// The time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// How the run of a task on a device ends.
    pub(crate) fn outcome(&self, task: &DeviceTask, is_understood: bool, device: &str) -> Outcome {
        match &self.outcome {
            Some(rule) => rule(task, device),
            None if !is_understood => Outcome::Failed,
            None if self.fleet.fails(device) => Outcome::Failed,
            None => Outcome::Finished,
        }
    }
}

impl std::fmt::Debug for World {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("World").finish_non_exhaustive()
    }
}

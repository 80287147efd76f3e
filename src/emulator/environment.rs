//! What influences calls besides the store: time, identifiers and devices.

use super::clock::{Clock, SystemClock};
use super::fleet::Fleet;
use super::ids::{IdSource, RandomIds};
use super::pace::{Outcome, OutcomeRule, Pace};
use super::paging::PageLimits;
use crate::automation::v1::DeviceTask;
use crate::wkt::{Timestamp, TypeRegistry};

/// What influences calls besides the store.
pub(crate) struct Environment {
    pub(crate) clock: Box<dyn Clock>,
    pub(crate) ids: Box<dyn IdSource>,
    pub(crate) fleet: Fleet,
    pub(crate) pace: Pace,
    pub(crate) outcome: Option<OutcomeRule>,
    pub(crate) pages: PageLimits,
    /// The types of the resources.
    pub(crate) types: TypeRegistry,
    /// Whether requests are refused that are wrong in any way.
    pub(crate) strict: bool,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Box::new(SystemClock),
            ids: Box::new(RandomIds),
            fleet: Fleet::default(),
            pace: Pace::default(),
            outcome: None,
            pages: PageLimits::CLOUD,
            types: TypeRegistry::default(),
            strict: false,
        }
    }
}

impl Environment {
    /// Returns the time.
    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now().into()
    }

    /// Returns how the run of a task on a device ends.
    pub(crate) fn outcome(&self, task: &DeviceTask, is_understood: bool, device: &str) -> Outcome {
        match &self.outcome {
            Some(rule) => rule(task, device),
            None if !is_understood || self.fleet.fails(device) => Outcome::Failed,
            None => Outcome::Finished,
        }
    }
}

//! What cannot be right, found before anything is sent.
//!
//! ESET takes what it does not understand in a policy for empty, and a task with a misspelled action is a
//! task that no device can run; neither is an error of the call. [`Check`] finds such things in a request, in
//! the task, policy or assignment of one, and says for each where it is, what was expected and which known
//! name may have been meant. Nothing calls it by itself: the [`Client`](crate::Client) sends what it is given,
//! the command `eset-protect` checks first.
//!
//! ```
//! use std::time::SystemTime;
//!
//! use eset_protect::automation::v1::{Action, DeviceTask, DeviceTaskTargets, Trigger};
//! use eset_protect::check::{Check, ProblemKind};
//!
//! let task = DeviceTask {
//!     display_name: "Scan".into(),
//!     action: Some(Action::new("OnDemandScn")),
//!     targets: Some(DeviceTaskTargets::devices(["123e4567-e89b-12d3-a456-426614174000"])),
//!     triggers: vec![Trigger::manual(None)],
//!     ..Default::default()
//! };
//! let problems = task.check(SystemTime::now()).unwrap_err();
//! assert_eq!(
//!     problems.to_string(),
//!     r#"action.name: expected the name of a known action, found "OnDemandScn"; did you mean "OnDemandScan"?"#,
//! );
//! // A newer ESET may know what this version of the crate does not.
//! assert_eq!(problems.iter().next().map(|problem| problem.kind), Some(ProblemKind::Unknown));
//! assert!(problems.allow_unknown().is_ok());
//! ```

mod policies;
mod problem;
mod requests;
mod schema;
mod suggestion;
mod tasks;
mod unknown;
mod uuid;

use std::time::SystemTime;

use prost::Name;
use serde::Serialize;

pub use problem::{Problem, ProblemKind, Problems};

use crate::wkt::Timestamp;
pub(crate) use problem::Findings;
#[cfg(feature = "emulator")]
pub(crate) use uuid::note_uuid;

/// A message that can be looked at before it is sent: the requests of the three services, and what they
/// create.
pub trait Check {
    /// Looks whether the message can be right. `now` is the time that expiries are compared with.
    ///
    /// It neither sends nor needs anything. Types that you added to a
    /// [`TypeRegistry`](crate::wkt::TypeRegistry) are known inside of
    /// [`Writer::scope`](crate::protojson::Writer::scope) with that registry; what their messages hold is
    /// not looked at.
    ///
    /// # Errors
    ///
    /// With all that is wrong or not known, at most [`Problems::MAX`] of them. Nothing has been sent: mend
    /// the message, or [allow](Problems::allow_unknown) what only is not known.
    fn check(&self, now: SystemTime) -> Result<(), Problems>;
}

/// What is known of one kind of message.
pub(crate) trait Rules {
    /// Notes what is wrong. `at` stands before the names of the message's fields: empty, or a path that ends
    /// with a dot.
    fn note(&self, at: &str, found: &mut Findings, now: Timestamp);
}

fn check<M: Rules + Serialize + Name>(message: &M, now: SystemTime) -> Result<(), Problems> {
    let mut found = Findings::default();
    message.note("", &mut found, now.into());
    unknown::note(message, &M::full_name(), &mut found);
    found.end()
}

/// What ESET would refuse of a message. Unlike [`Check`] it passes over what is odd but accepted.
#[cfg(feature = "emulator")]
pub(crate) fn refused(message: &impl Rules, at: &str, now: Timestamp) -> Vec<Problem> {
    let mut found = Findings::default();
    message.note(at, &mut found, now);
    found.into_refused()
}

/// Whether a device would know what to do: nothing in the action is unknown or does not fit.
#[cfg(feature = "emulator")]
pub(crate) fn is_understood(action: &crate::automation::v1::Action) -> bool {
    let mut found = Findings::default();
    tasks::note_action("", action, &mut found);
    unknown::note_values(action, &crate::automation::v1::Action::full_name(), &mut found);
    found.end().is_ok()
}

//! Checks requests for mistakes before they are sent.
//!
//! ESET treats policy settings that it does not understand as empty, and accepts a task with a misspelled
//! action, which then no device can run. Neither makes the call fail. [`Check`] finds such mistakes in a
//! request, or in a task, policy or assignment, and reports each with its field, the expected value and,
//! where possible, the known name that was probably meant. The [`Client`](crate::Client) runs no checks
//! itself; the command `eset-protect` checks everything before it sends anything.
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
//! // A newer ESET may know names that this version of the crate does not.
//! assert_eq!(problems.iter().next().map(|problem| problem.kind), Some(ProblemKind::Unknown));
//! assert!(problems.allow_unknown().is_ok());
//! ```

#[cfg(feature = "incident-management")]
mod incidents;
#[cfg(feature = "network-access-protection")]
mod ip_sets;
#[cfg(feature = "policy-management")]
mod policies;
mod problem;
// Few messages of the other hosts have rules.
#[cfg_attr(
    not(any(feature = "automation", feature = "policy-management")),
    allow(dead_code, unused_imports, unused_macros)
)]
mod rules;
mod schema;
mod suggestion;
#[cfg(feature = "automation")]
mod tasks;
mod uuid;

use std::any::Any;
use std::time::SystemTime;

pub use problem::{Problem, ProblemKind, Problems};
#[doc(hidden)]
pub use suggestion::near;

use crate::json::message::JsonMessage;
#[cfg(feature = "emulator")]
use crate::wkt::{Registered, Timestamp};
pub(crate) use problem::Findings;
use rules::Rules;
#[cfg(feature = "emulator")]
pub(crate) use suggestion::closest;
#[cfg(feature = "emulator")]
pub(crate) use uuid::{is_uuid_name, note_uuid};

/// A message that can be checked before it is sent: a request, or the resource that a request creates.
pub trait Check {
    /// Checks the message. Expiry times are compared with `now`.
    ///
    /// Makes no network calls. To make types that you added to a [`TypeRegistry`](crate::wkt::TypeRegistry)
    /// known, call this inside [`Writer::scope`](crate::protojson::Writer::scope) with that registry.
    ///
    /// # Errors
    ///
    /// Returns up to [`Problems::MAX`] problems. Nothing has been sent: fix the message, or
    /// [ignore](Problems::allow_unknown) the problems that are merely unknown names.
    fn check(&self, now: SystemTime) -> Result<(), Problems>;
}

/// Every message is checked by its schema: for unknown names, required fields and UUIDs. Tasks, policies,
/// assignments, IP sets, comments and the requests that create or change them have rules as well.
impl<M: JsonMessage + 'static> Check for M {
    fn check(&self, now: SystemTime) -> Result<(), Problems> {
        let mut found = Findings::default();
        if let Some(rules) = rules(self) {
            rules.note("", &mut found, now.into());
        }
        schema::note(self, true, &mut found);
        found.end()
    }
}

#[cfg_attr(
    not(any(feature = "automation", feature = "policy-management")),
    allow(unused_variables)
)]
fn rules(message: &dyn Any) -> Option<&dyn Rules> {
    let rules = None;
    #[cfg(feature = "automation")]
    let rules = rules.or_else(|| tasks::rules(message));
    #[cfg(feature = "policy-management")]
    let rules = rules.or_else(|| policies::rules(message));
    #[cfg(feature = "incident-management")]
    let rules = rules.or_else(|| incidents::rules(message));
    #[cfg(feature = "network-access-protection")]
    let rules = rules.or_else(|| ip_sets::rules(message));
    rules
}

/// Returns the problems for which ESET would refuse a message; if `strict`, all problems except unknown
/// members, which every recipient ignores.
#[cfg(feature = "emulator")]
pub(crate) fn received<M: JsonMessage + 'static>(
    message: &M,
    now: Timestamp,
    strict: bool,
) -> Vec<Problem> {
    let mut found = Findings::default();
    if let Some(rules) = rules(message) {
        rules.note("", &mut found, now);
    }
    schema::note(message, false, &mut found);
    if strict { found.into_all() } else { found.into_refused() }
}

/// Returns the problems for which ESET would refuse a part of a request, given encoded with its type and path: a
/// resource as a call would leave it.
#[cfg(feature = "emulator")]
pub(crate) fn received_part(path: &str, kind: &Registered, part: &[u8]) -> Vec<Problem> {
    let mut found = Findings::default();
    schema::note_part(path, kind, part, &mut found);
    found.into_refused()
}

/// Whether a device can run the action: its name and values are known and its params match.
#[cfg(feature = "emulator")]
pub(crate) fn is_understood(action: &crate::automation::v1::Action) -> bool {
    let mut found = Findings::default();
    tasks::note_action("", action, &mut found);
    schema::note(action, false, &mut found);
    found.end().is_ok()
}

//! An emulator of ESET's services, over gRPC, gRPC-Web and REST on one port, with a store of its own. For tests
//! and first steps.
//!
//! ```
//! use eset_protect::automation::v1::ListTasksRequest;
//! use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
//! use eset_protect::emulator::Emulator;
//!
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let running = Emulator::builder().seed(true).build()?.start().await?;
//! let mut tasks = DeviceTasksClient::connect(running.endpoint()).await?;
//! let page = tasks.list_tasks(ListTasksRequest::default()).await?.into_inner();
//! assert_eq!(page.tasks.len(), 50);
//! running.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! # Resources
//!
//! All resources are in one store. The emulator derives their standard methods (Get, List, Create, Update, Delete,
//! BatchGet; [AIP-130](https://google.aip.dev/130)) from the descriptors: from HTTP rules, the types of requests and
//! responses, and `google.api.field_behavior`. So it also serves services of your own without more code, see
//! [`Builder::services`]:
//!
//! * **Get, Update, Delete** of a resource that does not exist is `NOT_FOUND`, and so is every method of a resource
//!   whose parent does not exist. Deleting a resource deletes what is inside it.
//! * **Create** ignores `OUTPUT_ONLY` fields. The server sets the identifier, `create_time`, `update_time` and
//!   `version_id`. Where clients choose the identifier, one that is taken is `ALREADY_EXISTS`.
//! * **Update** sets the fields of `update_mask`, or those that are set. `IMMUTABLE` fields keep their value, and so
//!   do others while a condition of the `.proto` file holds (`eset_protect.v1.fixed_if`): another value is
//!   `INVALID_ARGUMENT`. The server sets fields that come from XML again, and refuses invalid XML.
//! * **List** returns resources in the order of their creation or by `order_by`. Its filters are request fields that the
//!   resource has, too (equal, one of several as `policy_uuids` for `policy_uuid`, or in a period), and those for which
//!   the `.proto` file names another field (`eset_protect.v1.filters_by`) or a language (`eset_protect.v1.expression`).
//!   In an expression, an enum value is its name, and a member that is not set fits nothing. Any other filter is
//!   `UNIMPLEMENTED`, because ignoring it would return too much. `total_size` counts what fits.
//! * **Custom methods** set fields of the resource: those that `eset_protect.v1.sets` names or, without this
//!   option, those that request and resource share. `:listDelta` returns what was created since a token. A count,
//!   `:batchDelete`, `:purge` and a download as `google.api.HttpBody` take identifiers or a filter.
//! * **Pages** may be shorter than asked for when their items are large. A token belongs to a list and its
//!   filters; any other is `INVALID_ARGUMENT`.
//! * **REQUIRED** fields that are not set, and malformed identifiers, are `INVALID_ARGUMENT`.
//! * Other methods are `UNIMPLEMENTED`. The emulator has all of ESET's RPCs, and all of their filters except those of
//!   users by `active_product`: only its `id` is one, since ESET's API returns nothing else of a user's products.
//!
//! # What ESET's services do beyond the standard methods
//!
//! They do what ESET documents ([automation](crate::facts#automation),
//! [policy management](crate::facts#policy-management)). Where the documentation is silent or contradicts
//! itself, the emulator does this:
//!
//! * **Tasks.** Every `CreateTask` makes a new task. Tasks with the same display name, description and action
//!   share a template. The first task represents the template: deleting it deletes all of them, deleting
//!   another one deletes only that one.
//! * **Runs** begin when the device picks up the task, which a device that is off until the trigger expires never
//!   does. `start_time` is that moment in all states. Runs that have begun outlive their task. No run has a
//!   `result`.
//! * **Actions.** Their set is open, so the emulator accepts unknown actions, and params of any type. The runs of a task
//!   fail if its action, or a type or an enum value in it, is unknown, or if its params belong to another action.
//!   Unknown members are ignored, since ESET may add some at any time. [`Check`](crate::check::Check) reports all of
//!   this before anything is sent. What ESET is known to refuse is `INVALID_ARGUMENT`. It is not known to refuse an empty
//!   name, an expiry in the past and policy settings that no product understands, so the emulator accepts these.
//! * **Policies.** Deleting a built-in policy is `FAILED_PRECONDITION`. Deleting another one deletes its
//!   assignments.
//! * **Assignments.** The same policy may be assigned to a target twice, and to targets that do not exist.
//! * **Groups** are a tree, and a group includes those below it: as a target, as a filter, and when it is deleted,
//!   with the devices in it.
//! * **Detections.** Those of the seed keep occurring for two days by the clock, so that lists and deltas grow.
//! * **Strict** emulators refuse more, see [`Builder::strict`].
//! * **Limits** of our own: 10,000 targets and 100 triggers a task, 10,000 features a policy, 1000 assignments
//!   a target, 10,000 values of a filter, and the size of the store. A call that exceeds them is
//!   `RESOURCE_EXHAUSTED`, or `INVALID_ARGUMENT` for triggers and filters.
//! * **Deployments.** By default the emulator has what the cloud has. On-Prem it has fewer RPCs, see
//!   [`Builder::deployment`].
//!
//! # What all calls have in common
//!
//! On both wires, as in ESET's services ([logins](crate::facts#cloud-login), [errors](crate::facts#errors)):
//!
//! * **Responses** have a `request-id`. REST responses show defaults; REST errors have the HTTP status as
//!   `code`. A rank that is too high is 412, as the page of that call says; any other `FAILED_PRECONDITION` is
//!   400.
//! * **Errors** carry `google.rpc.BadRequest`, `ResourceInfo` or `PreconditionFailure`.
//! * **Logins** are at `POST /oauth/token` and `POST /GetTokens`. With [`Builder::auth`] calls need their
//!   tokens; without it anyone may log in and nobody has to. A refused login is 400 in the cloud and 401
//!   On-Prem. Health, reflection and pages need no token.
//! * **The rate** is 10 calls a second for each token and address, with [`Builder::rate_limit`].
//! * **Deadlines**: a call or a stream ends with `DEADLINE_EXCEEDED` (504 over REST) when its `grpc-timeout` has
//!   passed. A `grpc-timeout` that cannot be read is `INVALID_ARGUMENT`.
//! * **Compression**: requests may be compressed by gzip, over gRPC by deflate too. A gRPC response is compressed in the
//!   same way as its request, if the caller accepts that.
//! * **Pending responses**: 202 with `response-id` after [`Builder::pending_after`], fetched once by the
//!   identical request; 504 if not ready within 120 seconds, 404 if not fetched within 600 seconds.
//! * **Faults**: a call with an identifier `code-14` fails with the gRPC code 14; the header `x-emulator-fault`
//!   and [`Faults`] inject more, see [`Fault`].
//! * `GET /` is a page that lists the RPCs and makes calls; `GET /openapi.json` describes ESET's.
//!
//! Connections have limits: [`ConnectionLimits`]. [`Builder::on_notice`] receives what the operator should
//! know.
//!
//! Nothing in the store changes in the background. What changes with time, such as how far a run is, follows from the
//! store and the [`Clock`], so a test with a [`ManualClock`] decides it.

mod api;
mod auth;
mod builder;
mod check;
mod clock;
mod environment;
mod error;
mod failure;
mod faults;
mod fingerprint;
mod fleet;
mod gate;
mod groups;
mod hosted;
mod ids;
mod log;
mod pace;
mod paging;
mod request;
mod seed;
mod serving;
mod special;
mod standard;
mod store;
mod time;

pub use auth::Auth;
pub use builder::Builder;
pub use clock::{Clock, ManualClock, SystemClock};
pub use error::EmulatorError;
pub use faults::{Fault, Faults, Hold, ParseFaultError};
pub use fleet::Device;
pub use ids::{IdSource, RandomIds, SequentialIds};
pub use log::{Arrival, Front};
pub use pace::{Outcome, Pace};
pub use paging::PageLimits;

pub use crate::server::{ConnectionLimits, Origin, ParseOriginError};
pub use serving::Running;

/// An emulator that is ready to serve.
pub struct Emulator {
    api: api::Api,
    hosted: Vec<hosted::Hosted>,
    gate: gate::Settings,
    notifier: crate::server::notifier::Notifier,
}

impl std::fmt::Debug for Emulator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Emulator").field("gate", &self.gate).finish_non_exhaustive()
    }
}

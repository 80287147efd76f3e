//! An emulator of ESET's services, over gRPC and REST on one port, with a store of its own. For tests and
//! first steps.
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
//! Every resource is in one store. Its standard methods (Get, List, Create, Update, Delete, BatchGet;
//! [AIP-130](https://google.aip.dev/130)) follow from the descriptors: from HTTP rules, from the types of
//! requests and responses, and from `google.api.field_behavior`. So services of your own are served without
//! more code, see [`Builder::services`]:
//!
//! * **Get, Update, Delete** of a resource that is not there is `NOT_FOUND`, and so is every method of a
//!   resource inside one that is not there. What is inside a resource is deleted with it.
//! * **Create** ignores `OUTPUT_ONLY` fields. The server sets the identifier, `create_time`, `update_time` and
//!   `version_id`. Where clients choose the identifier, one that is taken is `ALREADY_EXISTS`.
//! * **Update** sets the fields of `update_mask`, or those that are set. `IMMUTABLE` fields keep their value, and so
//!   do others as long as the `.proto` file says so (`eset_protect.v1.fixed_if`): another one is
//!   `INVALID_ARGUMENT`. What the server takes from XML it takes again, and refuses what is no XML.
//! * **List** returns resources in the order of their creation or by `order_by`, and as filters takes request
//!   fields that the resource has too: equal, one of several (`policy_uuids` for `policy_uuid`), or in a period;
//!   and those for which the `.proto` file names another field (`eset_protect.v1.filters_by`) or a language
//!   (`eset_protect.v1.expression`), in which an enum value is its name and a member that is not set fits nothing.
//!   Any other filter is `UNIMPLEMENTED`: it never means everything. `total_size` counts what fits.
//! * **Custom methods** set fields of the resource: those that `eset_protect.v1.sets` names or, without this
//!   option, those that request and resource share. `:listDelta` returns what was created since a token. A count,
//!   `:batchDelete`, `:purge` and a download as `google.api.HttpBody` take identifiers or a filter.
//! * **Pages** may be shorter than asked for when their items are large. A token belongs to a list and its
//!   filters; any other is `INVALID_ARGUMENT`.
//! * **REQUIRED** fields that are not set, and identifiers that cannot be one, are `INVALID_ARGUMENT`.
//! * Other methods are `UNIMPLEMENTED`. Of ESET's RPCs that is none, and of the filters the members of
//!   `active_product` of users but `id`.
//!
//! # What ESET's services do beside that
//!
//! The semantics are those that ESET documents ([automation](crate::facts#automation),
//! [policy management](crate::facts#policy-management)). Where the documentation is silent or contradicts
//! itself, the emulator does this:
//!
//! * **Tasks.** Every `CreateTask` makes a new task. Tasks with the same display name, description and action
//!   share a template. The first task represents the template: deleting it deletes all of them, deleting
//!   another one deletes only that one.
//! * **Runs** begin when the device takes the task up; a device that is off until the trigger expires never
//!   does. `start_time` is that moment in all states. Runs that have begun outlive their task. No run has a
//!   `result`.
//! * **Actions** that the emulator does not know are accepted, as their set is open, and so are params of any
//!   type. The runs of such a task fail: of an action, a type or an enum value that is not known, and of
//!   params that belong to another action. Unknown members are ignored, since ESET adds some at any time.
//!   [`Check`](crate::check::Check) reports all of it before anything is sent. What ESET is known to refuse is
//!   `INVALID_ARGUMENT`; an empty name, an expiry in the past and policy settings that no product understands
//!   are not, so they are accepted.
//! * **Policies.** Deleting a built-in policy is `FAILED_PRECONDITION`. Deleting another one deletes its
//!   assignments.
//! * **Assignments.** The same policy may be assigned to a target twice. Targets are not looked up.
//! * **Groups** are a tree, and a group includes those below it: as a target, as a filter, and when it is deleted,
//!   with the devices in it.
//! * **Detections** of the seed go on to occur for two days by the clock, so that lists and deltas grow.
//! * **Strict** emulators refuse more, see [`Builder::strict`].
//! * **Limits** of our own: 10,000 targets and 100 triggers a task, 10,000 features a policy, 1000 assignments
//!   a target, 10,000 values of a filter, and the size of the store. A call that exceeds them is
//!   `RESOURCE_EXHAUSTED`, or `INVALID_ARGUMENT` for triggers and filters.
//! * **Deployments.** By default the emulator has what the cloud has. On-Prem it has fewer RPCs, see
//!   [`Builder::deployment`].
//!
//! # Around the services
//!
//! On both wires, as ESET does ([logins](crate::facts#cloud-login), [errors](crate::facts#errors)):
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
//! * **Compression**: requests may be compressed by gzip, over gRPC by deflate too. gRPC responses are compressed
//!   by gzip for callers that accept it.
//! * **Pending responses**: 202 with `response-id` after [`Builder::pending_after`], fetched once by the
//!   identical request; 504 if not ready within 120 seconds, 404 if not fetched within 600 seconds.
//! * **Faults**: a call with an identifier `code-14` fails with the gRPC code 14; the header `x-emulator-fault`
//!   and [`Faults`] inject more, see [`Fault`].
//! * `GET /` is a page that lists the RPCs and makes calls; `GET /openapi.json` describes ESET's.
//!
//! Connections have limits: [`ConnectionLimits`]. [`Builder::on_notice`] receives what the operator should
//! know.
//!
//! Nothing else happens in the background. What changes with time follows from what is stored and the
//! [`Clock`], so that a test with a [`ManualClock`] decides how far every run is.

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

//! A stand-in for ESET's services: `DeviceTasks`, `Policies` and `PolicyAssignments` over gRPC and REST
//! on one port, with a store of its own, for tests and first steps.
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
//! The semantics are those that ESET documents ([facts](crate::facts#automation),
//! [facts](crate::facts#policy-management)). Where the documentation is silent or contradicts itself,
//! this is what happens here:
//!
//! * **Tasks.** Every `CreateTask` makes a task of its own. Tasks with the same display name,
//!   description and action share a template. The first of them stands for it: deleting it deletes them
//!   all, deleting another one deletes that alone.
//! * **Runs** begin when the device takes the task up; a device that is off until the trigger expires
//!   never does. `start_time` is when it did, in all states. Runs that have begun outlive their task.
//!   No run has a `result`.
//! * **Actions** that nobody knows are accepted, as their set is open, and so are params of any type. The runs
//!   of such a task fail: of an action, a type or a value of an enum that is not known here, and of params
//!   that belong to another action. Members that are not known are passed over, since ESET adds some at any
//!   time. [`Check`](crate::check::Check) tells all of it before anything is sent. What ESET is known to refuse
//!   is `INVALID_ARGUMENT`; an empty name, an expiry that has passed and settings of a policy that no product
//!   understands are not, so they are accepted.
//! * **Policies.** `uuid` and `built_in` of a request are ignored. Deleting a built-in policy is
//!   `FAILED_PRECONDITION`. Deleting another one removes its assignments.
//! * **Assignments.** The same policy may be assigned to a target twice. Targets are not looked up.
//! * **Pages** may come out shorter than asked for, when their items are large. A token belongs to a
//!   list and its filters; any other is `INVALID_ARGUMENT`.
//! * **Errors** carry `google.rpc.BadRequest`, `ResourceInfo` or `PreconditionFailure`.
//! * **Limits** of our own: 10,000 targets and 100 triggers a task, 10,000 features a policy, 1000
//!   assignments a target, 10,000 `policy_uuids` to filter by, and the size of the store; past them a
//!   call is `RESOURCE_EXHAUSTED`, or `INVALID_ARGUMENT` for triggers and filters.
//!
//! Around the services there is what stands around ESET's ([facts](crate::facts#cloud-login),
//! [facts](crate::facts#errors)), on both fronts:
//!
//! * **Every answer** has a `request-id`. REST answers show defaults; errors have the HTTP status as
//!   `code`. A rank that is too high is 412, as the page of that call says, where any other
//!   `FAILED_PRECONDITION` is 400.
//! * **Logins** at `POST /oauth/token` and `POST /GetTokens`. Calls need their tokens with
//!   [`Builder::auth`]; without it anyone may log in and nobody has to. A login of the cloud that is
//!   refused is 400, one of On-Prem 401. Health, reflection and pages need no token.
//! * **The rate**, 10 calls a second for a token at an address, with [`Builder::rate_limit`].
//! * **Deadlines**: a call or a stream ends with `DEADLINE_EXCEEDED` when its `grpc-timeout` has passed, 504
//!   over REST. One that cannot be read is `INVALID_ARGUMENT`.
//! * **Compression**: requests may be compressed by gzip, over gRPC by deflate, too. gRPC answers are
//!   compressed by gzip for those who accept it.
//! * **Pending answers**: 202 with `response-id` after [`Builder::pending_after`], fetched once by the
//!   identical request; 504 if not ready within 120 seconds, 404 if not fetched within 600 seconds.
//! * **Faults**: the uuid `code-14` of a task, a policy or an assignment fails with the gRPC code 14 in
//!   any call; the header `x-emulator-fault` and [`Faults`] ask for more, see [`Fault`].
//! * `GET /` lists the RPCs, and `GET /openapi.json` describes them.
//!
//! Connections have limits: [`ConnectionLimits`]. What whoever runs it should know is told by
//! [`Builder::on_notice`].
//!
//! Nothing else happens in the background. What changes with time follows from what is stored and the
//! [`Clock`], so that a test with a [`ManualClock`] decides how far every run is.

mod api;
mod assignments;
mod auth;
mod builder;
mod check;
mod clock;
mod cors;
mod environment;
mod error;
mod failure;
mod faults;
mod fingerprint;
mod fleet;
mod gate;
mod hosted;
mod ids;
mod log;
mod notices;
mod pace;
mod paging;
mod policies;
mod request;
mod runs;
mod seed;
mod serving;
mod standard;
mod store;
mod tasks;
mod time;

pub use auth::Auth;
pub use builder::Builder;
pub use clock::{Clock, ManualClock, SystemClock};
pub use cors::{Origin, ParseOriginError};
pub use error::EmulatorError;
pub use faults::{Fault, Faults, Held, ParseFaultError};
pub use fleet::Device;
pub use ids::{IdSource, RandomIds, SequentialIds};
pub use log::{Arrival, Front};
pub use pace::{Outcome, Pace};
pub use paging::PageLimits;

pub use serving::{ConnectionLimits, Running};

/// An emulator, ready to be served.
#[derive(Debug)]
pub struct Emulator {
    api: api::Api,
    hosted: Vec<hosted::Hosted>,
    gate: gate::Settings,
    notices: notices::Notices,
}

impl Emulator {
    /// Settings to build an emulator with.
    pub fn builder() -> Builder {
        Builder::default()
    }
}

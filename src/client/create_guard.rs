//! Creates a task exactly once, even if the response is lost.

mod guard;
mod same_task;

use std::fmt;
use std::time::Duration;

use super::{Client, DeviceTasks};
use crate::call::CallOptions;
use crate::proto::eset::dotnod::automation::v1::{CreateTaskRequest, DeviceTask};

impl DeviceTasks {
    /// Creates a task, and checks whether it exists before sending the create again.
    ///
    /// A create must not simply be repeated if its response is lost: it may have run, and the action would
    /// then run twice on every target. This method finds out.
    ///
    /// ```no_run
    /// # use eset_protect::automation::v1::DeviceTask;
    /// # async fn run(client: eset_protect::Client, task: DeviceTask) -> Result<(), eset_protect::Error> {
    /// let created = client.device_tasks().create_task_guarded(task).await?;
    /// println!("{}", created.task().uuid);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// See [`GuardedCreate`] for the details.
    pub fn create_task_guarded(&self, request: impl Into<CreateTaskRequest>) -> GuardedCreate {
        GuardedCreate {
            client: self.client.clone(),
            request: request.into(),
            options: CallOptions::default(),
            max_attempts: 3,
            pause: Duration::from_secs(1),
            clock_skew: Duration::from_secs(5 * 60),
            looks_first: false,
        }
    }
}

/// A create that checks before it is repeated. Await it to run it.
///
/// | how the create fails | what happens |
/// |---|---|
/// | it did not run, and a retry may help ([`is_retryable`](crate::Error::is_retryable) without [`may_have_executed`](crate::Error::may_have_executed)) | waits, then creates again |
/// | it did not run otherwise | returns the error |
/// | the service answered `UNAVAILABLE` | waits and looks for the task; if there is none, creates again |
/// | the connection broke, here or behind a gateway (502) | looks for 30 seconds, in which ESET's gateway responds or reports a pending response ([facts](crate::facts#pending-responses)); if there is no task, creates again |
/// | no response in time, here or at the service (`DEADLINE_EXCEEDED`), or a pending response (202) that cannot be polled | looks until the time is up, then returns the error; never creates again, because a task that the service is still working on is not listed yet |
/// | it may have run, and a retry would not help | waits and looks; if there is no task, returns the error |
/// | looking for the task fails too | returns the error of the create, with that of the look in its message |
///
/// # How it recognizes the task
///
/// It lists all tasks (`ListTasks`). The task that the create would have made has
///
/// * exactly the same display name, description and action name. ESET distinguishes templates by these and
///   the params ([facts](crate::facts#automation));
/// * the same params: the same type and the same bytes or JSON. Services rewrite typed params
///   ([facts](crate::facts#json)), so the order of members is ignored, and members that are `false`, 0, empty
///   or `null` count as missing;
/// * the same devices and groups, in any order;
/// * each requested trigger, with its `expire_time` to the second, or any if it was left to the service; and
///   the asset group, if one was requested;
/// * a creation time that is not before the first attempt. Since this compares the clocks of two machines, it
///   may be up to [`clock_skew`](Self::clock_skew) earlier, 5 minutes by default.
///
/// If there are several, it takes the newest. An identical task that another program or an earlier call
/// created within these minutes **cannot be distinguished from this one** and is returned instead, and if the
/// clocks differ by more, the task is not recognized. If you create identical tasks in quick succession, give
/// each its own `description` or `expire_time`, or use [`looks_first`](Self::looks_first). If the service
/// returns no creation time at all (older schemas, [facts](crate::facts#automation)), it is impossible to
/// tell: if there is an otherwise identical task, the error of the create is returned and names it.
///
/// Once a create may have run, it is never sent again without a look, and errors report that it [may have
/// run](crate::Error::may_have_executed). Two concurrent guarded creates of the same task create two tasks: this
/// protects a caller only from its own retries.
#[must_use = "a create does nothing until it is awaited"]
pub struct GuardedCreate {
    client: Client,
    request: CreateTaskRequest,
    options: CallOptions,
    max_attempts: u32,
    pause: Duration,
    clock_skew: Duration,
    looks_first: bool,
}

/// The successful result of a guarded create.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Guarded {
    /// The service returned the task.
    Created(DeviceTask),
    /// The response was lost, and the task was found. It is as listed.
    Found(DeviceTask),
}

impl Guarded {
    /// Returns the task.
    pub fn task(&self) -> &DeviceTask {
        let (Self::Created(task) | Self::Found(task)) = self;
        task
    }

    /// Returns the task by value.
    pub fn into_task(self) -> DeviceTask {
        let (Self::Created(task) | Self::Found(task)) = self;
        task
    }

    /// Whether the response was lost and the task was found.
    pub fn is_found(&self) -> bool {
        matches!(self, Self::Found(_))
    }
}

impl GuardedCreate {
    /// Limits the total time, including all attempts, pauses and looks. The default is the timeout of a call
    /// ([`ClientBuilder::timeout`](crate::ClientBuilder::timeout)) plus two minutes: enough to look for half
    /// a minute after each of two broken connections, and to create a third time.
    ///
    /// Each attempt gets half of the remaining time, so that there is time to look afterwards, and by default
    /// no more than a single call. With less than about 35 seconds in total, a create whose connection broke
    /// is looked for but never sent again.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Sets the options of each call; their timeout applies to the whole.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// Sets how many creates are sent at most: 3 by default, and at least one.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// Sets the first pause before it looks or creates again: one second by default. Each pause is twice the
    /// previous one, up to 30 seconds.
    pub fn pause(mut self, first: Duration) -> Self {
        self.pause = first;
        self
    }

    /// Sets how much earlier than the first attempt the recognized task may have been created, to allow for
    /// different clocks. 5 minutes by default.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// Looks once before the first create and remembers all identical tasks; a later look then accepts any
    /// other one, whatever its time. This costs a list of all tasks and does not depend on clocks.
    pub fn looks_first(mut self) -> Self {
        self.looks_first = true;
        self
    }
}

impl fmt::Debug for GuardedCreate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("GuardedCreate")
            .field("request", &self.request)
            .field("options", &self.options)
            .field("max_attempts", &self.max_attempts)
            .finish_non_exhaustive()
    }
}

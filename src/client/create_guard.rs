//! Creating a task once, although the answer of a create may be lost.

mod guard;
mod same_task;

use std::fmt;
use std::future::{Future, IntoFuture};
use std::pin::Pin;
use std::time::Duration;

use guard::Guard;

use super::{Client, DeviceTasks};
use crate::call::CallOptions;
use crate::error::Error;
use crate::proto::eset::dotnod::automation::v1::{CreateTaskRequest, DeviceTask};

impl DeviceTasks {
    /// Creates a task, and looks before it does so a second time.
    ///
    /// A create must not simply be repeated when its answer is lost: it may have run, and the action
    /// would run twice on every target. This one finds out.
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
    /// See [`GuardedCreate`] for how it decides.
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

/// A create that looks before it is repeated: await it.
///
/// | how the create fails | what happens |
/// |---|---|
/// | nothing ran, and later it may ([`is_retryable`](Error::is_retryable) without [`may_have_executed`](Error::may_have_executed)) | a pause, then again |
/// | nothing ran otherwise | the error |
/// | the service said `UNAVAILABLE` | a pause, a look; not there: again |
/// | the connection broke, also that behind a gateway (502) | looks for 30 seconds, in which ESET's gateway answers or says that it will ([facts](crate::facts#pending-answers)); not there: again |
/// | no answer in time, here or at the service (`DEADLINE_EXCEEDED`), or a pending one (202) that cannot be asked for | looks until the time is up; never again, since what is still at work in the service is not listed yet. Then the error |
/// | it may have run, and later it would not go better | a pause, a look; not there: the error |
/// | the look itself fails | the error of the create, with that of the look in its message |
///
/// # What it looks for
///
/// All tasks are listed (`ListTasks`), and the one that the create would have made has
///
/// * the same display name, description and action name, to the letter: by these and the action's
///   params ESET tells its templates apart ([facts](crate::facts#automation));
/// * the same params: same type, and same bytes or same JSON. Services write typed params anew
///   ([facts](crate::facts#json)), so the order of members does not count, and a member that is `false`,
///   0, empty or `null` is the same as none;
/// * the same devices and groups, in any order;
/// * each trigger that was asked for, with its `expire_time` to the second, or any if it was left to the
///   service; and the asset group, if one was asked for;
/// * a creation time that is not before the first attempt. The clocks of two machines are compared
///   there, so up to [`clock_skew`](Self::clock_skew) earlier will do, 5 minutes by default.
///
/// Of several it takes the youngest. A task that is the same and was made by somebody else, or by an
/// earlier call, within these minutes **cannot be told from ours** and is taken for it; and if the
/// clocks differ by more, ours is not recognised. Whoever makes equal tasks in quick succession gives
/// each a `description` or an `expire_time` of its own, or [looks first](Self::looks_first). Where the
/// service says no creation time at all (older schemas, [facts](crate::facts#automation)), nobody can
/// tell: if there is a task that is otherwise the same, the error of the create is returned, and names
/// it.
///
/// Once a create may have run, none is sent again without a look, and an error says that it
/// [may have](Error::may_have_executed). Two guarded creates of the same task at once are two: this guards
/// one caller against itself.
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

/// How a guarded create ended well.
#[derive(Clone, Debug, PartialEq)]
pub enum Guarded {
    /// The service answered with the task.
    Created(DeviceTask),
    /// The answer was lost, and the task was found. It is as the list shows it.
    Found(DeviceTask),
}

impl Guarded {
    /// The task.
    pub fn task(&self) -> &DeviceTask {
        let (Self::Created(task) | Self::Found(task)) = self;
        task
    }

    /// The task, by value.
    pub fn into_task(self) -> DeviceTask {
        let (Self::Created(task) | Self::Found(task)) = self;
        task
    }

    /// The answer was lost and the task was found.
    pub fn is_found(&self) -> bool {
        matches!(self, Self::Found(_))
    }
}

impl GuardedCreate {
    /// Sets how long it may take, with all attempts, pauses and looks. By default as long as one call of the
    /// client ([`ClientBuilder::timeout`](crate::ClientBuilder::timeout)) and two minutes more: enough to look
    /// for half a minute after each of two connections that broke, and to create a third time.
    ///
    /// An attempt gets half of what is left, so that there is time to look after it, and by default no more than
    /// one call. With less than about 35 seconds in all, a create whose connection broke is looked for and never
    /// sent again.
    pub fn timeout(mut self, timeout: Duration) -> Self {
        self.options = self.options.timeout(timeout);
        self
    }

    /// Options of each call that is made; their timeout is that of it all.
    pub fn options(mut self, options: CallOptions) -> Self {
        self.options = options;
        self
    }

    /// How many creates are sent at most. 3 by default, and one at least.
    pub fn max_attempts(mut self, attempts: u32) -> Self {
        self.max_attempts = attempts.max(1);
        self
    }

    /// The first pause before it looks or creates again; each one is twice the one before, up to 30
    /// seconds. A second by default.
    pub fn pause(mut self, first: Duration) -> Self {
        self.pause = first;
        self
    }

    /// How much earlier than the first attempt a task that is taken for ours may have been created, for
    /// clocks that differ. 5 minutes by default.
    pub fn clock_skew(mut self, skew: Duration) -> Self {
        self.clock_skew = skew;
        self
    }

    /// Looks once before the first create, and remembers what is the same already; then a later look
    /// takes anything else, whatever its time. That costs a list of all tasks, and needs no clocks.
    pub fn looks_first(mut self) -> Self {
        self.looks_first = true;
        self
    }
}

impl IntoFuture for GuardedCreate {
    type Output = Result<Guarded, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Guard::new(self).run().await })
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

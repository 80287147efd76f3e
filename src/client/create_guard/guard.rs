//! Runs a guarded create: create, look, create again.

use std::collections::BTreeSet;
use std::future::{Future, IntoFuture, ready};
use std::pin::Pin;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use futures_util::TryStreamExt;
use tokio::time::Instant;

use super::same_task::{created_at, is_same};
use super::{Guarded, GuardedCreate};
use crate::error::{Error, ErrorKind};
use crate::proto::eset::dotnod::automation::v1::{DeviceTask, ListTasksRequest};
use crate::rpc::Rpc;
use crate::rpc::device_tasks::{CreateTask, ListTasks};
use crate::timer::{Timer, within};

/// The longest pause before it looks or creates again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// How long ESET's gateway works on a call before it reports a pending response
/// ([facts](crate::facts#pending-responses)). A task whose connection broke may be listed only after that.
const LONGEST_WORK: Duration = Duration::from_secs(30);

/// The default time in addition to a single call: two looks of that length, and time for the lists and
/// another create.
const LONGEST_LOOKS: Duration = Duration::from_secs(120);

/// A running guarded create.
pub(super) struct Guard {
    settings: GuardedCreate,
    timer: Arc<dyn Timer>,
    timeout: Duration,
    /// The longest time for one create.
    attempt: Duration,
    deadline: Option<Instant>,
    /// When the first create was sent, by our clock.
    begun: SystemTime,
    /// The identical tasks that existed before, if it looked first.
    before: Option<BTreeSet<String>>,
    pause: Duration,
}

/// The result of a look.
enum Lookup {
    Found(Box<DeviceTask>),
    Nothing,
    /// An identical task that may or may not be ours.
    Unclear(String),
}

impl IntoFuture for GuardedCreate {
    type Output = Result<Guarded, Error>;
    type IntoFuture = Pin<Box<dyn Future<Output = Self::Output> + Send>>;

    fn into_future(self) -> Self::IntoFuture {
        Box::pin(async move { Guard::new(self).run().await })
    }
}

impl Guard {
    pub(super) fn new(settings: GuardedCreate) -> Self {
        let timer = settings.client.context.policy.timer.clone();
        let call = settings.client.context.timeout;
        let timeout = settings.options.timeout_or(call.saturating_add(LONGEST_LOOKS));
        Self {
            timeout,
            attempt: settings.options.timeout_or(call),
            deadline: timer.now().checked_add(timeout),
            begun: timer.system_time(),
            before: None,
            pause: settings.pause,
            timer,
            settings,
        }
    }

    pub(super) async fn run(mut self) -> Result<Guarded, Error> {
        if self.settings.looks_first {
            self.before = Some(self.same_before().await?);
        }
        self.begun = self.timer.system_time();
        let mut attempts = 0_u32;
        let mut may_have_run = false;
        loop {
            attempts = attempts.saturating_add(1);
            let error = match self.create().await {
                Ok(task) => return Ok(Guarded::Created(task)),
                Err(error) => error,
            };
            may_have_run |= error.may_have_executed();
            // Reset streams and broken connections may succeed next time.
            let is_transient = error.is_retryable() || is_broken(&error);
            let may_go_again = is_transient && attempts < self.settings.max_attempts;
            if !may_have_run {
                if !may_go_again || !self.wait().await {
                    return Err(error);
                }
                continue;
            }
            let error = error.with_execution(true);
            match self.find(&error).await {
                Ok(Lookup::Found(task)) => return Ok(Guarded::Found(*task)),
                // A task that the service is still working on is not listed yet.
                Ok(Lookup::Nothing) if may_go_again && !is_at_work(&error) => {}
                Ok(Lookup::Nothing) => {
                    return Err(error.with_note("a look at all tasks did not find it"));
                }
                Ok(Lookup::Unclear(uuid)) => {
                    let note = format!(
                        "there is a task {uuid:?} that is the same, and nothing says when it was \
                         created"
                    );
                    return Err(error.with_note(&note));
                }
                Err(note) => return Err(error.with_note(&note)),
            }
        }
    }

    /// Sends a create with half of the remaining time, or the time of one call.
    async fn create(&self) -> Result<DeviceTask, Error> {
        let time = (self.remaining() / 2).min(self.attempt);
        let options = self.settings.options.clone().timeout(time);
        let create = self.settings.client.call::<CreateTask>(self.settings.request.clone());
        create.options(options).await
    }

    /// Looks for the task after this error for as long as necessary; otherwise returns why it did not.
    async fn find(&mut self, error: &Error) -> Result<Lookup, String> {
        let failed_at = self.timer.now();
        let needed = match (is_at_work(error), is_broken(error)) {
            (true, _) => Duration::MAX,
            (false, true) => LONGEST_WORK,
            (false, false) => Duration::ZERO,
        };
        let mut note = "there was no time to look for the task";
        loop {
            if !self.wait().await {
                return Err(note.to_owned());
            }
            note = "it was not found as long as there was time to look";
            match self.look().await {
                Ok(Lookup::Nothing) => {}
                Ok(lookup) => return Ok(lookup),
                Err(failure) => return Err(format!("looking for the task failed too: {failure}")),
            }
            if self.timer.now().saturating_duration_since(failed_at) >= needed {
                return Ok(Lookup::Nothing);
            }
        }
    }

    /// Waits. Returns false if the time would be up.
    async fn wait(&mut self) -> bool {
        let pause = self.pause;
        if pause >= self.remaining() {
            return false;
        }
        self.pause = pause.saturating_mul(2).min(LONGEST_PAUSE.max(pause));
        self.timer.sleep(pause).await;
        true
    }

    async fn look(&self) -> Result<Lookup, Error> {
        let mut lookup = Lookup::Nothing;
        let earliest = self.begun.checked_sub(self.settings.clock_skew);
        for task in self.same_tasks().await? {
            if let Some(before) = &self.before {
                if !before.contains(&task.uuid) {
                    lookup = newer(lookup, task);
                }
                continue;
            }
            match created_at(&task) {
                Some(time) if earliest.is_none_or(|earliest| time >= earliest) => {
                    lookup = newer(lookup, task);
                }
                Some(_) => {}
                None if matches!(lookup, Lookup::Nothing) => lookup = Lookup::Unclear(task.uuid),
                None => {}
            }
        }
        Ok(lookup)
    }

    async fn same_before(&self) -> Result<BTreeSet<String>, Error> {
        // Nothing has been created yet.
        let tasks = self.same_tasks().await.map_err(|error| error.with_execution(false))?;
        Ok(tasks.into_iter().map(|task| task.uuid).collect())
    }

    /// Returns all tasks that are identical to the one to create.
    async fn same_tasks(&self) -> Result<Vec<DeviceTask>, Error> {
        let Some(wanted) = &self.settings.request.task else { return Ok(Vec::new()) };
        let remaining = self.remaining();
        let options = self.settings.options.clone().timeout(remaining);
        let call = self.settings.client.call::<ListTasks>(ListTasksRequest::default());
        let found = call.options(options).items().try_filter(|task| ready(is_same(wanted, task)));
        // The options limit each page; this limits the whole list.
        within(&*self.timer, remaining, found.try_collect()).await.unwrap_or_else(|| {
            let message = format!("the tasks were not listed within {:?}", self.timeout);
            Err(Error::deadline(message).with_spec(ListTasks::SPEC))
        })
    }

    fn remaining(&self) -> Duration {
        match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(self.timer.now()),
            None => self.timeout,
        }
    }
}

/// Whether the service may still be working on it: there was no time to respond, or the response is pending.
fn is_at_work(error: &Error) -> bool {
    error.is_deadline_exceeded() || error.pending_id().is_some()
}

/// Whether the connection broke, here or behind a gateway (502), so that it is unknown how far the service
/// got.
fn is_broken(error: &Error) -> bool {
    let is_transport = error.kind() == ErrorKind::Transport && !error.is_permanent();
    is_transport || error.http_status() == Some(502)
}

/// Returns the newer of two tasks.
fn newer(lookup: Lookup, task: DeviceTask) -> Lookup {
    match lookup {
        Lookup::Found(found) if created_at(&found) >= created_at(&task) => Lookup::Found(found),
        _ => Lookup::Found(Box::new(task)),
    }
}

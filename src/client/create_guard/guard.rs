//! A guarded create at work: create, look, create again.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tonic::Code;

use super::same_task::{created_at, is_same};
use super::{Guarded, GuardedCreate};
use crate::error::{Error, ErrorKind};
use crate::proto::eset::dotnod::automation::v1::{DeviceTask, ListTasksRequest};
use crate::rpc::Rpc;
use crate::rpc::device_tasks::{CreateTask, ListTasks};
use crate::timer::{Timer, within};

/// The longest pause before it looks or creates again.
const LONGEST_PAUSE: Duration = Duration::from_secs(30);

/// For so long ESET's gateway works on a call before it says that the answer is pending
/// ([facts](crate::facts#pending-answers)). What a broken connection left behind may be listed only
/// then.
const LONGEST_WORK: Duration = Duration::from_secs(30);

/// How much longer than one call it may take if nobody says: two looks of that length, and time to spare for
/// the lists and for another create.
const LONGEST_LOOKS: Duration = Duration::from_secs(120);

/// A guarded create that is under way.
pub(super) struct Guard {
    settings: GuardedCreate,
    timer: Arc<dyn Timer>,
    timeout: Duration,
    /// How long one create may take at most.
    attempt: Duration,
    deadline: Option<Instant>,
    /// When the first create was sent, by our clock.
    begun: SystemTime,
    /// The same tasks that were there before, if it was looked first.
    before: Option<BTreeSet<String>>,
    pause: Duration,
}

/// What a look shows.
enum Sight {
    Found(Box<DeviceTask>),
    Nothing,
    /// The same task, but nobody can say whether it is ours.
    Unclear(String),
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
            // A stream that is reset or a connection that breaks may do better the next time.
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
                Ok(Sight::Found(task)) => return Ok(Guarded::Found(*task)),
                // What is still at work is not listed yet.
                Ok(Sight::Nothing) if may_go_again && !is_at_work(&error) => {}
                Ok(Sight::Nothing) => {
                    return Err(error.with_note("a look at all tasks did not find it"));
                }
                Ok(Sight::Unclear(uuid)) => {
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

    /// Sends a create with half of the time that is left, or that of one call.
    async fn create(&self) -> Result<DeviceTask, Error> {
        let time = (self.remaining() / 2).min(self.attempt);
        let options = self.settings.options.clone().timeout(time);
        self.settings
            .client
            .call::<CreateTask>(self.settings.request.clone())
            .options(options)
            .await
    }

    /// Looks for what a create has made that failed so, for as long as that needs; or says why it did not.
    async fn find(&mut self, error: &Error) -> Result<Sight, String> {
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
                Ok(Sight::Nothing) => {}
                Ok(sight) => return Ok(sight),
                Err(failure) => {
                    return Err(format!("looking for the task failed too: {failure}"));
                }
            }
            if self.timer.now().saturating_duration_since(failed_at) >= needed {
                return Ok(Sight::Nothing);
            }
        }
    }

    /// Pauses; false if the time is up with it.
    async fn wait(&mut self) -> bool {
        let pause = self.pause;
        if pause >= self.remaining() {
            return false;
        }
        self.pause = pause.saturating_mul(2).min(LONGEST_PAUSE.max(pause));
        self.timer.sleep(pause).await;
        true
    }

    async fn look(&self) -> Result<Sight, Error> {
        let mut sight = Sight::Nothing;
        let earliest = self.begun.checked_sub(self.settings.clock_skew);
        for task in self.same_tasks().await? {
            if let Some(before) = &self.before {
                if !before.contains(&task.uuid) {
                    sight = younger(sight, task);
                }
                continue;
            }
            match created_at(&task) {
                Some(time) if earliest.is_none_or(|earliest| time >= earliest) => {
                    sight = younger(sight, task);
                }
                Some(_) => {}
                None if matches!(sight, Sight::Nothing) => sight = Sight::Unclear(task.uuid),
                None => {}
            }
        }
        Ok(sight)
    }

    async fn same_before(&self) -> Result<BTreeSet<String>, Error> {
        // Nothing has been created yet.
        let tasks = self.same_tasks().await.map_err(|error| error.with_execution(false))?;
        Ok(tasks.into_iter().map(|task| task.uuid).collect())
    }

    /// All tasks that are the same as the one to create.
    async fn same_tasks(&self) -> Result<Vec<DeviceTask>, Error> {
        let Some(wanted) = &self.settings.request.task else { return Ok(Vec::new()) };
        let remaining = self.remaining();
        let options = self.settings.options.clone().timeout(remaining);
        let call = self.settings.client.call::<ListTasks>(ListTasksRequest::default());
        let list = async {
            let mut pages = call.options(options).pages();
            let mut found = Vec::new();
            while let Some(page) = pages.next().await {
                found.extend(page?.tasks.into_iter().filter(|task| is_same(wanted, task)));
            }
            Ok(found)
        };
        // The options limit each page, this limits all of them.
        match within(&*self.timer, remaining, list).await {
            Some(result) => result,
            None => {
                let message = format!("the tasks were not listed within {:?}", self.timeout);
                let error = Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, message);
                Err(error.with_spec(ListTasks::SPEC))
            }
        }
    }

    fn remaining(&self) -> Duration {
        match self.deadline {
            Some(deadline) => deadline.saturating_duration_since(self.timer.now()),
            None => self.timeout,
        }
    }
}

/// The service may be at work on it still: it had no time to answer, or said that it would later.
fn is_at_work(error: &Error) -> bool {
    error.is_deadline_exceeded() || error.pending_id().is_some()
}

/// The connection broke, here or behind a gateway (502): nobody knows how far the service is.
fn is_broken(error: &Error) -> bool {
    let is_transport = error.kind() == ErrorKind::Transport && !error.is_permanent();
    is_transport || error.http_status() == Some(502)
}

/// The younger of what was seen and another.
fn younger(sight: Sight, task: DeviceTask) -> Sight {
    match sight {
        Sight::Found(found) if created_at(&found) >= created_at(&task) => Sight::Found(found),
        _ => Sight::Found(Box::new(task)),
    }
}

//! Waits for a task: a stream of its progress.

mod plan;
mod poller;
mod progress;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use futures_core::Stream;
use futures_util::StreamExt;
use poller::{Item, Poller, Settings};
pub use progress::{DeviceCounts, TaskProgress};

use super::DeviceTasks;
use crate::call::CallOptions;
use crate::error::Error;

impl DeviceTasks {
    /// Watches a task until it is done on all of its devices. Returns a stream with an item for every change.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # async fn run(client: eset_protect::Client) -> Result<(), eset_protect::Error> {
    /// let mut watch = client.device_tasks().watch_task("0b7f…").timeout(Duration::from_secs(3600));
    /// while let Some(progress) = watch.next().await {
    ///     let counts = progress?.counts();
    ///     println!("{} of {} devices are done", counts.ended(), counts.total());
    /// }
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// See [`TaskWatch`] for what "done" means.
    pub fn watch_task(&self, task_uuid: impl Into<String>) -> TaskWatch {
        TaskWatch {
            state: State::Idle(Box::new(Poller::new(self.client.clone(), task_uuid.into()))),
        }
    }
}

/// Watches a task, as a stream, with [`next`](Self::next) in a loop, or with [`finish`](Self::finish).
///
/// It polls the last run on each device (`ListTaskRuns`, all pages) at once, and then repeatedly with
/// increasing pauses. Every change is an item, including the first response and the end. The last item [is
/// complete](TaskProgress::is_complete); the stream ends after it or after an error. Change settings before
/// the first poll. Nothing runs in the background: the watch makes no calls unless it is polled, and dropping
/// it stops it.
///
/// | setting | default | method |
/// |---|---|---|
/// | pauses | 2 s, each 1.5 times the previous one, up to 30 s; 2 s again after a change | [`interval`](Self::interval) |
/// | settling time, for groups | twice the longest pause | [`settling_time`](Self::settling_time) |
/// | margin after a trigger's expiry | 5 minutes | [`expiry_margin`](Self::expiry_margin) |
/// | total time | no limit | [`timeout`](Self::timeout) |
/// | consecutive failed polls before the watch fails | 10 | [`max_failures`](Self::max_failures) |
///
/// # When a task is done
///
/// A run has ended if it is `FINISHED`, `FAILED` or `SUPPRESSED`. A status that this crate does not know does
/// not count as the end.
///
/// * **Devices** named by the task: it is done when the run on each of them has ended.
/// * **Groups**: this API does not return the members of a group. The task counts as done if there is at
///   least one run, all runs have ended, and nothing has changed for the settling time. If the last run ended
///   longer ago than the settling time and the margin, it is done at the first poll. A device that starts
///   later than that is missed: if each device matters, name the devices.
/// * **Devices that are off** start when they return, perhaps weeks later. The trigger's `expire_time` limits
///   that: the service starts no runs after it. A device without a run after that time and the margin (by
///   [`Timer::system_time`](crate::Timer::system_time)) counts as [`expired`](DeviceCounts::expired), and the
///   watch does not wait for it. There is no such limit for triggers without `expire_time`, or of a kind that
///   this API does not support.
/// * **A deleted task** starts no more runs, but runs that have started remain: these are watched until they
///   end, and devices without one count as expired.
/// * **A task that was triggered again** (`UpdateTaskTriggers`) has earlier runs: those that started before
///   its triggers were created do not count.
///
/// The task itself is read at the start and then, while devices may still start, at most once per settling
/// time, so that new targets, new triggers and deletion are noticed.
///
/// # Errors
///
/// A poll that fails with a transient error (`UNAVAILABLE`, `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED`,
/// `ABORTED`, `INTERNAL`, `UNKNOWN`, no connection) is repeated after the next pause, in addition to the
/// client's retries within a call. Other errors end the watch at once, such as `NOT_FOUND` for a task that
/// never existed.
#[must_use = "a watch does nothing until it is polled"]
pub struct TaskWatch {
    state: State,
}

enum State {
    Idle(Box<Poller>),
    UnderWay(Step),
    Done,
}

type Step = Pin<Box<dyn Future<Output = Item> + Send>>;

impl TaskWatch {
    /// Sets the pause after the first poll and after each change, and the longest pause. Without changes,
    /// each pause is 1.5 times the previous one. 2 and 30 seconds by default, and at least a millisecond.
    pub fn interval(self, first: Duration, longest: Duration) -> Self {
        self.set(|settings| settings.interval = (first, longest))
    }

    /// Sets how long nothing must change before a task for groups counts as done. By default twice the
    /// longest pause, which is one minute.
    pub fn settling_time(self, time: Duration) -> Self {
        self.set(|settings| settings.settling_time = Some(time))
    }

    /// Sets how long after a trigger's `expire_time` a run may still appear, to allow for different clocks
    /// and devices that report late. 5 minutes by default, which is our choice, not ESET's.
    pub fn expiry_margin(self, margin: Duration) -> Self {
        self.set(|settings| settings.expiry_margin = margin)
    }

    /// Limits the time to watch, counted from the first poll. Then the stream ends with an error
    /// ([`is_deadline_exceeded`](Error::is_deadline_exceeded)) that says how many devices are not done and
    /// names no [RPC](Error::rpc); the previous item has the progress. By default there is no limit, since a
    /// device that is off may return after weeks.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.timeout = Some(timeout))
    }

    /// Sets how many consecutive polls may fail before the watch fails. 10 by default.
    pub fn max_failures(self, polls: u32) -> Self {
        self.set(|settings| settings.max_failures = polls)
    }

    /// Sets the options of each call, such as its timeout.
    pub fn options(self, options: CallOptions) -> Self {
        self.set(|settings| settings.options = options)
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        if let State::Idle(poller) = &mut self.state {
            change(poller.settings());
        }
        self
    }

    /// Returns the progress when it has changed; `None` after the end. Dropping the future loses nothing: the
    /// next one continues from there.
    ///
    /// # Errors
    ///
    /// See [`TaskWatch`].
    pub async fn next(&mut self) -> Option<Result<TaskProgress, Error>> {
        StreamExt::next(self).await
    }

    /// Waits until the end and returns the final progress; see [`TaskProgress::is_success`].
    ///
    /// # Errors
    ///
    /// See [`TaskWatch`].
    pub async fn finish(mut self) -> Result<TaskProgress, Error> {
        loop {
            match self.next().await {
                Some(Ok(progress)) if progress.is_complete() => return Ok(progress),
                Some(Ok(_)) => {}
                Some(Err(error)) => return Err(error),
                None => return Err(Error::config("the watch had ended before")),
            }
        }
    }
}

impl Stream for TaskWatch {
    type Item = Result<TaskProgress, Error>;

    fn poll_next(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        let mut step = match std::mem::replace(&mut self.state, State::Done) {
            State::Idle(poller) => Box::pin(poller.step()),
            State::UnderWay(step) => step,
            State::Done => return Poll::Ready(None),
        };
        let Poll::Ready((poller, item)) = step.as_mut().poll(cx) else {
            self.state = State::UnderWay(step);
            return Poll::Pending;
        };
        self.state = poller.map_or(State::Done, State::Idle);
        Poll::Ready(Some(item))
    }
}

impl fmt::Debug for TaskWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state: &dyn fmt::Debug = match &self.state {
            State::Idle(poller) => poller,
            State::UnderWay(_) => &"under way",
            State::Done => &"done",
        };
        f.debug_struct("TaskWatch").field("state", state).finish()
    }
}

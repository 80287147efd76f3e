//! Waiting for a task: a stream of how far it is.

mod plan;
mod poller;
mod progress;

use std::fmt;
use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use futures_core::Stream;
use poller::{Poller, Settings};
pub use progress::{DeviceCounts, TaskProgress};

use super::DeviceTasks;
use crate::call::CallOptions;
use crate::error::Error;

impl DeviceTasks {
    /// Watches a task until it is done on all of its devices: a stream with an item for every change.
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

/// Watches a task: a stream, or [`next`](Self::next) in a loop, or [`finish`](Self::finish).
///
/// It asks for the last run on each device (`ListTaskRuns`, all pages) at once, and then again and again
/// with growing pauses. Whatever changed is an item, the first answer and the end among them; the last
/// item [is complete](TaskProgress::is_complete), and behind it or behind an error the stream ends.
/// Settings are made before the first poll. There is no task in the background: nothing is asked while nobody polls, and dropping it ends it.
///
/// | what | default | see |
/// |---|---|---|
/// | pauses | 2 s, each 1.5 times the one before, up to 30 s; 2 s again after a change | [`interval`](Self::interval) |
/// | settling time, for groups | twice the longest pause | [`settling_time`](Self::settling_time) |
/// | margin behind a trigger's expiry | 5 minutes | [`expiry_margin`](Self::expiry_margin) |
/// | time for it all | no limit | [`timeout`](Self::timeout) |
/// | failed polls in a row before the watch fails | 10 | [`max_failures`](Self::max_failures) |
///
/// # When a task is done
///
/// A run has ended when it is `FINISHED`, `FAILED` or `SUPPRESSED`. A status that this crate does not know
/// is no end.
///
/// * **Devices** that the task names: it is done when the run on each of them has ended.
/// * **Groups**: this API does not tell who is in a group. So the task is taken for done when there is a
///   run at least, all runs have ended, and nothing has changed for the settling time. A device that
///   takes the task up later than that is missed: where each device counts, name the devices.
/// * **Devices that are off** start when they are back, weeks later perhaps. The trigger's `expire_time`
///   ends that: the service starts nothing behind it. A device without a run when it and the margin have
///   passed (by [`Timer::system_time`](crate::Timer::system_time)) is counted as
///   [`expired`](DeviceCounts::expired) and not waited for. A trigger without `expire_time`, or of a kind
///   that this API does not show, has no such end.
/// * **A deleted task** starts no more, and runs that have begun remain: those are watched to their end,
///   and devices without one count as expired.
/// * **A task that was triggered again** (`UpdateTaskTriggers`) has runs of before: those that started
///   before its triggers were made do not count.
///
/// The task itself is read in the beginning and then, while devices may still start, once in a settling
/// time at most; so new targets and triggers are noticed, and so is that it was deleted.
///
/// # Errors
///
/// A poll that fails in a way that may pass (`UNAVAILABLE`, `DEADLINE_EXCEEDED`, `RESOURCE_EXHAUSTED`,
/// `ABORTED`, `INTERNAL`, `UNKNOWN`, no connection) is tried again after the next pause, above what the
/// client does about it within a call. Other errors end the watch at once, such as `NOT_FOUND` for a task
/// that never was.
#[must_use = "a watch asks for nothing until it is polled"]
pub struct TaskWatch {
    state: State,
}

enum State {
    Idle(Box<Poller>),
    UnderWay(Step),
    Done,
}

/// What comes next, with the poller if anything can come behind it.
type Item = (Option<Box<Poller>>, Result<TaskProgress, Error>);
type Step = Pin<Box<dyn Future<Output = Item> + Send>>;

impl TaskWatch {
    /// The pause after the first poll and after each change, and the longest; each pause without a
    /// change is 1.5 times the one before. 2 and 30 seconds by default. They are a millisecond at least.
    pub fn interval(self, first: Duration, longest: Duration) -> Self {
        self.set(|settings| settings.interval = (first, longest))
    }

    /// How long nothing must have changed before a task for groups is taken for done. By default twice
    /// the longest pause, which is a minute.
    pub fn settling_time(self, time: Duration) -> Self {
        self.set(|settings| settings.settling_time = Some(time))
    }

    /// How long after a trigger's `expire_time` a run may still show up: for clocks that differ, and for
    /// devices that report late. 5 minutes by default, which is ours and not ESET's.
    pub fn expiry_margin(self, margin: Duration) -> Self {
        self.set(|settings| settings.expiry_margin = margin)
    }

    /// How long to watch, from the first poll on. Then the stream ends with an error
    /// ([`is_deadline_exceeded`](Error::is_deadline_exceeded)) that says how many devices are not done
    /// and names no [RPC](Error::rpc); the last item is how far it had come. By default there is no
    /// limit, since a device that is off may be back in weeks.
    pub fn timeout(self, timeout: Duration) -> Self {
        self.set(|settings| settings.timeout = Some(timeout))
    }

    /// How many polls in a row may fail before the watch does. 10 by default.
    pub fn max_failures(self, polls: u32) -> Self {
        self.set(|settings| settings.max_failures = polls)
    }

    /// Options of each call that is made, such as its timeout.
    pub fn options(self, options: CallOptions) -> Self {
        self.set(|settings| settings.options = options)
    }

    fn set(mut self, change: impl FnOnce(&mut Settings)) -> Self {
        if let State::Idle(poller) = &mut self.state {
            change(poller.settings());
        }
        self
    }

    /// How far the task is, when that has changed; `None` behind the end. Dropping the future loses
    /// nothing: the next one goes on where it stood.
    ///
    /// # Errors
    ///
    /// See [`TaskWatch`].
    pub async fn next(&mut self) -> Option<Result<TaskProgress, Error>> {
        std::future::poll_fn(|cx| self.poll_progress(cx)).await
    }

    /// Waits for the end and returns what it is; see [`TaskProgress::is_success`].
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

    fn poll_progress(&mut self, cx: &mut Context<'_>) -> Poll<Option<Result<TaskProgress, Error>>> {
        if let State::Idle(_) = &self.state
            && let State::Idle(poller) = std::mem::replace(&mut self.state, State::Done)
        {
            self.state = State::UnderWay(Box::pin(poller.step()));
        }
        let State::UnderWay(step) = &mut self.state else {
            return Poll::Ready(None);
        };
        let (poller, item) = ready!(step.as_mut().poll(cx));
        self.state = poller.map_or(State::Done, State::Idle);
        Poll::Ready(Some(item))
    }
}

impl Stream for TaskWatch {
    type Item = Result<TaskProgress, Error>;

    fn poll_next(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.get_mut().poll_progress(cx)
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

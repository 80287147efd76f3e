//! Polls and waits between two items of a watch.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use tokio::time::Instant;
use tonic::Code;

use super::plan::Plan;
use super::progress::TaskProgress;
use crate::call::CallOptions;
use crate::client::Client;
use crate::error::{Error, ErrorKind};
use crate::proto::eset::dotnod::automation::v1::{DeviceTaskRun, ListTaskRunsRequest};
use crate::rpc::device_tasks::{GetTask, ListTaskRuns};
use crate::timer::{Timer, within};

/// The shortest pause, even if a shorter one is requested, so that the service is not flooded.
const SHORTEST_PAUSE: Duration = Duration::from_millis(1);

#[derive(Debug)]
pub(super) struct Settings {
    /// The first and the longest pause.
    pub(super) interval: (Duration, Duration),
    pub(super) settling_time: Option<Duration>,
    pub(super) expiry_margin: Duration,
    pub(super) timeout: Option<Duration>,
    pub(super) max_failures: u32,
    pub(super) options: CallOptions,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            interval: (Duration::from_secs(2), Duration::from_secs(30)),
            settling_time: None,
            expiry_margin: Duration::from_secs(5 * 60),
            timeout: None,
            max_failures: 10,
            options: CallOptions::default(),
        }
    }
}

impl Settings {
    fn first_pause(&self) -> Duration {
        self.interval.0.max(SHORTEST_PAUSE)
    }

    fn longest_pause(&self) -> Duration {
        self.interval.1.max(self.first_pause())
    }

    fn settling_time(&self) -> Duration {
        self.settling_time.unwrap_or_else(|| self.longest_pause().saturating_mul(2))
    }
}

/// The next item, with the poller if more may follow.
pub(super) type Item = (Option<Box<Poller>>, Result<TaskProgress, Error>);

/// The state of a watch. Its size is that of the last runs of all devices.
pub(super) struct Poller {
    client: Client,
    timer: Arc<dyn Timer>,
    task_uuid: String,
    settings: Settings,
    /// The plan of the task, and when it was read.
    plan: Option<(Plan, Instant)>,
    last: Option<TaskProgress>,
    changed_at: Instant,
    /// The next pause; `None` before the first poll.
    pause: Option<Duration>,
    deadline: Option<Instant>,
    /// The number of consecutive failed polls, and the last error.
    failures: u32,
    failure: Option<Error>,
}

impl Poller {
    pub(super) fn new(client: Client, task_uuid: String) -> Self {
        let timer = client.context.policy.timer.clone();
        Self {
            client,
            task_uuid,
            settings: Settings::default(),
            plan: None,
            last: None,
            changed_at: timer.now(),
            pause: None,
            deadline: None,
            failures: 0,
            failure: None,
            timer,
        }
    }

    pub(super) fn settings(&mut self) -> &mut Settings {
        &mut self.settings
    }

    /// Continues until the next item.
    pub(super) async fn step(mut self: Box<Self>) -> Item {
        loop {
            let is_in_time = self.wait().await;
            let polled = match self.remaining() {
                _ if !is_in_time => None,
                None => Some(self.poll().await),
                Some(remaining) => {
                    let timer = self.timer.clone();
                    within(&*timer, remaining, self.poll()).await
                }
            };
            match polled {
                None => return (None, Err(self.out_of_time())),
                Some(Ok(Some(progress))) => {
                    let next = (!progress.is_complete()).then_some(self);
                    return (next, Ok(progress));
                }
                Some(Ok(None)) => {}
                Some(Err(error)) if !may_pass(&error) => return (None, Err(error)),
                Some(Err(error)) => {
                    self.failures = self.failures.saturating_add(1);
                    if self.failures > self.settings.max_failures {
                        let note = format!("{} polls in a row failed", self.failures);
                        return (None, Err(error.with_note(&note)));
                    }
                    self.failure = Some(error);
                }
            }
        }
    }

    /// Waits until the next poll. Returns false if the time is up before.
    async fn wait(&mut self) -> bool {
        let Some(pause) = self.pause else {
            let now = self.timer.now();
            self.changed_at = now;
            self.deadline = self.settings.timeout.and_then(|timeout| now.checked_add(timeout));
            self.pause = Some(self.settings.first_pause());
            return self.remaining().is_none_or(|remaining| !remaining.is_zero());
        };
        // Increases the pause already here; a change resets it.
        self.pause =
            Some(pause.saturating_mul(3).min(self.settings.longest_pause().saturating_mul(2)) / 2);
        let remaining = self.remaining();
        self.timer.sleep(remaining.map_or(pause, |remaining| pause.min(remaining))).await;
        remaining.is_none_or(|remaining| pause < remaining)
    }

    fn remaining(&self) -> Option<Duration> {
        self.deadline.map(|deadline| deadline.saturating_duration_since(self.timer.now()))
    }

    /// Polls once; returns `None` if nothing has changed.
    async fn poll(&mut self) -> Result<Option<TaskProgress>, Error> {
        let plan = self.read_task().await?;
        let runs = self.read_runs(&plan).await?;
        self.failures = 0;
        self.failure = None;
        let now = self.timer.now();
        let settling_time = self.settings.settling_time();
        let snapshot = |is_settled: bool, runs: BTreeMap<String, DeviceTaskRun>| {
            let now = self.timer.system_time();
            let snapshot = plan.snapshot(runs, now, self.settings.expiry_margin, is_settled);
            TaskProgress::since(self.last.as_ref(), &self.task_uuid, snapshot)
        };
        let has_waited = now.saturating_duration_since(self.changed_at) >= settling_time;
        // Settled means that nothing changed in this poll either.
        let is_same = self.last.as_ref().is_some_and(|last| last.has_runs(&runs));
        // Clocks may differ.
        let quiet = settling_time.saturating_add(self.settings.expiry_margin);
        let is_old = last_end(&runs)
            .and_then(|end| end.checked_add(quiet))
            .is_some_and(|settled| settled < self.timer.system_time());
        let Some(progress) = snapshot(is_same && has_waited || is_old, runs) else {
            return Ok(None);
        };
        self.changed_at = now;
        self.pause = Some(self.settings.first_pause());
        self.last = Some(progress.clone());
        Ok(Some(progress))
    }

    /// Returns the plan of the task. Reads the task again if the plan is old and devices may still start.
    async fn read_task(&mut self) -> Result<Plan, Error> {
        let now = self.timer.now();
        if let Some((plan, read_at)) = &self.plan {
            let is_old = now.saturating_duration_since(*read_at) >= self.settings.settling_time();
            let may_start = plan.is_open()
                || self.last.as_ref().is_none_or(|last| !last.not_started().is_empty());
            if plan.is_deleted() || !is_old || !may_start {
                return Ok(plan.clone());
            }
        }
        let call = self.client.call::<GetTask>(self.task_uuid.as_str().into());
        let plan = match call.options(self.settings.options.clone()).await {
            Ok(task) => Plan::of(task),
            Err(error) if error.is_not_found() => {
                let plan = self.plan.take().map(|(plan, _)| plan);
                plan.unwrap_or_default().deleted()
            }
            Err(error) => return Err(error),
        };
        self.plan = Some((plan.clone(), now));
        Ok(plan)
    }

    /// Returns the last run on each device.
    async fn read_runs(&self, plan: &Plan) -> Result<BTreeMap<String, DeviceTaskRun>, Error> {
        let request = ListTaskRunsRequest {
            task_uuid: self.task_uuid.clone(),
            list_only_last_runs: true,
            ..Default::default()
        };
        let call = self.client.call::<ListTaskRuns>(request);
        let mut pages = call.options(self.settings.options.clone()).pages();
        let mut runs = BTreeMap::<String, DeviceTaskRun>::new();
        while let Some(page) = pages.next().await {
            for run in page?.task_runs.into_iter().filter(|run| plan.counts(run)) {
                // Pages may overlap if the list changes meanwhile.
                let is_older = |found: &DeviceTaskRun| run.start_time < found.start_time;
                if !runs.get(&run.device_uuid).is_some_and(is_older) {
                    runs.insert(run.device_uuid.clone(), run);
                }
            }
        }
        Ok(runs)
    }

    fn out_of_time(&mut self) -> Error {
        let timeout = self.settings.timeout.unwrap_or_default();
        let message = match self.last.as_ref().map(TaskProgress::counts) {
            None => {
                format!("no poll completed within {timeout:?}, so the state of the task is unknown")
            }
            Some(all) if all.ended() == all.total() => format!(
                "the task is not done within {timeout:?}: other devices of its groups may start"
            ),
            Some(all) => {
                let (open, total) = (all.total().saturating_sub(all.ended()), all.total());
                let devices = if total == 1 { "device" } else { "devices" };
                format!("the task is not done on {open} of {total} {devices} within {timeout:?}")
            }
        };
        // Watching changes nothing.
        let error = Error::deadline(message).with_execution(false);
        match self.failure.take() {
            Some(failure) => {
                let note = format!("the last poll failed: {failure}");
                error.with_note(&note).with_source(failure)
            }
            None => error,
        }
    }
}

/// Returns when the last of these runs ended; `None` unless all say so.
fn last_end(runs: &BTreeMap<String, DeviceTaskRun>) -> Option<SystemTime> {
    let ends = runs.values().map(|run| SystemTime::try_from(run.end_time?).ok());
    ends.collect::<Option<Vec<_>>>()?.into_iter().max()
}

/// Whether the next poll may succeed.
fn may_pass(error: &Error) -> bool {
    use Code::{Aborted, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unknown};
    let is_ours = matches!(error.kind(), ErrorKind::Config | ErrorKind::Limit);
    let codes = [Aborted, DeadlineExceeded, Internal, ResourceExhausted, Unavailable, Unknown];
    error.is_retryable() || (!is_ours && codes.contains(&error.code()))
}

impl fmt::Debug for Poller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Poller")
            .field("task_uuid", &self.task_uuid)
            .field("settings", &self.settings)
            .field("last", &self.last)
            .finish_non_exhaustive()
    }
}

//! `eset-protect tasks wait`, and `create --wait`.

mod display;

use std::time::Duration;

use clap::Args;
use eset_protect::automation::v1::GetTaskRequest;
use eset_protect::codegen::duration;
use eset_protect::rpc::device_tasks::{GetTask, ListTaskRuns};
use eset_protect::{Client, Error, TaskProgress};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::JoinSet;

use crate::calls::to_json;
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::{self, Failure, refuse};
use crate::items::Items;
use crate::method::Method;
use crate::output::View;
use crate::reader::reader_gone;
use crate::request::Request;
use crate::stop_signal::stop_signal;
use crate::text::{count, counts, program};
use display::Display;

/// The factor between the first and the longest pause.
const GROWTH: u32 = 15;
/// The longest time to wait: a year.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Wait until one or several tasks are done on all of their devices
///
/// Shows the progress on standard error, and at the end each device with its run, by name where the login may
/// read it. With `--output json`, each run is printed as a line of ProtoJSON when it has ended.
///
/// The members of a group are not known: a task for groups counts as done if all runs have ended and nothing
/// has changed for a minute. For a device that is off, it waits until the task's trigger expires, so consider
/// --wait-timeout. Ctrl-C stops the waiting, not the task.
#[derive(Args, Debug)]
#[command(after_help = "\
Exit codes: 0 all devices finished; 9 a run failed or was suppressed, or a device did not start in \
time; 6 the time ran out; 130 Ctrl-C. The others are those of `eset-protect --help`.")]
pub struct Wait {
    /// The UUIDs of one or several tasks
    #[arg(value_name = "TASK", required = true)]
    tasks: Vec<String>,
    #[command(flatten)]
    options: WaitOptions,
}

#[derive(Args, Clone, Debug)]
pub struct WaitOptions {
    /// How long to wait, such as 90s, 10m or 1h; by default until the task is done
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    wait_timeout: Option<Duration>,
    /// The pause between polls, which grows up to 15 times while nothing changes; 2s by default
    #[arg(long, value_name = "TIME", value_parser = parse_timeout)]
    poll_interval: Option<Duration>,
}

fn parse_timeout(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        time if time <= LONGEST => Ok(time),
        _ => Err("expected at most 8760h, a year".to_owned()),
    }
}

impl WaitOptions {
    /// Refuses options that are given without the `--wait` that they need.
    pub fn refuse(&self) -> Result<(), Failure> {
        let flags = [
            ("--wait-timeout", self.wait_timeout.is_some()),
            ("--poll-interval", self.poll_interval.is_some()),
        ];
        refuse(&flags, "requires --wait")
    }
}

impl Wait {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        // Errors are reported before connecting.
        let method = Method::of::<GetTask>()?;
        for task in &self.tasks {
            let request = Request::new(&method, &GetTaskRequest { task_uuid: task.clone() })?;
            let argument = ("task_uuid".to_owned(), "TASK".to_owned());
            CheckOptions::default().flags(&request, &[argument])?;
        }
        connection.run(async |client, view| self.watch(&client, view).await)
    }

    /// Watches all tasks at once, and shows one after the other.
    async fn watch(self, client: &Client, view: &View) -> Result<(), Failure> {
        let mut watching = JoinSet::new();
        let watched = self.tasks.iter().map(|task| self.options.watch(client, task, &mut watching));
        let mut first = Ok(());
        for (task, items) in self.tasks.iter().zip(watched.collect::<Vec<_>>()) {
            let Err(failure) = show(client, view, task, items).await else { continue };
            if failure.exit_code() == failure::STOPPED {
                return Err(failure);
            }
            match &first {
                Ok(()) => first = Err(failure),
                Err(_) => failure.report(),
            }
        }
        first
    }
}

/// The progress of a task whenever it has changed.
type Watched = UnboundedReceiver<Result<TaskProgress, Error>>;

impl WaitOptions {
    /// Watches a task until `watching` is dropped.
    fn watch(&self, client: &Client, task: &str, watching: &mut JoinSet<()>) -> Watched {
        let mut watch = client.device_tasks().watch_task(task);
        if let Some(timeout) = self.wait_timeout {
            watch = watch.timeout(timeout);
        }
        if let Some(first) = self.poll_interval {
            watch = watch.interval(first, first.saturating_mul(GROWTH));
        }
        let (sender, items) = unbounded_channel();
        watching.spawn(async move {
            while let Some(item) = watch.next().await
                && sender.send(item).is_ok()
            {}
        });
        items
    }
}

/// Waits for a task and shows its progress.
pub async fn wait(
    client: &Client,
    view: &View,
    task: &str,
    options: &WaitOptions,
) -> Result<(), Failure> {
    let mut watching = JoinSet::new();
    let items = options.watch(client, task, &mut watching);
    show(client, view, task, items).await
}

async fn show(
    client: &Client,
    view: &View,
    task: &str,
    mut watched: Watched,
) -> Result<(), Failure> {
    let mut signal = std::pin::pin!(stop_signal()?);
    let mut reader_gone = std::pin::pin!(reader_gone());
    let display = Display::new();
    let mut items = Items::of(&Method::of::<ListTaskRuns>()?.items()?, view)?;
    let mut last = None;
    let ended = loop {
        let item = tokio::select! {
            biased;
            () = &mut signal => {
                drop(display);
                return Err(stopped(task, failure::STOPPED, "stopped waiting"));
            }
            () = &mut reader_gone => {
                drop(display);
                return Err(unread(task, Failure::ReaderGone));
            }
            item = watched.recv() => item,
        };
        match item {
            None => break Ok(()),
            Some(Err(error)) => break Err(failed(task, error)),
            Some(Ok(progress)) => {
                let printed = display.aside(|| print_ended(view, &mut items, &progress));
                printed.map_err(|failure| unread(task, failure))?;
                display.show(&progress);
                last = Some(progress);
            }
        }
    };
    drop(display);
    let Some(last) = last else { return ended };
    let printed = print_devices(client, view, items, &last).await;
    match ended.and_then(|()| verdict(&last)) {
        Ok(()) => printed,
        Err(failure) => failure.after(printed),
    }
}

/// Prints the runs that have ended since, in formats that need not wait for the others.
fn print_ended(view: &View, items: &mut Items, progress: &TaskProgress) -> Result<(), Failure> {
    if !view.streams() {
        return Ok(());
    }
    for run in progress.changed().filter(|run| run.is_ended()) {
        items.push(&to_json(run)?)?;
    }
    items.output.flush()
}

/// Prints each device with its run, and the devices without one, in formats for tables.
async fn print_devices(
    client: &Client,
    view: &View,
    mut items: Items,
    progress: &TaskProgress,
) -> Result<(), Failure> {
    if !view.streams() {
        for run in progress.runs() {
            items.push(&to_json(run)?)?;
        }
        let without_run =
            [("EXPIRED", progress.expired()), ("NOT STARTED", progress.not_started())];
        for (status, devices) in without_run {
            let row = |device| serde_json::json!({ "status": status, "deviceUuid": device });
            devices.iter().map(row).try_for_each(|row| items.push(&row.to_string()))?;
        }
    }
    items.end(client, "runs").await
}

fn verdict(progress: &TaskProgress) -> Result<(), Failure> {
    if progress.is_success() {
        return Ok(());
    }
    let all = progress.counts();
    let message = match all.total() {
        0 => "the task ran on no device".to_owned(),
        total => {
            let wrong = total.saturating_sub(all.finished);
            let what = [
                (all.failed, "failed"),
                (all.suppressed, "suppressed"),
                (all.expired, "not started in time"),
            ];
            let devices = count(total, "device");
            format!("the task did not succeed on {wrong} of {devices}: {}", counts(&what))
        }
    };
    Err(Failure::ended(failure::RUNS, message))
}

fn failed(task: &str, error: Error) -> Failure {
    // The error of the watch itself belongs to no call.
    if error.rpc().is_none() && error.is_deadline_exceeded() {
        return stopped(task, failure::OUT_OF_TIME, error.message());
    }
    error.into()
}

/// Handles unread output: the exit code must not report success.
fn unread(task: &str, failure: Failure) -> Failure {
    let Failure::ReaderGone = failure else { return failure };
    stopped(task, failure::STOPPED, "stopped waiting: nobody reads standard output any more")
}

fn stopped(task: &str, exit_code: u8, message: &str) -> Failure {
    let hint =
        format!("the task goes on at the service: `{} tasks wait {task}` waits again", program());
    Failure::Explained { exit_code, message: message.to_owned(), hints: vec![hint] }
}

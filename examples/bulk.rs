//! Creates a hundred tasks, reads them, lists the runs of each, and prints the progress.
//!
//!     cargo run --features emulator --example bulk
//!
//! Connects to `ESET_PROTECT_ENDPOINT`, or to its own emulator if that is not set.

mod support;

use eset_protect::Progress;
use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskTargets, ListTaskRunsRequest, Trigger,
};
use eset_protect::rpc::device_tasks::{CreateTask, DeleteTask, GetTask, ListTaskRuns};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = support::target().await?;
    let client = &target.client;

    let tasks = (0..100).map(|number| DeviceTask {
        display_name: format!("Bulk {number}"),
        action: Some(Action::new("StopManaging")),
        targets: Some(DeviceTaskTargets::devices(["123e4567-e89b-12d3-a456-426614174000"])),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    });
    let mut creates = client.bulk::<CreateTask>(tasks);
    let mut meter = Meter::new("created", creates.progress());
    let mut uuids = Vec::new();
    while let Some(response) = creates.next().await {
        match response.result {
            Ok(created) => uuids.push(created.uuid),
            // `response` still has the request, to be sent again unless the task was created.
            Err(error) => eprintln!(
                "number {}: {error}; it may have been created: {}",
                response.index,
                error.may_have_executed()
            ),
        }
        meter.show();
    }

    // Many at once; the results are in the order of the UUIDs.
    let gets = client.bulk::<GetTask>(uuids.iter().map(String::as_str));
    let mut meter = Meter::new("read", gets.progress());
    let read = gets.collect().await;
    meter.show();
    let failed = read.iter().filter(|response| response.result.is_err()).count();
    println!("{failed} of {} could not be read", read.len());

    let lists = uuids
        .iter()
        .map(|uuid| ListTaskRunsRequest { task_uuid: uuid.clone(), ..Default::default() });
    let mut runs = client.bulk_items::<ListTaskRuns>(lists).concurrency(8);
    let mut meter = Meter::new("listed", runs.progress());
    let mut count = 0;
    while let Some(item) = runs.next().await {
        match item.result {
            Ok(_) => count += 1,
            Err(error) => eprintln!("list {}: {error}", item.index),
        }
        meter.show();
    }
    meter.show();
    println!("{count} runs");

    client.bulk::<DeleteTask>(uuids.iter().map(String::as_str)).collect().await;
    target.close().await;
    Ok(())
}

/// Prints the progress at every quarter.
struct Meter {
    what: &'static str,
    progress: Progress,
    quarters: usize,
}

impl Meter {
    fn new(what: &'static str, progress: Progress) -> Self {
        Self { what, progress, quarters: 0 }
    }

    fn show(&mut self) {
        let counts = self.progress.counts();
        let (finished, total) = (counts.finished(), counts.total.unwrap_or(counts.started));
        let quarters = finished * 4 / total.max(1);
        if quarters > self.quarters {
            self.quarters = quarters;
            println!(
                "{} {finished} of {total}, {} failed, {} under way",
                self.what,
                counts.failed,
                counts.under_way()
            );
        }
    }
}

//! Creates a task exactly once, even if the response is lost, and waits until it is done on all of its
//! devices.
//!
//!     cargo run --features emulator --example wait
//!
//! Connects to `ESET_PROTECT_ENDPOINT`, or to its own emulator if that is not set.

use std::time::Duration;

use eset_protect::Client;
use eset_protect::automation::v1::{Action, DeviceTask, DeviceTaskTargets, Trigger};
use eset_protect::emulator::{Device, Emulator, Pace};

const LAPTOP: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40101";
const TILL: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40102";

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    // The task succeeds on the laptop and fails on the till, both within a second.
    let pace = Pace::new(Duration::from_millis(200), Duration::from_millis(500));
    let emulator = Emulator::builder().pace(pace).device(Device::new(TILL).failing()).build()?;
    let emulator = emulator.start().await?;
    let endpoint = std::env::var("ESET_PROTECT_ENDPOINT").unwrap_or_else(|_| emulator.endpoint());
    let client = Client::connect(&endpoint).await?;
    let tasks = client.device_tasks();

    let task = DeviceTask {
        display_name: "Isolate".into(),
        action: Some(Action::start_network_isolation()),
        targets: Some(DeviceTaskTargets::devices([LAPTOP, TILL])),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    };
    let created = tasks.create_task_guarded(task).await?;
    let how = if created.is_found() { "found" } else { "created" };
    let uuid = created.into_task().uuid;
    println!("{how} {uuid}");

    let mut watch = tasks
        .watch_task(uuid)
        .interval(Duration::from_millis(50), Duration::from_millis(200))
        .timeout(Duration::from_secs(60));
    while let Some(progress) = watch.next().await {
        let progress = progress?;
        for run in progress.changed() {
            println!("  {} {}", run.device_uuid, run.status().as_str_name());
        }
        let counts = progress.counts();
        println!("{} of {} devices are done", counts.ended(), counts.total());
        if progress.is_complete() && !progress.is_success() {
            for run in progress.failed() {
                println!("failed on {}", run.device_uuid);
            }
        }
    }
    emulator.shutdown().await;
    Ok(())
}

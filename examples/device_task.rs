//! Creates a device task, reads it back and watches its runs.
//!
//!     cargo run --features emulator --example device_task
//!
//! Connects to `ESET_PROTECT_ENDPOINT`, or to its own emulator if that is not set.

mod support;

use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskTargets, ListTaskRunsRequest, Trigger,
};
use eset_protect::params::{OnDemandScan, on_demand_scan::ScanProfile};

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let target = support::target().await?;
    let tasks = target.client.device_tasks();

    let scan = OnDemandScan {
        scan_profile: Some(ScanProfile::Smart.into()),
        cleaning_enabled: Some(true),
        ..Default::default()
    };
    let task = DeviceTask {
        display_name: "Smart scan".into(),
        action: Some(Action::on_demand_scan(scan)),
        targets: Some(DeviceTaskTargets::devices(["123e4567-e89b-12d3-a456-426614174000"])),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    };
    let created = tasks.create_task(task).await?;
    println!("created {} version {}", created.uuid, created.version_id);

    let read = tasks.get_task(created.uuid.as_str()).await?;
    println!("{}", serde_json::to_string_pretty(&read)?);

    let runs = ListTaskRunsRequest { task_uuid: created.uuid.clone(), ..Default::default() };
    let mut runs = tasks.list_task_runs(runs).items();
    while let Some(run) = runs.next().await {
        let run = run?;
        println!("on {}: {}", run.device_uuid, run.status().as_str_name());
    }

    tasks.delete_task(created.uuid).await?;
    target.close().await;
    Ok(())
}

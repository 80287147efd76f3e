//! The demo's task.

use std::time::Duration;

use eset_protect::Client;
use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskTargets, ListTaskRunsRequest, TaskRunStatus, Trigger,
};
use eset_protect::emulator::ManualClock;
use eset_protect::params::{OnDemandScan, on_demand_scan::ScanProfile};
use eset_protect::wkt::Any;

use super::stage::{Stage, ensure, other};
use crate::failure::Failure;

const DEVICE: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40101";
/// A member that a newer ESET might add. A 64-bit float cannot represent the number.
const ADDED: (&str, &str) =
    ("scanBudget", r#"{"files":12345678901234567890,"pauseOnBattery":true}"#);

/// Creates the task, reads it back and shows its params in three forms.
pub async fn create_and_read(stage: &mut Stage, client: &Client) -> Result<DeviceTask, Failure> {
    stage.step("A device task: DeviceTasks/CreateTask and GetTask. Its params, three ways")?;
    let scan = OnDemandScan {
        scan_profile: Some(ScanProfile::InDepth.into()),
        scan_targets: vec!["eset://AllTargets".to_owned()],
        cleaning_enabled: Some(true),
        ..OnDemandScan::default()
    };
    let task = create(client, "Scan the till", Action::on_demand_scan(scan.clone())).await?;
    stage.fact("name", &task.display_name)?;
    stage.fact("action", "OnDemandScan, with its params as a typed message")?;
    stage.fact("on", &format!("device {DEVICE}"))?;
    stage.fact("uuid", &task.uuid)?;
    let unpacked: OnDemandScan = stage.forms(&params(&task))?;
    ensure(unpacked == scan, "the params come back as they were sent")?;
    Ok(task)
}

/// Sends a member that the type does not have from JSON over gRPC to JSON.
pub async fn survive(stage: &mut Stage, client: &Client, task: &DeviceTask) -> Result<(), Failure> {
    stage.step("A newer ESET adds a member that these protos do not have")?;
    let (name, value) = ADDED;
    let old = serde_json::to_string(&params(task)).map_err(other)?;
    let sent = format!("{},\"{name}\":{value}}}", old.trim_end_matches('}'));
    stage.fact("added", &format!("\"{name}\": {value}"))?;
    let any: Any = serde_json::from_str(&sent).map_err(other)?;
    let action = Action { name: "OnDemandScan".to_owned(), params: Some(any) };
    let task = create(client, "Scan the till, as a newer ESET would", action).await?;
    let params = params(&task);
    ensure(params.unpack::<OnDemandScan>().is_ok(), "params with an unknown member still unpack")?;
    ensure(
        serde_json::to_string(&params).map_err(other)? == sent,
        "the JSON comes back with the unknown member",
    )?;
    let style = stage.output.style;
    stage.fact("wire", &format!("is part of the same Any, now {} bytes", params.value.len()))?;
    stage.fact("typed", "still unpacks as OnDemandScan")?;
    stage.fact(
        "JSON",
        &style.green("JSON \u{2192} gRPC \u{2192} JSON gives the same text, the number exact"),
    )
}

/// Shows the runs of the task while time passes.
pub async fn progress(
    stage: &mut Stage,
    client: &Client,
    clock: &ManualClock,
    uuid: &str,
) -> Result<(), Failure> {
    stage.step("The task runs: DeviceTasks/ListTaskRuns, while the clock moves")?;
    let style = stage.output.style;
    let mut passed = 0;
    for (seconds, expected) in
        [(0, TaskRunStatus::Queued), (10, TaskRunStatus::Running), (60, TaskRunStatus::Finished)]
    {
        clock.advance(Duration::from_secs(seconds));
        passed += seconds;
        let request = ListTaskRunsRequest { task_uuid: uuid.to_owned(), ..Default::default() };
        let runs = client.device_tasks().list_task_runs(request).await?.task_runs;
        let [run] = runs.as_slice() else {
            return Err(Failure::Other(format!("expected one run, found {}", runs.len())));
        };
        ensure(run.status() == expected, "the run goes on with the time")?;
        let status = match expected {
            TaskRunStatus::Queued => style.yellow("QUEUED"),
            TaskRunStatus::Running => style.cyan("RUNNING"),
            _ => style.green("FINISHED"),
        };
        stage.fact(&format!("{:02}:{:02}", passed / 60, passed % 60), &status)?;
    }
    Ok(())
}

/// Creates a task and reads it back.
async fn create(client: &Client, name: &str, action: Action) -> Result<DeviceTask, Failure> {
    let task = DeviceTask {
        display_name: name.to_owned(),
        action: Some(action),
        targets: Some(DeviceTaskTargets::devices([DEVICE])),
        triggers: vec![Trigger::manual(None)],
        ..DeviceTask::default()
    };
    let created = client.device_tasks().create_task(task).await?;
    Ok(client.device_tasks().get_task(created.uuid).await?)
}

fn params(task: &DeviceTask) -> Any {
    task.action.as_ref().and_then(|action| action.params.clone()).unwrap_or_default()
}

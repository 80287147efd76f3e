//! The task to get, and a hand-written serde model of it.

use eset_protect::automation::v1::{
    Action as TaskAction, DeviceTask, DeviceTaskTargets, Trigger as TaskTrigger,
};
use eset_protect::params::OnDemandScan;
use serde::Deserialize;

pub fn task() -> DeviceTask {
    DeviceTask {
        display_name: "Scan".into(),
        action: Some(TaskAction::on_demand_scan(OnDemandScan {
            scan_targets: vec!["eset://AllTargets".into()],
            cleaning_enabled: Some(true),
            ..Default::default()
        })),
        targets: Some(DeviceTaskTargets::devices(["123e4567-e89b-12d3-a456-426614174000"])),
        triggers: vec![TaskTrigger::manual(None)],
        ..Default::default()
    }
}

#[derive(Deserialize)]
pub struct Answer {
    pub task: Task,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct Task {
    pub uuid: String,
    pub version_id: String,
    pub display_name: String,
    #[serde(default)]
    pub description: String,
    pub action: Action,
    pub targets: Targets,
    pub triggers: Vec<Trigger>,
    pub source: String,
    #[serde(default)]
    pub asset_group_uuid: String,
    pub create_time: String,
    pub update_time: String,
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct Action {
    pub name: String,
    pub params: Params,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct Params {
    #[serde(rename = "@type")]
    pub type_url: String,
    #[serde(default)]
    pub scan_targets: Vec<String>,
    pub cleaning_enabled: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct Targets {
    pub devices_uuids: Vec<String>,
    #[serde(default)]
    pub device_groups_uuids: Vec<String>,
}

#[derive(Deserialize)]
#[allow(dead_code)]
pub struct Trigger {
    pub manual: Manual,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
#[allow(dead_code)]
pub struct Manual {
    pub create_time: String,
    pub expire_time: String,
}

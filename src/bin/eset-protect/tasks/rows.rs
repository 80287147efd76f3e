//! Tasks and runs for people.

use crate::details::Details;
use crate::table::{Lines, Row};
use crate::text::{any_line, any_lines, count, time};
use eset_protect::automation::v1::{
    DeviceTask, DeviceTaskRun, DeviceTaskSource, DeviceTaskTargets, TaskRunStatus, trigger::Kind,
};

impl Row for DeviceTask {
    const HEADERS: &'static [&'static str] = &["UUID", "NAME", "ACTION", "TARGETS", "CREATED"];

    fn cells(&self, brief: bool) -> Vec<String> {
        let action = self.action.as_ref().map(|action| action.name.clone());
        vec![
            self.uuid.clone(),
            self.display_name.clone(),
            action.unwrap_or_default(),
            self.targets.as_ref().map(targets).unwrap_or_default(),
            time(self.create_time, brief),
        ]
    }
}

impl Row for DeviceTaskRun {
    const HEADERS: &'static [&'static str] =
        &["STATUS", "DEVICE", "STARTED", "ENDED", "RESULT", "UUID"];

    fn cells(&self, brief: bool) -> Vec<String> {
        vec![
            status(self.status),
            self.device_uuid.clone(),
            time(self.start_time, brief),
            time(self.end_time, brief),
            self.result.as_ref().map(any_line).unwrap_or_default(),
            self.uuid.clone(),
        ]
    }
}

/// `QUEUED`, or the number of a status that is newer than this command.
pub fn status(number: i32) -> String {
    match TaskRunStatus::try_from(number) {
        Ok(status) => status.as_str_name().trim_start_matches("TASK_RUN_STATUS_").to_owned(),
        Err(_) => number.to_string(),
    }
}

fn targets(targets: &DeviceTaskTargets) -> String {
    let (devices, groups) = (targets.devices_uuids.len(), targets.device_groups_uuids.len());
    let parts = [(devices, "device"), (groups, "group")];
    let parts = parts.iter().filter(|(number, _)| *number > 0);
    parts.map(|(number, what)| count(*number, what)).collect::<Vec<_>>().join(", ")
}

impl Details for DeviceTask {
    const NAME: &'static str = "task";

    fn uuid(&self) -> &str {
        &self.uuid
    }

    fn fields(&self) -> Vec<(&'static str, Lines)> {
        let task = self;
        let source = match DeviceTaskSource::try_from(task.source) {
            Ok(DeviceTaskSource::Unspecified) => String::new(),
            Ok(source) => source.as_str_name().trim_start_matches("DEVICE_TASK_SOURCE_").to_owned(),
            Err(_) => task.source.to_string(),
        };
        let targets = task.targets.clone().unwrap_or_default();
        let triggers: Vec<String> = task
            .triggers
            .iter()
            .map(|trigger| match &trigger.kind {
                Some(Kind::Manual(manual)) => match manual.expire_time {
                    Some(expire) => format!("as soon as possible, not after {expire}"),
                    None => "as soon as possible".to_owned(),
                },
                None => "of another kind".to_owned(),
            })
            .collect();
        let version = (task.version_id > 0).then(|| task.version_id.to_string());
        let action = task.action.clone().unwrap_or_default();
        vec![
            ("uuid", task.uuid.clone().into()),
            ("version", version.unwrap_or_default().into()),
            ("name", task.display_name.clone().into()),
            ("description", task.description.clone().into()),
            ("action", action.name.into()),
            ("params", action.params.as_ref().map(any_lines).unwrap_or_default().into()),
            ("devices", targets.devices_uuids.into()),
            ("groups", targets.device_groups_uuids.into()),
            ("triggers", triggers.into()),
            ("source", source.into()),
            ("asset group", task.asset_group_uuid.clone().into()),
            ("created", time(task.create_time, false).into()),
            ("updated", time(task.update_time, false).into()),
        ]
    }
}

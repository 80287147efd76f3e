//! `eset-protect tasks set-targets` and `set-triggers`.

use clap::Args;
use eset_protect::automation::v1::{Trigger, UpdateTaskTargetsRequest, UpdateTaskTriggersRequest};
use eset_protect::rpc::device_tasks::{UpdateTaskTargets, UpdateTaskTriggers};
use eset_protect::wkt::Timestamp;

use super::create::{parse_time, targets};
use crate::check::Flags;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::response;
use crate::safety::DryRun;

/// The arguments that set fields.
const FLAGS: Flags<'_> = &[
    ("task_uuid", "TASK"),
    ("targets.devices_uuids", "--device"),
    ("targets.device_groups_uuids", "--group"),
    ("triggers", "--expires"),
];

/// Replace the devices and groups of a task
#[derive(Args, Debug)]
pub struct SetTargets {
    /// The task's UUID
    task: String,
    /// A device to run it on, by name or UUID; may be repeated
    #[arg(long)]
    device: Vec<String>,
    /// A group of devices to run it on; may be repeated
    #[arg(long, value_name = "UUID")]
    group: Vec<String>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl SetTargets {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let targets = targets(self.device, self.group)?;
        let done = format!("Replaced the targets of the task {}.", self.task);
        let request = UpdateTaskTargetsRequest { task_uuid: self.task, targets: Some(targets) };
        response::run::<UpdateTaskTargets>(connection, &request, FLAGS, &done, self.dry_run)
    }
}

/// Replace the triggers of a task with one that runs it as soon as possible, even if it already ran
#[derive(Args, Debug)]
pub struct SetTriggers {
    /// The task's UUID
    task: String,
    /// The time after which it must not start, such as 2030-01-01T00:00:00Z; the service's default if omitted
    #[arg(long, value_name = "RFC3339", value_parser = parse_time)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    dry_run: DryRun,
}

impl SetTriggers {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        let done = format!("Replaced the triggers of the task {}.", self.task);
        let request = UpdateTaskTriggersRequest {
            task_uuid: self.task,
            triggers: vec![Trigger::manual(self.expires)],
        };
        response::run::<UpdateTaskTriggers>(connection, &request, FLAGS, &done, self.dry_run)
    }
}

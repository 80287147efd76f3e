//! `eset-protect tasks`.

mod create;
mod update;
mod wait;

use clap::{Args, Subcommand};
use eset_protect::automation::v1::{ListTaskRunsRequest, ListTasksRequest};
use eset_protect::rpc::device_tasks::{DeleteTask, GetTask, ListTaskRuns, ListTasks};

use crate::check::Flags;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::listing::{self, Paging};
use crate::uuids::Uuids;

/// Tasks on devices, and their runs
///
/// With `--output json`, `get` and `create` print the answer, `{"task": {…}}`, and lists print one
/// task or run a line: ProtoJSON in both cases, with defaults such as `false` and `""`. What `get` and
/// `list` print is what `create --file` reads. `wait` prints a line for each run, when it has ended.
/// `get`, `delete` and `create --file` take many: each answer is a line then, in the order of what was
/// given.
#[derive(Args, Debug)]
pub struct Tasks {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List all tasks
    List(Paging),
    /// Show a task, or many
    Get(Uuids),
    Create(Box<create::Create>),
    /// Delete a task, or many; their runs remain
    Delete(Uuids),
    SetTargets(update::SetTargets),
    SetTriggers(update::SetTriggers),
    Wait(wait::Wait),
    /// List the runs of a task, also of a deleted one
    Runs {
        /// The task's uuid
        task: String,
        /// Only runs on this device
        #[arg(long, value_name = "UUID")]
        device: Option<String>,
        /// Only the last run on each device
        #[arg(long)]
        last: bool,
        #[command(flatten)]
        paging: Paging,
    },
}

impl Tasks {
    pub fn run(self) -> Result<(), Failure> {
        let Self { connection, command } = self;
        match command {
            Command::Get(uuids) => uuids.call::<GetTask>(connection, "", "shown"),
            Command::Delete(uuids) => {
                uuids.call::<DeleteTask>(connection, "Deleted the task", "deleted")
            }
            Command::Create(create) => create.run(connection),
            Command::SetTargets(set) => set.run(connection),
            Command::SetTriggers(set) => set.run(connection),
            Command::Wait(wait) => {
                wait.check()?;
                connection.run(async |client, format| wait.run(&client, format).await)
            }
            Command::List(paging) => {
                let request =
                    ListTasksRequest { page_size: paging.page_size, ..Default::default() };
                listing::run::<ListTasks>(connection, &request, FLAGS, paging.limit)
            }
            Command::Runs { task, device, last, paging } => {
                let request = ListTaskRunsRequest {
                    task_uuid: task,
                    device_uuid: device.unwrap_or_default(),
                    list_only_last_runs: last,
                    page_size: paging.page_size,
                    ..Default::default()
                };
                listing::run::<ListTaskRuns>(connection, &request, FLAGS, paging.limit)
            }
        }
    }
}

/// The arguments that set fields of a list's request.
const FLAGS: Flags<'_> = &[("task_uuid", "TASK"), ("device_uuid", "--device")];

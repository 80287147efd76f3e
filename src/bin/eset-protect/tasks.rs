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
/// With `--output json`, `get` and `create` print the response, `{"task": {…}}`, and lists print one task or
/// run per line: ProtoJSON in both cases, including defaults such as `false` and `""`. `create --file` reads
/// the output of `get` and `list`. `wait` prints a line for each run when it has ended. `get`, `delete` and
/// `create --file` accept several; each response is then a line, in the order of the input.
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
    /// Show one or several tasks
    Get(Uuids),
    Create(Box<create::Create>),
    /// Delete one or several tasks; their runs remain
    Delete(Uuids),
    SetTargets(update::SetTargets),
    SetTriggers(update::SetTriggers),
    Wait(wait::Wait),
    /// List the runs of a task, even of a deleted one
    Runs {
        /// The task's UUID
        task: String,
        /// Only runs on this device
        #[arg(long, value_name = "UUID")]
        device: Option<String>,
        /// Only the latest run on each device
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

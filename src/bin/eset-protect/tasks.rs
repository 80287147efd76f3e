//! `eset-protect tasks`.

mod create;
mod rows;
mod update;
mod wait;

use clap::{Args, Subcommand};
use eset_protect::Client;
use eset_protect::automation::v1::{ListTaskRunsRequest, ListTasksRequest};

use crate::connection::Connection;
use crate::failure::Failure;
use crate::listing::{self, Paging};
use crate::output::{Format, Output};

/// Tasks on devices, and their runs
///
/// With `--output json`, `get` and `create` print the answer, `{"task": {…}}`, and lists print one
/// task or run a line: ProtoJSON in both cases. What `get` prints is what `create --file` reads. `wait`
/// prints a line for each run, when it has ended.
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
    /// Show a task
    Get {
        /// The task's uuid
        task: String,
    },
    Create(Box<create::Create>),
    /// Delete a task; its runs remain
    Delete {
        /// The task's uuid
        task: String,
    },
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
        match self.command {
            Command::Create(create) => {
                // A wrong flag is told before anything is connected.
                let how = create.how()?;
                let request = create.request()?;
                self.connection
                    .run(async |client, format| how.create(client, format, request).await)
            }
            Command::SetTargets(set) => {
                let request = set.request()?;
                self.connection
                    .run(async |client, format| update::set_targets(client, format, request).await)
            }
            Command::Wait(wait) => {
                self.connection.run(async |client, format| wait.run(&client, format).await)
            }
            command => {
                self.connection.run(async |client, format| call(client, format, command).await)
            }
        }
    }
}

async fn call(client: Client, format: Format, command: Command) -> Result<(), Failure> {
    let tasks = client.device_tasks();
    match command {
        Command::List(Paging { page_size }) => {
            let request = ListTasksRequest { page_size, ..Default::default() };
            listing::print(tasks.list_tasks(request), format, "task").await
        }
        Command::Get { task } => {
            let response = tasks.get_task(task).await?;
            rows::print_task(format, &response, response.task.as_ref())
        }
        Command::Delete { task } => {
            let response = tasks.delete_task(&*task).await?;
            Output::print_done(format, &response, &format!("Deleted the task {task}."))
        }
        Command::Runs { task, device, last, paging } => {
            let request = ListTaskRunsRequest {
                task_uuid: task,
                device_uuid: device.unwrap_or_default(),
                list_only_last_runs: last,
                page_size: paging.page_size,
                ..Default::default()
            };
            listing::print(tasks.list_task_runs(request), format, "run").await
        }
        Command::SetTriggers(set) => update::set_triggers(client, format, set.request()).await,
        // Handled before there is a client.
        Command::Create(_) | Command::SetTargets(_) | Command::Wait(_) => Ok(()),
    }
}

//! `eset-protect tasks create`: from flags, or from a file.

use std::path::PathBuf;
use std::time::SystemTime;

use clap::Args;
use eset_protect::automation::v1::{
    Action, CreateTaskRequest, CreateTaskResponse, DeviceTask, DeviceTaskTargets, Trigger,
};
use eset_protect::check::{Check, ProblemKind};
use eset_protect::rpc::device_tasks::CreateTask;
use eset_protect::wkt::Timestamp;
use eset_protect::{Client, Guarded};

use super::wait::{self, WaitOptions};
use crate::action::{self, Params};
use crate::bulk::{self, BulkOptions};
use crate::calls::{self, to_json};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::input::{Requests, read_requests};
use crate::method::Method;
use crate::output::Format;
use crate::request::Request;
use crate::response;
use crate::say::say;
use crate::text::count;

/// Create a task from flags, or one or several from a file
///
/// All requests are checked before the first call. If one contains a mistake, or a name that this version
/// does not know without --allow-unknown, nothing is sent.
#[derive(Args, Debug)]
#[command(after_help = "\
Examples:
  eset-protect tasks create --name Scan --action OnDemandScan --scan-profile InDepth --device UUID
  eset-protect tasks create --name Update --action SystemUpdate \\
      --params '{\"allowReboot\": true, \"rebootActions\": {\"postpone\": \"OneHour\"}}' --group UUID
  eset-protect tasks get UUID --output json | eset-protect tasks create --file -
  eset-protect tasks list --output json | jq -c 'select(.displayName == \"Scan\")' |
      eset-protect tasks create --file -
  eset-protect tasks create --file tasks.ndjson --failed again.ndjson
  eset-protect tasks create --name Isolate --action StartNetworkIsolation --device UUID \\
      --guarded --wait --wait-timeout 10m")]
pub struct Create {
    /// The request in ProtoJSON: {"task": {…}}, or a task as printed by `list`, or several of them, in
    /// sequence (such as one per line) or in an array; `-` reads standard input
    ///
    /// At most 64 MiB, in UTF-8 or UTF-16. Fields that the server sets (uuid, versionId, source, times) are
    /// ignored. If one is invalid, none is created.
    #[arg(long, value_name = "FILE", conflicts_with_all = [
        "name", "description", "action", "device", "group", "expires", "Params",
    ])]
    file: Option<PathBuf>,
    /// A human-readable name
    #[arg(long, required_unless_present = "file", allow_hyphen_values = true)]
    name: Option<String>,
    /// Free text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,
    /// The action; --help lists the known ones
    #[arg(long, required_unless_present = "file", long_help = action::help())]
    action: Option<String>,
    /// A device to run it on; may be repeated
    #[arg(long, value_name = "UUID")]
    device: Vec<String>,
    /// A group of devices to run it on; may be repeated
    #[arg(long, value_name = "UUID")]
    group: Vec<String>,
    /// The time after which it must not start, such as 2030-01-01T00:00:00Z; the service's default if omitted
    #[arg(long, value_name = "RFC3339", value_parser = parse_time)]
    expires: Option<Timestamp>,
    /// If the response is lost, look for the task before creating it again; at most three attempts
    ///
    /// --timeout applies to each create. After a broken connection it looks for half a minute before it
    /// creates again, so the total may take two minutes longer.
    #[arg(long)]
    guarded: bool,
    /// Wait until the task is done on all of its devices; see `tasks wait`
    #[arg(long)]
    wait: bool,
    #[command(flatten)]
    wait_options: WaitOptions,
    #[command(flatten)]
    params: Params,
    #[command(flatten)]
    check: CheckOptions,
    #[command(flatten)]
    options: BulkOptions,
}

pub(super) fn parse_time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("expected a time such as 2030-01-01T00:00:00Z: {error}"))
}

/// The flags that set fields.
const FLAGS: [(&str, &str); 9] = [
    ("task.display_name", "--name"),
    ("task.action.name", "--action"),
    ("task.action.params.commandLine", "--command-line"),
    ("task.action.params.currentDirectory", "--directory"),
    ("task.action.params", "--params"),
    ("task.targets.devices_uuids", "--device"),
    ("task.targets.device_groups_uuids", "--group"),
    ("task.targets", "--device, --group"),
    ("task.triggers", "--expires"),
];

/// The same where --params sets all params.
const JSON_FLAGS: [(&str, &str); 9] = {
    let mut flags = FLAGS;
    flags[2] = flags[4];
    flags[3] = flags[4];
    flags
};

/// How to create the task, and what to do afterwards.
#[derive(Clone, Debug)]
struct How {
    guarded: bool,
    wait: Option<WaitOptions>,
}

impl How {
    /// Refuses options that only work for a single task.
    fn refuse_many(&self, number: usize) -> Result<(), Failure> {
        let flags = [("--guarded", self.guarded), ("--wait", self.wait.is_some())];
        match flags.into_iter().find(|(_, given)| *given) {
            Some((flag, _)) => Err(Failure::Input(format!(
                "{flag}: it is for one request, without --failed; found {}",
                count(number, "request")
            ))),
            None => Ok(()),
        }
    }

    async fn create(
        self,
        client: Client,
        format: Format,
        method: &Method,
        request: &str,
    ) -> Result<(), Failure> {
        let response = if self.guarded {
            let request: CreateTaskRequest = serde_json::from_str(request)
                .map_err(|error| Failure::Input(format!("the request: {error}")))?;
            let guarded = client.device_tasks().create_task_guarded(request).await?;
            if let Guarded::Found(task) = &guarded {
                say(&format!(
                    "The response was lost; the task was found as {} and not created again.",
                    task.uuid
                ));
            }
            to_json(&CreateTaskResponse::from(guarded.into_task()))?
        } else {
            calls::call(&client, method, request).await?
        };
        response::print(format, method, &response, "")?;
        match (self.wait, response::created(method, &response)) {
            (Some(options), Some(uuid)) => wait::wait(&client, format, &uuid, &options).await,
            (Some(_), None) => {
                Err(Failure::Other("--wait: the response contains no task to wait for".to_owned()))
            }
            (None, _) => Ok(()),
        }
    }
}

impl Create {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        // Errors are reported before connecting.
        let how = self.how()?;
        let (options, file) = (self.options.clone(), self.file.clone());
        options.check(file.is_some())?;
        let method = Method::of::<CreateTask>()?;
        match self.requests(&method)? {
            Requests::One(request) => connection.run(async |client, format| {
                how.create(client, format, &method, &request.json).await
            }),
            Requests::Many(requests) => {
                how.refuse_many(requests.len())?;
                let settings = options.settings(file.as_deref())?;
                bulk::requests(connection, method, settings, requests, "created")
            }
        }
    }

    fn how(&self) -> Result<How, Failure> {
        if !self.wait
            && let Some(flag) = self.wait_options.given()
        {
            return Err(Failure::Input(format!("{flag}: expected --wait beside it")));
        }
        let wait = self.wait.then(|| self.wait_options.clone());
        Ok(How { guarded: self.guarded, wait })
    }

    fn requests(self, method: &Method) -> Result<Requests, Failure> {
        match &self.file {
            Some(path) => {
                let requests = read_requests(method, path)?.many_if(self.options.has_failed_file());
                self.check.all(&format!("--file {}", path.display()), &requests)?;
                Ok(requests)
            }
            None => {
                let (check, is_json) = (self.check, self.params.is_json());
                let request = Request::new(method, &CreateTaskRequest::from(self.task()?))?;
                check.flags(&request, if is_json { &JSON_FLAGS } else { &FLAGS })?;
                Ok(Requests::One(request))
            }
        }
    }

    fn task(self) -> Result<DeviceTask, Failure> {
        if self.device.is_empty() && self.group.is_empty() {
            return Err(Failure::Input(
                "--device, --group: expected at least one device or group".to_owned(),
            ));
        }
        let name = self.action.unwrap_or_default();
        // Reports a misspelled action before its missing params.
        let misspelled = DeviceTask { action: Some(Action::new(&*name)), ..DeviceTask::default() };
        if let Err(problems) = misspelled.check(SystemTime::now())
            && let Some(problem) = problems.iter().find(|problem| problem.field == "action.name")
            && !self.check.allows_unknown()
        {
            let lines = vec![format!("--action: {}", problem.description())];
            return Err(Failure::Check { lines, can_allow: problem.kind == ProblemKind::Unknown });
        }
        Ok(DeviceTask {
            display_name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            action: Some(self.params.action(name)?),
            targets: Some(DeviceTaskTargets {
                devices_uuids: self.device,
                device_groups_uuids: self.group,
            }),
            triggers: vec![Trigger::manual(self.expires)],
            ..DeviceTask::default()
        })
    }
}

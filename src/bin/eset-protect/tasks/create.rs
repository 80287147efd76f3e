//! `eset-protect tasks create`: from flags, or from a file.

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
use crate::calls::{self, to_json};
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::creation::Creation;
use crate::devices;
use crate::dry_run;
use crate::failure::Failure;
use crate::input::Requests;
use crate::method::Method;
use crate::output::View;
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
    #[command(flatten)]
    creation: Creation,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    params: Params,
    #[command(flatten)]
    options: CreateArgs,
}

/// The fields of the task.
#[derive(Args, Debug)]
#[group(conflicts_with = "file")]
struct Fields {
    /// A human-readable name
    #[arg(long, required_unless_present = "file", allow_hyphen_values = true)]
    name: Option<String>,
    /// Free text
    #[arg(long, value_name = "TEXT", allow_hyphen_values = true)]
    description: Option<String>,
    /// The action; --help lists the known ones
    #[arg(long, required_unless_present = "file", long_help = action::help())]
    action: Option<String>,
    /// A device to run it on, by name or UUID; may be repeated
    #[arg(long)]
    device: Vec<String>,
    /// A group of devices to run it on; may be repeated
    #[arg(long, value_name = "UUID")]
    group: Vec<String>,
    /// The time after which it must not start, such as 2030-01-01T00:00:00Z; the service's default if omitted
    #[arg(long, value_name = "RFC3339", value_parser = parse_time)]
    expires: Option<Timestamp>,
}

pub fn parse_time(text: &str) -> Result<Timestamp, String> {
    text.parse().map_err(|error| format!("expected a time such as 2030-01-01T00:00:00Z: {error}"))
}

/// Returns the targets that --device and --group name.
pub(super) fn targets(
    devices_uuids: Vec<String>,
    device_groups_uuids: Vec<String>,
) -> Result<DeviceTaskTargets, Failure> {
    if devices_uuids.is_empty() && device_groups_uuids.is_empty() {
        let expected = "--device, --group: expected at least one device or group";
        return Err(Failure::Input(expected.to_owned()));
    }
    Ok(DeviceTaskTargets { devices_uuids, device_groups_uuids })
}

/// The prefix of the fields of params.
const PARAMS: &str = "task.action.params.";

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

/// The flags of everything that creates one task.
#[derive(Args, Debug)]
pub struct CreateArgs {
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
}

impl CreateArgs {
    /// Refuses flags of waiting without --wait.
    pub fn checked(&self) -> Result<CreateOptions, Failure> {
        let wait = self.wait_options.when(self.wait)?;
        Ok(CreateOptions { guarded: self.guarded, wait })
    }
}

/// How to create the task, and what to do afterwards.
#[derive(Clone, Debug)]
pub struct CreateOptions {
    guarded: bool,
    wait: Option<WaitOptions>,
}

impl CreateOptions {
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

    pub async fn create(
        self,
        client: &Client,
        view: &View,
        method: &Method,
        request: &str,
    ) -> Result<(), Failure> {
        if view.safety.dry_run.dry_run {
            return dry_run::print(view, method, request);
        }
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
            calls::call(client, method, request).await?
        };
        response::print(view, method, &response, "")?;
        match (self.wait, response::created(method, &response)) {
            (Some(options), Some(uuid)) => wait::wait(client, view, &uuid, &options).await,
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
        let options = self.options.checked()?;
        let Self { creation, fields, params, .. } = self;
        let method = Method::of::<CreateTask>()?;
        let requests = creation.requests(&method, || {
            // --params sets all of them.
            let is_json = params.is_json();
            let is_used = |flag: &&(&str, &str)| !(is_json && flag.0.starts_with(PARAMS));
            let flags: Vec<_> = FLAGS.iter().filter(is_used).copied().collect();
            let task = fields.task(params, creation.check)?;
            let request = Request::new(&method, &CreateTaskRequest::from(task))?;
            devices::check(&method, &request, creation.check, &flags)?;
            Ok(request)
        })?;
        match requests {
            Requests::One(mut request) => {
                connection.safely(creation.dry_run.into()).run(async |client, view| {
                    devices::resolve_in(&client, &method, vec![&mut request.json]).await?;
                    options.create(&client, view, &method, &request.json).await
                })
            }
            Requests::Many(requests) => {
                options.refuse_many(requests.len())?;
                creation.run_many(connection, method, requests)
            }
        }
    }
}

impl Fields {
    fn task(self, params: Params, check: CheckOptions) -> Result<DeviceTask, Failure> {
        let targets = targets(self.device, self.group)?;
        let name = self.action.unwrap_or_default();
        // Reports a misspelled action before its missing params.
        let misspelled = DeviceTask { action: Some(Action::new(&*name)), ..DeviceTask::default() };
        if let Err(problems) = misspelled.check(SystemTime::now())
            && let Some(problem) = problems.iter().find(|problem| problem.field == "action.name")
            && !check.allows_unknown()
        {
            let lines = vec![format!("--action: {}", problem.description())];
            return Err(Failure::Check { lines, can_allow: problem.kind == ProblemKind::Unknown });
        }
        Ok(DeviceTask {
            display_name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            action: Some(params.action(name)?),
            targets: Some(targets),
            triggers: vec![Trigger::manual(self.expires)],
            ..DeviceTask::default()
        })
    }
}

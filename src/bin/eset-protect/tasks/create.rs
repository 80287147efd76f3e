//! `eset-protect tasks create`: from flags, or from a file.

use clap::{Arg, ArgMatches, Args, Command};
use eset_protect::automation::v1::{
    CreateTaskRequest, CreateTaskResponse, DeviceTask, DeviceTaskTargets, Trigger,
};
use eset_protect::params::{ACTIONS, KnownAction};
use eset_protect::rpc::device_tasks::CreateTask;
use eset_protect::wkt::Timestamp;
use eset_protect::{Client, Guarded};

use super::wait::{self, WaitOptions};
use crate::action;
use crate::calls::{self, to_json};
use crate::candidates::actions;
use crate::check::CheckOptions;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::creation::Creation;
use crate::dry_run;
use crate::failure::Failure;
use crate::flags::{Flag, Matches, parse_time};
use crate::method::Method;
use crate::output::View;
use crate::request::Request;
use crate::response;
use crate::say::say;

/// Create a task from flags, or one or several from a file
///
/// All requests are checked before the first call. If one contains a mistake, or a name that this version
/// does not know without --allow-unknown, nothing is sent.
#[derive(Args, Debug)]
#[command(
    defer(with_params),
    after_help = "\
Examples:
  eset-protect tasks create --name Scan --action OnDemandScan --scan-profile InDepth --device UUID
  eset-protect tasks create --name Update --action SystemUpdate --allow-reboot --postpone OneHour \\
      --group UUID
  eset-protect tasks get UUID --output json | eset-protect tasks create --file -
  eset-protect tasks list --output json | jq -c 'select(.displayName == \"Scan\")' |
      eset-protect tasks create --file -
  eset-protect tasks create --file tasks.ndjson --failed again.ndjson
  eset-protect tasks create --name Isolate --action StartNetworkIsolation --device UUID \\
      --guarded --wait --wait-timeout 10m"
)]
pub struct Create {
    #[command(flatten)]
    creation: Creation,
    #[command(flatten)]
    fields: Fields,
    #[command(flatten)]
    options: CreateArgs,
    #[command(flatten)]
    matches: Matches,
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
    #[arg(long, required_unless_present = "file", long_help = action::help(), add = actions())]
    action: Option<String>,
    /// The params in ProtoJSON, instead of flags; `@type` may be omitted for the known actions
    #[arg(long, value_name = "JSON", help_heading = action::HEADING)]
    params: Option<String>,
    /// A device to run it on, by name or UUID; may be repeated
    #[arg(long, add = listed("devices", By::NameOrUuid))]
    device: Vec<String>,
    /// A group of devices to run it on; may be repeated
    #[arg(long, value_name = "UUID", add = listed("groups", By::Uuid))]
    group: Vec<String>,
    /// The time after which it must not start, such as 2030-01-01T00:00:00Z; the service's default if omitted
    #[arg(long, value_name = "RFC3339", value_parser = parse_time)]
    expires: Option<Timestamp>,
}

/// The flags that set other fields than params.
const FIELDS: &[(&str, &str)] = &[
    ("task.display_name", "--name"),
    ("task.action.name", "--action"),
    ("task.targets.devices_uuids", "--device"),
    ("task.targets.device_groups_uuids", "--group"),
    ("task.triggers[0].manual.expire_time", "--expires"),
];

/// Returns the flags for the params of each known action.
fn params() -> impl Iterator<Item = (&'static str, Vec<Flag>)> {
    let others = Connection::augment_args(Create::augment_args(Command::new("")));
    ACTIONS.iter().map(KnownAction::name).map(move |name| (name, action::flags(name, &others)))
}

/// Adds the flags for params. Actions share those of the same name.
fn with_params(command: Command) -> Command {
    let mut args: Vec<(Arg, Vec<&str>)> = Vec::new();
    for (action, flags) in params() {
        for flag in flags {
            match args.iter_mut().find(|(arg, _)| *arg.get_id() == *flag.id()) {
                Some((_, actions)) => actions.push(action),
                None => args.push((flag.arg(), vec![action])),
            }
        }
    }
    let args = args.into_iter().map(|(arg, actions)| {
        let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
        arg.help(format!("{}: {help}", actions.join(", "))).conflicts_with_all(["file", "params"])
    });
    command.next_help_heading(action::HEADING).args(args)
}

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
    pub fn check(&self) -> Result<(), Failure> {
        if self.wait { Ok(()) } else { self.wait_options.refuse() }
    }

    /// Returns an option that only works for a single task.
    fn only_one(&self) -> Option<&'static str> {
        let flags = [("--guarded", self.guarded), ("--wait", self.wait)];
        flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag)
    }

    pub async fn create(
        self,
        client: &Client,
        view: &View,
        method: &Method,
        request: &str,
    ) -> Result<(), Failure> {
        view.expect_rows_if_sorted()?;
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
        response::print(client, view, method, &response, "").await?;
        match response::created(method, &response) {
            _ if !self.wait => Ok(()),
            Some(uuid) => wait::wait(client, view, &uuid, &self.wait_options).await,
            None => {
                Err(Failure::Other("--wait: the response contains no task to wait for".to_owned()))
            }
        }
    }
}

impl Create {
    pub fn run(self, connection: Connection) -> Result<(), Failure> {
        // Errors are reported before connecting.
        self.options.check()?;
        let Self { creation, fields, options, matches } = self;
        let method = Method::of::<CreateTask>()?;
        let from_flags = |check: CheckOptions| {
            let (task, fields) = fields.task(&matches.0)?;
            let request =
                Request::new(&Method::of::<CreateTask>()?, &CreateTaskRequest::from(task))?;
            check.flags(&request, &fields).map(|()| request)
        };
        let only_one = options.only_one();
        creation.run(
            connection,
            method,
            only_one,
            from_flags,
            async |client, view, method, request| {
                options.create(client, view, method, request).await
            },
        )
    }
}

impl Fields {
    /// Returns the task, and the fields that flags set.
    fn task(self, matches: &ArgMatches) -> Result<(DeviceTask, Vec<(String, String)>), Failure> {
        let name = self.action.unwrap_or_default();
        let (mut flags, mut others) = (Vec::new(), Vec::new());
        for (action, of_action) in params() {
            match action == name {
                true => flags = of_action,
                false => others.extend(of_action.into_iter().map(|flag| (action, flag))),
            }
        }
        let is_own = |flag: &Flag| flags.iter().any(|own| own.id() == flag.id());
        let is_wrong = |flag: &Flag| flag.is_given(matches) && !is_own(flag);
        if let Some((action, flag)) = others.iter().find(|(_, flag)| is_wrong(flag)) {
            let (flag, problem) = (flag.name(), format!("it belongs to the action {action}"));
            return Err(Failure::Input(format!("{flag}: {problem}, but --action is {name:?}")));
        }
        // --params sets all of them.
        let fields = match &self.params {
            None if !flags.is_empty() => action::fields(&flags, FIELDS),
            _ => action::fields(&[], &[FIELDS, &[("task.action.params", "--params")]].concat()),
        };
        let task = DeviceTask {
            display_name: self.name.unwrap_or_default(),
            description: self.description.unwrap_or_default(),
            action: Some(action::new(&name, self.params.as_deref(), &flags, matches)?),
            targets: Some(DeviceTaskTargets {
                devices_uuids: self.device,
                device_groups_uuids: self.group,
            }),
            triggers: vec![Trigger::manual(self.expires)],
            ..DeviceTask::default()
        };
        Ok((task, fields))
    }
}

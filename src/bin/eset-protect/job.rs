//! Jobs on devices by name, such as `eset-protect isolate LAPTOP-01 --wait`.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use clap_complete::engine::ArgValueCandidates;
use eset_protect::automation::v1::{
    Action, CreateTaskRequest, DeviceTask, DeviceTaskTargets, Trigger,
};
use eset_protect::descriptors::pool;
use eset_protect::params::KnownAction;
use eset_protect::rpc::device_tasks::CreateTask;
use eset_protect::wkt::Timestamp;

use crate::check::CheckOptions;
use crate::completions::{By, resources};
use crate::connection::Connection;
use crate::devices;
use crate::failure::Failure;
use crate::flags::{Flag, Names};
use crate::method::Method;
use crate::request::Request;
use crate::safety::DryRun;
use crate::tasks::create::{CreateArgs, parse_time};
use crate::text::count;
use crate::verb;
use crate::wanted::Wanted;

/// A job: a task that runs now.
#[derive(Debug)]
pub struct Job {
    name: &'static str,
    about: &'static str,
    action: &'static str,
    /// The params that make the action this job.
    params: &'static str,
    example: &'static str,
}

const JOBS: &[Job] = &[
    Job {
        name: "isolate",
        about: "Isolate devices from the network; they keep their connection to ESET",
        action: "StartNetworkIsolation",
        params: "{}",
        example: "isolate LAPTOP-01 --wait",
    },
    Job {
        name: "unisolate",
        about: "End the isolation of devices from the network",
        action: "EndNetworkIsolation",
        params: "{}",
        example: "unisolate LAPTOP-01 LAPTOP-02",
    },
    Job {
        name: "scan",
        about: "Scan devices for malware",
        action: "OnDemandScan",
        params: "{}",
        example: "scan LAPTOP-01 --scan-profile InDepth --cleaning-enabled --wait",
    },
    Job {
        name: "shutdown",
        about: "Shut devices down",
        action: "ShutdownComputer",
        params: r#"{"restart":false}"#,
        example: "shutdown LAPTOP-01 --dry-run",
    },
    Job {
        name: "reboot",
        about: "Restart devices",
        action: "ShutdownComputer",
        params: r#"{"restart":true}"#,
        example: "reboot LAPTOP-01 --postpone OneHour",
    },
    Job {
        name: "run",
        about: "Run a command on devices",
        action: "RunCommand",
        params: "{}",
        example: "run LAPTOP-01 --command-line 'ipconfig /all' --wait",
    },
    Job {
        name: "kill",
        about: "End a process on devices",
        action: "KillProcessByPid",
        params: "{}",
        example: "kill LAPTOP-01 --pid 4321 --executable-hash-sha1 HASH",
    },
    Job {
        name: "update",
        about: "Install updates of the operating system on devices",
        action: "SystemUpdate",
        params: "{}",
        example: "update LAPTOP-01 --accept-eula --allow-reboot",
    },
];

/// What every job takes.
#[derive(Args, Debug)]
struct Common {
    /// The devices, by name or UUID
    ///
    /// A name that no device has, or several have, is an error that shows the devices that may be meant.
    /// Names are case-sensitive.
    #[arg(value_name = "DEVICE", required = true)]
    devices: Vec<String>,
    /// The name of the task that does the job; the job and its devices by default
    #[arg(long, value_name = "TEXT")]
    task_name: Option<String>,
    /// The time after which it must not start, such as 2030-01-01T00:00:00Z; the service's default if omitted
    #[arg(long, value_name = "RFC3339", value_parser = parse_time)]
    expires: Option<Timestamp>,
    #[command(flatten)]
    options: CreateArgs,
    #[command(flatten)]
    dry_run: DryRun,
}

impl Job {
    pub fn find(name: &str) -> Option<&'static Self> {
        JOBS.iter().find(|job| job.name == name)
    }

    /// Adds all jobs, with the flags of those that are wanted.
    pub fn declare(command: Command, wanted: &Wanted<'_>) -> Command {
        JOBS.iter().fold(command, |command, job| {
            let added = Command::new(job.name).about(job.about);
            command.subcommand(if wanted.has(job.name) { job.with_flags(added) } else { added })
        })
    }

    fn with_flags(&self, command: Command) -> Command {
        let command = Connection::augment_args(Common::augment_args(command))
            .about(self.about)
            .long_about(None)
            .mut_arg("devices", |arg| {
                arg.add(ArgValueCandidates::new(|| {
                    let list = verb::method("devices", "list");
                    list.map(|list| resources(&list, By::Name)).unwrap_or_default()
                }))
            })
            .after_help(format!("Example:\n  eset-protect {}", self.example));
        let flags = self.flags();
        let args: Vec<_> = flags.iter().map(Flag::arg).collect();
        command.next_help_heading("Params of the action").args(args)
    }

    /// Returns a flag for each of the params that the job leaves open.
    fn flags(&self) -> Vec<Flag> {
        let name = KnownAction::find(self.action).and_then(KnownAction::params_type);
        let Some(params) = name.and_then(|name| pool().get_message_by_name(&name)) else {
            return Vec::new();
        };
        let command = Connection::augment_args(Common::augment_args(Command::new("")));
        let long = command.get_arguments().filter_map(Arg::get_long);
        let taken: Vec<_> = long.chain(["help", "version", "verbose"]).collect();
        let mut flags = Flag::of(&params, Names::Short { arguments: &[] }, &taken);
        flags.retain(|flag| !self.params.contains(&format!("\"{}\":", flag.path())));
        flags
    }

    pub fn run(&self, matches: &ArgMatches) -> Result<(), Failure> {
        let unread = |error: clap::Error| Failure::Other(format!("the arguments: {error}"));
        let connection = Connection::from_arg_matches(matches).map_err(unread)?;
        let common = Common::from_arg_matches(matches).map_err(unread)?;
        let options = common.options.checked()?;
        let flags = self.flags();
        let action = self.action(&flags, matches)?;
        let method = Method::of::<CreateTask>()?;
        // Mistakes are reported before anything is called.
        self.request(&method, &common, &flags, &action, vec![devices::NOBODY.to_owned()])?;
        connection.safely(common.dry_run.into()).run(async |client, view| {
            let devices = devices::resolve(&client, &common.devices).await?;
            let request = self.request(&method, &common, &flags, &action, devices)?;
            options.create(&client, view, &method, &request.json).await
        })
    }

    fn action(&self, flags: &[Flag], matches: &ArgMatches) -> Result<Action, Failure> {
        let Some(name) = KnownAction::find(self.action).and_then(KnownAction::params_type) else {
            return Ok(Action::new(self.action));
        };
        let mut json = self.params.to_owned();
        for flag in flags.iter().filter(|flag| flag.is_given(matches)) {
            json = flag.set(&json, matches).map_err(Failure::Input)?;
        }
        let rest = json.trim_start_matches('{');
        let comma = if rest == "}" { "" } else { "," };
        let json = format!("{{\"@type\":\"type.googleapis.com/{name}\"{comma}{rest}");
        let params =
            serde_json::from_str(&json).map_err(|error| Failure::Input(error.to_string()))?;
        Ok(Action { name: self.action.to_owned(), params: Some(params) })
    }

    fn request(
        &self,
        method: &Method,
        common: &Common,
        flags: &[Flag],
        action: &Action,
        devices: Vec<String>,
    ) -> Result<Request, Failure> {
        let name = common.task_name.clone().unwrap_or_else(|| match &*common.devices {
            [device] => format!("{} {device}", self.name),
            devices => format!("{} {}", self.name, count(devices.len(), "device")),
        });
        let task = DeviceTask {
            display_name: name,
            action: Some(action.clone()),
            targets: Some(DeviceTaskTargets::devices(devices)),
            triggers: vec![Trigger::manual(common.expires)],
            ..DeviceTask::default()
        };
        let request = Request::new(method, &CreateTaskRequest::from(task))?;
        let paths = flags.iter().map(|flag| format!("task.action.params.{}", flag.path()));
        let paths: Vec<_> = paths.zip(flags.iter().map(Flag::name)).collect();
        let mut names: Vec<_> = paths.iter().map(|(path, name)| (&**path, &**name)).collect();
        names.extend([
            ("task.display_name", "--task-name"),
            ("task.triggers", "--expires"),
            ("task.targets", "DEVICE"),
        ]);
        CheckOptions::default().flags(&request, &names)?;
        Ok(request)
    }
}

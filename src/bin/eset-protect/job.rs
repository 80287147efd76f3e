//! Jobs on devices by name, such as `eset-protect isolate LAPTOP-01 --wait`.

use clap::{ArgMatches, Args, Command, FromArgMatches};
use eset_protect::automation::v1::{CreateTaskRequest, DeviceTask, DeviceTaskTargets, Trigger};
use eset_protect::rpc::device_tasks::CreateTask;
use eset_protect::wkt::Timestamp;

use crate::action;
use crate::check::CheckOptions;
use crate::completions::{By, listed};
use crate::connection::Connection;
use crate::devices;
use crate::failure::Failure;
use crate::flags::{Flag, parse_time};
use crate::input::Uuids;
use crate::method::Method;
use crate::request::Request;
use crate::safety::DryRun;
use crate::tasks::create::CreateArgs;
use crate::text::count;
use crate::wanted::Wanted;

/// The other arguments that set fields.
const FIELDS: &[(&str, &str)] = &[
    ("task.display_name", "--task-name"),
    ("task.triggers[0].manual.expire_time", "--expires"),
    ("task.targets.devices_uuids", "DEVICE"),
];
const DEVICES: &str = "The devices, by name or UUID; `-` reads them from standard input";
const NAMES: &str = "A name that no device has, or several have, is an error that shows the devices that may be meant. \
     Names are case-sensitive.";

/// A job: a task that runs now.
#[derive(Debug)]
pub struct Job {
    name: &'static str,
    about: &'static str,
    action: &'static str,
    /// The params that make the action this job, if it has any.
    params: Option<&'static str>,
    example: &'static str,
}

const JOBS: &[Job] = &[
    Job {
        name: "isolate",
        about: "Isolate devices from the network; they keep their connection to ESET",
        action: "StartNetworkIsolation",
        params: None,
        example: "isolate LAPTOP-01 --wait",
    },
    Job {
        name: "unisolate",
        about: "End the isolation of devices from the network",
        action: "EndNetworkIsolation",
        params: None,
        example: "unisolate LAPTOP-01 LAPTOP-02",
    },
    Job {
        name: "scan",
        about: "Scan devices for malware",
        action: "OnDemandScan",
        params: None,
        example: "scan LAPTOP-01 --scan-profile InDepth --cleaning-enabled --wait",
    },
    Job {
        name: "shutdown",
        about: "Shut devices down",
        action: "ShutdownComputer",
        params: Some(r#"{"restart":false}"#),
        example: "shutdown LAPTOP-01 --dry-run",
    },
    Job {
        name: "reboot",
        about: "Restart devices",
        action: "ShutdownComputer",
        params: Some(r#"{"restart":true}"#),
        example: "reboot LAPTOP-01 --postpone OneHour",
    },
    Job {
        name: "run",
        about: "Run a command on devices",
        action: "RunCommand",
        params: None,
        example: "run LAPTOP-01 --command-line 'ipconfig /all' --wait",
    },
    Job {
        name: "kill",
        about: "End a process on devices",
        action: "KillProcessByPid",
        params: None,
        example: "kill LAPTOP-01 --pid 4321 --executable-hash-sha1 HASH",
    },
    Job {
        name: "update",
        about: "Install updates of the operating system on devices",
        action: "SystemUpdate",
        params: None,
        example: "update LAPTOP-01 --accept-eula --allow-reboot",
    },
];

/// What every job takes.
#[derive(Args, Debug)]
struct Common {
    #[command(flatten)]
    devices: Uuids,
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
            .mut_arg("uuids", |arg| {
                let arg = arg.value_name("DEVICE").help(DEVICES);
                arg.long_help(format!("{DEVICES}\n\n{NAMES}"))
                    .add(listed("devices", By::NameOrUuid))
            })
            .after_help(format!("Example:\n  eset-protect {}", self.example));
        command.next_help_heading(action::HEADING).args(self.flags().iter().map(Flag::arg))
    }

    /// Returns a flag for each of the params that the job leaves open.
    fn flags(&self) -> Vec<Flag> {
        let others = Connection::augment_args(Common::augment_args(Command::new("")));
        let mut flags = action::flags(self.action, &others);
        let params = self.params.unwrap_or_default();
        flags.retain(|flag| !params.contains(&format!("\"{}\":", flag.path())));
        flags
    }

    pub fn run(&self, matches: &ArgMatches) -> Result<(), Failure> {
        let connection = Connection::from_arg_matches(matches)?;
        let common = Common::from_arg_matches(matches)?;
        common.options.check()?;
        let flags = self.flags();
        let method = Method::of::<CreateTask>()?;
        let devices = common.devices.read(true)?;
        let name = common.task_name.unwrap_or_else(|| match &*devices {
            [device] => format!("{} {device}", self.name),
            devices => format!("{} {}", self.name, count(devices.len(), "device")),
        });
        let task = DeviceTask {
            display_name: name,
            action: Some(action::new(self.action, self.params, &flags, matches)?),
            targets: Some(DeviceTaskTargets::devices(devices)),
            triggers: vec![Trigger::manual(common.expires)],
            ..DeviceTask::default()
        };
        let mut request = Request::new(&method, &CreateTaskRequest::from(task))?;
        let fields = action::fields(&flags, FIELDS);
        CheckOptions::default().flags(&request, &fields)?;
        connection.safely(common.dry_run.into()).run(async |client, view| {
            devices::resolve(&client, &method, vec![&mut request.json]).await?;
            common.options.create(&client, view, &method, &request.json).await
        })
    }
}

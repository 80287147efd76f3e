//! Jobs on devices by name, such as `eset-protect isolate LAPTOP-01 --wait`.

use clap::{Args, Command};

use crate::connection::Connection;
use crate::method::Method;
use crate::operation::Operation;
use crate::tasks::create::NewTask;
use crate::wanted::Wanted;

const JOBS: &[NewTask] = &[
    NewTask {
        name: "isolate",
        about: "Isolate devices from the network; they keep their connection to ESET",
        action: Some("StartNetworkIsolation"),
        params: None,
        examples: "LAPTOP-01 --wait",
    },
    NewTask {
        name: "unisolate",
        about: "End the isolation of devices from the network",
        action: Some("EndNetworkIsolation"),
        params: None,
        examples: "LAPTOP-01 LAPTOP-02",
    },
    NewTask {
        name: "scan",
        about: "Scan devices for malware",
        action: Some("OnDemandScan"),
        params: None,
        examples: "LAPTOP-01 --scan-profile InDepth --cleaning-enabled --wait",
    },
    NewTask {
        name: "shutdown",
        about: "Shut devices down",
        action: Some("ShutdownComputer"),
        params: Some(r#"{"restart":false}"#),
        examples: "LAPTOP-01 --dry-run",
    },
    NewTask {
        name: "reboot",
        about: "Restart devices",
        action: Some("ShutdownComputer"),
        params: Some(r#"{"restart":true}"#),
        examples: "LAPTOP-01 --postpone OneHour",
    },
    NewTask {
        name: "run",
        about: "Run a command on devices",
        action: Some("RunCommand"),
        params: None,
        examples: "LAPTOP-01 --command-line 'ipconfig /all' --wait",
    },
    NewTask {
        name: "kill",
        about: "End a process on devices",
        action: Some("KillProcessByPid"),
        params: None,
        examples: "LAPTOP-01 --pid 4321 --executable-hash-sha1 HASH",
    },
    NewTask {
        name: "update",
        about: "Install updates of the operating system on devices",
        action: Some("SystemUpdate"),
        params: None,
        examples: "LAPTOP-01 --accept-eula --allow-reboot",
    },
];

/// Finds a job.
pub fn find(name: &str) -> Option<Operation> {
    let job = JOBS.iter().find(|job| job.name == name)?;
    Some(Operation::own(Method::of_verb("tasks", "create")?, job))
}

/// Adds all jobs, with the flags of those that are wanted.
pub fn declare(command: Command, wanted: &Wanted<'_>) -> Command {
    JOBS.iter().fold(command, |command, job| {
        let operation = if wanted.has(job.name) { find(job.name) } else { None };
        let added = match operation {
            Some(operation) => Connection::augment_args(operation.command("", job.name)),
            None => Command::new(job.name),
        };
        command.subcommand(added.about(job.about).long_about(None))
    })
}

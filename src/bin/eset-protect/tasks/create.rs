//! Commands that create a task: `eset-protect tasks create`, and jobs such as `eset-protect isolate`.

use clap::{Arg, ArgMatches, Args, Command, FromArgMatches};
use eset_protect::Guarded;
use eset_protect::automation::v1::{CreateTaskRequest, CreateTaskResponse};
use eset_protect::params::{ACTIONS, KnownAction};
use eset_protect::wkt::Timestamp;
use futures_util::FutureExt;
use futures_util::future::LocalBoxFuture;
use serde_json::{Value, json};

use super::wait::{self, WaitOptions};
use crate::action;
use crate::calls::{self, parse, to_json};
use crate::candidates::actions;
use crate::check::CheckOptions;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::flags::{Flag, insert, parse_time, quoted};
use crate::operation::own::{Completed, Own};
use crate::response::{self, Call};
use crate::say::say;
use crate::text::count;

/// What a command creates.
#[derive(Debug)]
pub struct NewTask {
    pub name: &'static str,
    pub about: &'static str,
    /// The action; `None` if the user chooses it.
    pub action: Option<&'static str>,
    /// The params that are the same each time.
    pub params: Option<&'static str>,
    pub examples: &'static str,
}

/// `tasks create`.
pub const CREATE: NewTask = NewTask {
    name: "create",
    about: "Create a task from flags, or one or several from a file",
    action: None,
    params: None,
    examples: "\
Examples:
  eset-protect tasks create --name Scan --action OnDemandScan --scan-profile InDepth --device UUID
  eset-protect tasks create --name Update --action SystemUpdate --allow-reboot --postpone OneHour \\
      --group UUID
  eset-protect tasks get UUID --output json | eset-protect tasks create --file -
  eset-protect tasks list --output json | jq -c 'select(.displayName == \"Scan\")' |
      eset-protect tasks create --file -
  eset-protect tasks create --file tasks.ndjson --failed again.ndjson
  eset-protect tasks create --name Isolate --action StartNetworkIsolation --device UUID \\
      --guarded --wait --wait-timeout 10m",
};

const CHECKED: &str = "All requests are checked before the first call. If one contains a mistake, or a name that this \
     version does not know without --allow-unknown, nothing is sent.";
const DEVICES: &str = "The devices, by name or UUID; `-` reads them from standard input";
const DEVICE_NAMES: &str = "A name that no device has, or several have, is an error that shows the devices that may be meant. \
     Names are case-sensitive.";

/// The options of everything that creates a task.
#[derive(Args, Debug)]
struct Options {
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
}

/// The option of `tasks create` instead of flags for params.
const PARAMS: &str = "params";

impl NewTask {
    /// Returns the flags for the params of each action that it may have.
    fn flags(&self) -> Vec<(&'static str, Vec<Flag>)> {
        let names = self.names().iter().map(|(_, name)| Arg::new(*name).long(*name));
        let others = Command::new("").args(names).arg(Arg::new(PARAMS).long(PARAMS));
        let others = Connection::augment_args(Options::augment_args(others));
        let actions = ACTIONS.iter().map(KnownAction::name);
        let actions = actions.filter(|name| self.action.is_none_or(|own| own == *name));
        let params = self.params.unwrap_or_default();
        let is_open = |flag: &Flag| !params.contains(&format!("\"{}\":", flag.path()));
        let flags = |action| action::flags(action, &others).into_iter().filter(is_open).collect();
        actions.map(|action| (action, flags(action))).collect()
    }

    /// Adds the flags for params. Actions share those of the same name.
    fn with_params(&self, command: Command) -> Command {
        let mut args: Vec<(Arg, Vec<&str>)> = Vec::new();
        for (action, flags) in self.flags() {
            for flag in flags {
                match args.iter_mut().find(|(arg, _)| *arg.get_id() == *flag.id()) {
                    Some((_, actions)) => actions.push(action),
                    None => args.push((flag.arg(), vec![action])),
                }
            }
        }
        let args = args.into_iter().map(|(arg, actions)| {
            let help = arg.get_help().map(ToString::to_string).unwrap_or_default();
            match self.action {
                Some(_) => arg,
                None => arg
                    .help(format!("{}: {help}", actions.join(", ")))
                    .conflicts_with_all(["file", PARAMS]),
            }
        });
        command.next_help_heading(action::HEADING).args(args)
    }
}

impl Own for NewTask {
    fn about(&self) -> &'static str {
        self.about
    }

    fn names(&self) -> &'static [(&'static str, &'static str)] {
        match self.action {
            None => &[
                ("task.display_name", "name"),
                ("task.description", "description"),
                ("task.action.name", "action"),
                ("task.targets.devices_uuids", "device"),
                ("task.targets.device_groups_uuids", "group"),
            ],
            Some(_) => {
                &[("task.targets.devices_uuids", "DEVICE"), ("task.display_name", "task-name")]
            }
        }
    }

    fn is_by_name(&self) -> bool {
        self.action.is_some()
    }

    fn declare(&self, command: Command) -> Command {
        let command = Options::augment_args(command);
        if self.is_by_name() {
            let name = "The name of the task that does the job; the job and its devices by default";
            let devices = format!("{DEVICES}\n\n{DEVICE_NAMES}");
            return self
                .with_params(command)
                .mut_arg("request.DEVICE", |arg| arg.help(DEVICES).long_help(devices))
                .mut_arg("request.task-name", |arg| arg.help(name))
                .after_help(format!(
                    "A job on several devices asks first; without a terminal to ask on, it needs --yes.\n\n\
                     Example:\n  eset-protect {} {}",
                    self.name, self.examples
                ));
        }
        let params = "The params in ProtoJSON, instead of flags; `@type` may be omitted for the known actions";
        let params = Arg::new(PARAMS).long(PARAMS).value_name("JSON").help(params);
        let command = command.next_help_heading(action::HEADING);
        self.with_params(command.arg(params.conflicts_with("file")))
            .mut_arg("request.action", |arg| {
                let arg = arg.value_name("ACTION").help("The action; --help lists the known ones");
                arg.long_help(action::help()).add(actions())
            })
            .mut_arg("expires", |arg| arg.conflicts_with("file"))
            .long_about(format!("{}\n\n{CHECKED}", self.about))
            .after_help(self.examples)
    }

    fn only_one(&self, matches: &ArgMatches) -> Result<Option<&'static str>, Failure> {
        let options = Options::from_arg_matches(matches)?;
        if !options.wait {
            options.wait_options.refuse()?;
        }
        let flags = [("--guarded", options.guarded), ("--wait", options.wait)];
        Ok(flags.into_iter().find(|(_, given)| *given).map(|(flag, _)| flag))
    }

    fn complete(
        &self,
        mut json: String,
        matches: &ArgMatches,
        _: CheckOptions,
    ) -> Result<Completed, Failure> {
        let task = &parse(&json)?["task"];
        let name = self.action.or(task["action"]["name"].as_str()).unwrap_or_default();
        let (own, others): (Vec<_>, Vec<_>) =
            self.flags().into_iter().partition(|(action, _)| *action == name);
        let flags: Vec<_> = own.into_iter().flat_map(|(_, flags)| flags).collect();
        let is_own = |flag: &Flag| flags.iter().any(|own| own.id() == flag.id());
        let is_wrong = |flag: &&Flag| flag.is_given(matches) && !is_own(flag);
        if let Some((flag, action)) =
            others.iter().find_map(|(action, flags)| Some((flags.iter().find(is_wrong)?, action)))
        {
            let (flag, problem) = (flag.typed_name(), format!("it belongs to the action {action}"));
            return Err(Failure::Input(format!("{flag}: {problem}, but --action is {name:?}")));
        }
        let given = matches.try_get_one::<String>(PARAMS).ok().flatten().map(String::as_str);
        let params = action::params(name, given.or(self.params), &flags, matches)?;
        let expires = Options::from_arg_matches(matches)?.expires;
        let devices = task["targets"]["devicesUuids"].as_array().map(Vec::as_slice);
        let devices = devices.unwrap_or_default();
        if self.is_by_name() && devices.is_empty() {
            say("no device is named, so there is nothing to do");
            return Err(Failure::Exit(0));
        }
        let triggers = json!([{ "manual": { "expireTime": expires } }]).to_string();
        json = insert(&json, &["task", "action", "name"], quoted(name))?;
        json = insert(&json, &["task", "triggers"], triggers)?;
        if let Some(params) = &params {
            json = insert(&json, &["task", "action", "params"], params.clone())?;
        }
        if self.action.is_some() && task["displayName"].is_null() {
            let devices = match devices {
                [Value::String(device)] => device.clone(),
                devices => count(devices.len(), "device"),
            };
            let name = quoted(&format!("{} {devices}", self.name));
            json = insert(&json, &["task", "displayName"], name)?;
        }
        let field = |path: &str, flag: &str| (format!("task.{path}"), flag.to_owned());
        let mut fields = vec![field("triggers[0].manual.expire_time", "--expires")];
        // --params sets all of them.
        if given.is_some() || flags.is_empty() {
            fields.push(field("action.params", "--params"));
        } else {
            let path = |flag: &Flag| format!("action.params.{}", flag.path());
            fields.extend(flags.iter().map(|flag| field(&path(flag), &flag.typed_name())));
        }
        Ok((json, fields))
    }

    fn call<'a>(
        &'a self,
        call: Call<'a>,
        request: &'a str,
        matches: &'a ArgMatches,
    ) -> LocalBoxFuture<'a, Result<(), Failure>> {
        async move {
            let options = Options::from_arg_matches(matches)?;
            if self.is_by_name() {
                let request = parse(request)?;
                let devices = request["task"]["targets"]["devicesUuids"].as_array();
                let devices = devices.map_or(0, Vec::len);
                if devices > 1 {
                    let what = format!("the job `{}` on {}", self.name, count(devices, "device"));
                    call.view.safety.ask("start", &what)?;
                }
            }
            if call.view.safety.dry_run || !(options.guarded || options.wait) {
                return call.make(request).await;
            }
            call.view.expect_rows_if_sorted()?;
            let response = match options.guarded {
                true => create_guarded(call, request).await?,
                false => calls::call(call.client, call.method, request).await?,
            };
            call.print(&response).await?;
            match response::created(call.method, &response) {
                _ if !options.wait => Ok(()),
                Some(uuid) => {
                    wait::wait(call.client, call.view, &uuid, &options.wait_options).await
                }
                None => {
                    let problem = "--wait: the response contains no task to wait for";
                    Err(Failure::Other(problem.to_owned()))
                }
            }
        }
        .boxed_local()
    }
}

/// Returns the response of a create that looks for the task before it is repeated.
async fn create_guarded(call: Call<'_>, request: &str) -> Result<String, Failure> {
    let request: CreateTaskRequest = serde_json::from_str(request)
        .map_err(|error| Failure::Input(format!("the request: {error}")))?;
    let guarded = call.client.device_tasks().create_task_guarded(request).await?;
    if let Guarded::Found(task) = &guarded {
        say(&format!(
            "The response was lost; the task was found as {} and not created again.",
            task.uuid
        ));
    }
    to_json(&CreateTaskResponse::from(guarded.into_task()))
}

//! Builds the action of a task from flags.

use clap::{Args, ValueEnum};
use eset_protect::automation::v1::Action;
use eset_protect::params::{ACTIONS, KnownAction};
use eset_protect::wkt::Any;
use serde_json::{Map, Value};

use crate::failure::Failure;

/// The type of params that need not be given, because it has no fields.
const SCAN_REQUEST: &str = "eset.dotnod.vulnerability_management.v1.ScanRequest";

/// Returns the long help of `--action`.
pub fn help() -> String {
    let width = ACTIONS.iter().map(|action| action.name().len()).max().unwrap_or_default();
    let lines =
        ACTIONS.iter().map(|action| format!("  {:width$}  {}", action.name(), action.about()));
    format!(
        "What to do:\n\n{}\n\nOther names require --allow-unknown, except ESET's full gRPC names.",
        lines.collect::<Vec<_>>().join("\n")
    )
}

/// Flags for the params of common actions.
#[derive(Args, Debug)]
#[command(next_help_heading = "Params of the action")]
#[group(conflicts_with = "file")]
pub struct Params {
    /// The params in ProtoJSON; `@type` may be omitted for the actions above
    #[arg(long, value_name = "JSON")]
    params: Option<String>,
    /// OnDemandScan: the depth of the scan
    #[arg(long, value_name = "PROFILE", ignore_case = true)]
    scan_profile: Option<ScanProfile>,
    /// OnDemandScan: what to scan; everything by default
    #[arg(long, value_name = "TARGET", allow_hyphen_values = true)]
    scan_target: Vec<String>,
    /// OnDemandScan: clean detected objects
    #[arg(long)]
    clean: bool,
    /// RunCommand: the command with its arguments
    #[arg(long, value_name = "LINE", allow_hyphen_values = true)]
    command_line: Option<String>,
    /// RunCommand: the directory to run it in
    #[arg(long, value_name = "DIRECTORY", allow_hyphen_values = true)]
    directory: Option<String>,
    /// ShutdownComputer: restart instead of shutting down
    #[arg(long)]
    restart: bool,
    /// SystemUpdate: accept the licence terms of the updates
    #[arg(long)]
    accept_eula: bool,
    /// SystemUpdate: install optional updates too
    #[arg(long)]
    optional_updates: bool,
    /// SystemUpdate: restart if an update requires it
    #[arg(long)]
    allow_reboot: bool,
}

/// The scan profiles, as in `on_demand_scan::ScanProfile`.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "verbatim")]
enum ScanProfile {
    InDepth,
    Smart,
    ContextMenu,
    MyProfile,
}

impl Params {
    /// Whether the params are given in JSON.
    pub fn is_json(&self) -> bool {
        self.params.is_some()
    }

    /// Returns the action with this name and these params.
    pub fn action(self, name: String) -> Result<Action, Failure> {
        let mut members = Map::new();
        for (flag, action, member, value) in self.given() {
            if action != name {
                return Err(Failure::Input(format!(
                    "{flag}: it belongs to the action {action}, but --action is {name:?}"
                )));
            }
            if self.params.is_some() {
                return Err(Failure::Input(format!("{flag}: not allowed with --params")));
            }
            members.insert(member.to_owned(), value);
        }
        let type_name = KnownAction::find(&name).and_then(KnownAction::params_type);
        if self.params.is_none() && type_name.is_none() {
            return Ok(Action::new(name));
        }
        match &*name {
            _ if self.params.is_some() => {}
            "RunCommand" if !members.contains_key("commandLine") => {
                return Err(Failure::Input(
                    "--command-line: the action RunCommand needs a command".to_owned(),
                ));
            }
            "ShutdownComputer" => {
                members.entry("restart").or_insert(false.into());
            }
            "OnDemandScan" | "RunCommand" | "SystemUpdate" => {}
            _ if type_name.as_deref() == Some(SCAN_REQUEST) => {}
            _ => {
                return Err(Failure::Input(format!(
                    "--params: the action {name} needs its params as ProtoJSON"
                )));
            }
        }
        let json = self.params.unwrap_or_else(|| Value::Object(members).to_string());
        Ok(Action { name, params: Some(any(&json, type_name.as_deref())?) })
    }

    /// Returns the flags that are given, each with its action, the member of the params that it sets, and the
    /// value.
    fn given(&self) -> impl Iterator<Item = (&'static str, &'static str, &'static str, Value)> {
        let set = |flag: bool| flag.then_some(Value::Bool(true));
        let text = |text: &Option<String>| text.clone().map(Value::String);
        let profile = self.scan_profile.and_then(|profile| profile.to_possible_value());
        let profile = profile.map(|profile| profile.get_name().into());
        let targets = Some(&self.scan_target).filter(|targets| !targets.is_empty());
        let targets = targets.map(|targets| targets.clone().into());
        let flags = [
            ("--scan-profile", "OnDemandScan", "scanProfile", profile),
            ("--scan-target", "OnDemandScan", "scanTargets", targets),
            ("--clean", "OnDemandScan", "cleaningEnabled", set(self.clean)),
            ("--command-line", "RunCommand", "commandLine", text(&self.command_line)),
            ("--directory", "RunCommand", "currentDirectory", text(&self.directory)),
            ("--restart", "ShutdownComputer", "restart", set(self.restart)),
            ("--accept-eula", "SystemUpdate", "acceptEula", set(self.accept_eula)),
            (
                "--optional-updates",
                "SystemUpdate",
                "installOptionalUpdates",
                set(self.optional_updates),
            ),
            ("--allow-reboot", "SystemUpdate", "allowReboot", set(self.allow_reboot)),
        ];
        let given = |(flag, action, member, value)| Some((flag, action, member, value?));
        flags.into_iter().filter_map(given)
    }
}

/// Reads --params. `@type` may be omitted if the type for the action is known.
fn any(json: &str, type_name: Option<&str>) -> Result<Any, Failure> {
    let wrong = |problem: &str| Failure::Input(format!("--params: {problem}"));
    let value: Value = serde_json::from_str(json).map_err(|error| wrong(&error.to_string()))?;
    let Value::Object(members) = &value else {
        return Err(wrong("expected a JSON object"));
    };
    let read = |json: &str| serde_json::from_str(json).map_err(|error| wrong(&error.to_string()));
    if members.contains_key("@type") {
        return read(json);
    }
    let Some(type_name) = type_name else {
        return Err(wrong(
            "expected `@type`, since the params of this action are not known: \
             {\"@type\": \"type.googleapis.com/…\", …}",
        ));
    };
    // The text is passed on unchanged, so that its numbers stay exact.
    let rest = json.trim_start().strip_prefix('{').unwrap_or_default();
    let comma = if members.is_empty() { "" } else { "," };
    read(&format!("{{\"@type\":\"type.googleapis.com/{type_name}\"{comma}{rest}"))
}

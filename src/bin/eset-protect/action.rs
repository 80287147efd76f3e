//! Builds the action of a task from flags.

use clap::{Args, ValueEnum};
use eset_protect::automation::v1::Action;
use eset_protect::params::{
    ACTIONS, KnownAction, OnDemandScan, RunCommand, ShutdownComputer, SystemUpdate, on_demand_scan,
};
use eset_protect::wkt::Any;
use serde_json::Value;

use crate::failure::Failure;

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

/// `on_demand_scan::ScanProfile` as the value of a flag.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "verbatim")]
enum ScanProfile {
    InDepth,
    Smart,
    ContextMenu,
    MyProfile,
}

impl From<ScanProfile> for on_demand_scan::ScanProfile {
    fn from(profile: ScanProfile) -> Self {
        match profile {
            ScanProfile::InDepth => Self::InDepth,
            ScanProfile::Smart => Self::Smart,
            ScanProfile::ContextMenu => Self::ContextMenu,
            ScanProfile::MyProfile => Self::MyProfile,
        }
    }
}

impl Params {
    /// Whether the params are given in JSON.
    pub fn is_json(&self) -> bool {
        self.params.is_some()
    }

    /// Returns the action with this name and these params.
    pub fn action(self, name: String) -> Result<Action, Failure> {
        self.check_flags(&name)?;
        let params = KnownAction::find(&name).and_then(KnownAction::params_type);
        if let Some(json) = &self.params {
            return Ok(Action { name, params: Some(any(json, params.as_deref())?) });
        }
        let set = |flag: bool| flag.then_some(true);
        Ok(match &*name {
            "OnDemandScan" => {
                let profile = self.scan_profile.map(on_demand_scan::ScanProfile::from);
                Action::on_demand_scan(OnDemandScan {
                    scan_profile: profile.map(Into::into),
                    scan_targets: self.scan_target,
                    cleaning_enabled: set(self.clean),
                    ..OnDemandScan::default()
                })
            }
            "RunCommand" => {
                let Some(line) = self.command_line else {
                    return Err(Failure::Input(
                        "--command-line: the action RunCommand needs a command".to_owned(),
                    ));
                };
                Action::run_command(RunCommand {
                    command_line: Some(line),
                    current_directory: self.directory,
                })
            }
            "ShutdownComputer" => Action::shutdown_computer(ShutdownComputer {
                restart: Some(self.restart),
                actions: None,
            }),
            "SystemUpdate" => Action::system_update(SystemUpdate {
                accept_eula: set(self.accept_eula),
                install_optional_updates: set(self.optional_updates),
                allow_reboot: set(self.allow_reboot),
                reboot_actions: None,
            }),
            _ => match params.as_deref() {
                Some("eset.dotnod.vulnerability_management.v1.ScanRequest") => {
                    Action::initiate_vulnerability_scan(Default::default())
                }
                Some(_) => {
                    return Err(Failure::Input(format!(
                        "--params: the action {name} needs its params as ProtoJSON"
                    )));
                }
                None => Action::new(name),
            },
        })
    }

    /// Refuses flags of another action, and flags together with --params.
    fn check_flags(&self, name: &str) -> Result<(), Failure> {
        let flags = [
            ("--scan-profile", self.scan_profile.is_some(), "OnDemandScan"),
            ("--scan-target", !self.scan_target.is_empty(), "OnDemandScan"),
            ("--clean", self.clean, "OnDemandScan"),
            ("--command-line", self.command_line.is_some(), "RunCommand"),
            ("--directory", self.directory.is_some(), "RunCommand"),
            ("--restart", self.restart, "ShutdownComputer"),
            ("--accept-eula", self.accept_eula, "SystemUpdate"),
            ("--optional-updates", self.optional_updates, "SystemUpdate"),
            ("--allow-reboot", self.allow_reboot, "SystemUpdate"),
        ];
        for (flag, _, action) in flags.into_iter().filter(|(_, given, _)| *given) {
            if action != name {
                return Err(Failure::Input(format!(
                    "{flag}: it belongs to the action {action}, but --action is {name:?}"
                )));
            }
            if self.params.is_some() {
                return Err(Failure::Input(format!("{flag}: not allowed with --params")));
            }
        }
        Ok(())
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

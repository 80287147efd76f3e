//! The known actions: the single list behind the constructors, the [checks](crate::check) and the command's
//! help.

use prost::{Message, Name};

use super::{
    ApplyApplicationPatchRequest, KillProcessByPidRequest, OnDemandScan, RunCommand, ScanRequest,
    ShutdownComputer, SoftwareUninstallation, SystemUpdate,
};
use crate::automation::v1::Action;
use crate::wkt::Any;

/// An action that ESET documents or that was observed; see [`ACTIONS`].
#[derive(Clone, Copy, Debug)]
pub struct KnownAction {
    name: &'static str,
    about: &'static str,
    params: Option<fn() -> String>,
}

impl KnownAction {
    /// Returns the action with this name. Case-sensitive, as in ESET.
    pub fn find(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|known| known.name == name)
    }

    /// Returns the value for [`Action::name`], such as `OnDemandScan`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// Returns a one-sentence description.
    pub fn about(&self) -> &'static str {
        self.about.trim_start()
    }

    /// Returns the full name of the message type for [`Action::params`]; `None` if the action has no params.
    pub fn params_type(&self) -> Option<String> {
        self.params.map(|full_name| full_name())
    }
}

/// Generates a constructor, with or without params.
macro_rules! constructor {
    ($doc:literal $function:ident $name:literal $params:ident) => {
        #[doc = $doc]
        pub fn $function(params: $params) -> Self {
            Self::with_params($name, &params)
        }
    };
    ($doc:literal $function:ident $name:literal) => {
        #[doc = $doc]
        pub fn $function() -> Self {
            Self::new($name)
        }
    };
}

/// Returns the type of the params, if any.
macro_rules! params_type {
    () => {
        None
    };
    ($params:ident) => {
        Some(<$params as Name>::full_name)
    };
}

/// Generates the list, and a constructor for each action.
macro_rules! actions {
    ($(#[doc = $doc:literal] $function:ident($($params:ident)?) => $name:literal;)*) => {
        /// All known actions, each with the type of its params.
        ///
        /// ESET's page [automation](https://help.eset.com/eset_connect/en-US/automation.html) lists nine of
        /// them. `SoftwareUninstallation` is known from the older ServerApi; `LogOffComputerUser`,
        /// `InitiateVulnerabilityScan` and `ApplyApplicationPatch` are newer than the page. ESET adds actions
        /// at any time.
        pub const ACTIONS: &[KnownAction] = &[$(
            KnownAction { name: $name, about: $doc, params: params_type!($($params)?) },
        )*];

        /// Constructors for all known actions. The set is open: use [`Action::new`] or
        /// [`Action::with_params`] for others.
        impl Action {$(
            constructor!($doc $function $name $($params)?);
        )*}
    };
}

actions! {
    /// Scans for malware.
    on_demand_scan(OnDemandScan) => "OnDemandScan";
    /// Shuts down or restarts.
    shutdown_computer(ShutdownComputer) => "ShutdownComputer";
    /// Updates the operating system.
    system_update(SystemUpdate) => "SystemUpdate";
    /// Runs a command.
    run_command(RunCommand) => "RunCommand";
    /// Removes software; known from the older ServerApi only.
    software_uninstallation(SoftwareUninstallation) => "SoftwareUninstallation";
    /// Ends a process; requires at least one hash of its executable.
    kill_process_by_pid(KillProcessByPidRequest) => "KillProcessByPid";
    /// Scans for vulnerable software.
    initiate_vulnerability_scan(ScanRequest) => "InitiateVulnerabilityScan";
    /// Installs a patch for an application.
    apply_application_patch(ApplyApplicationPatchRequest) => "ApplyApplicationPatch";
    /// Isolates the device from the network.
    start_network_isolation() => "StartNetworkIsolation";
    /// Ends the network isolation of the device.
    end_network_isolation() => "EndNetworkIsolation";
    /// Removes the Management Agent.
    stop_managing() => "StopManaging";
    /// Removes third-party antivirus software.
    third_party_av_remove() => "ThirdPartyAVRemove";
    /// Logs the user off.
    log_off_computer_user() => "LogOffComputerUser";
}

/// The full gRPC names that ESET's OpenAPI document shows as examples of action names. Their params are not
/// documented.
pub const GRPC_ACTIONS: &[&str] = &[
    "eset.dotnod.network_access_protection.v1.NetworkAccessProtection/StartNetworkIsolation",
    "eset.dotnod.power_management.v1.PowerManager/RegisterAction",
    "eset.dotnod.scan_management.v1.ScanManager/CreateScan",
];

impl Action {
    /// Creates an action without params.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), params: None }
    }

    /// Creates an action with params of any type.
    pub fn with_params<M: Message + Name>(name: impl Into<String>, params: &M) -> Self {
        Self { name: name.into(), params: Some(Any::pack(params)) }
    }
}

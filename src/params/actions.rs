//! The actions that are known: the one list, from which the constructors, the [check](crate::check) and the
//! command's help come.

use prost::{Message, Name};

use super::{
    ApplyApplicationPatchRequest, KillProcessByPidRequest, OnDemandScan, RunCommand, ScanRequest,
    ShutdownComputer, SoftwareUninstallation, SystemUpdate,
};
use crate::automation::v1::Action;
use crate::wkt::Any;

/// An action that ESET documents, or that was seen: see [`ACTIONS`].
#[derive(Clone, Copy, Debug)]
pub struct KnownAction {
    name: &'static str,
    about: &'static str,
    params: Option<fn() -> String>,
}

impl KnownAction {
    /// The action of this name. Case counts, as it does for ESET.
    pub fn find(name: &str) -> Option<&'static Self> {
        ACTIONS.iter().find(|known| known.name == name)
    }

    /// What [`Action::name`] holds, such as `OnDemandScan`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// What it does, in a sentence.
    pub fn about(&self) -> &'static str {
        self.about.trim_start()
    }

    /// The full name of the message that [`Action::params`] holds; `None` if the action takes none.
    pub fn params_type(&self) -> Option<String> {
        self.params.map(|full_name| full_name())
    }
}

/// A constructor, with params or without.
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

/// The type of the params, if there are any.
macro_rules! params_type {
    () => {
        None
    };
    ($params:ident) => {
        Some(<$params as Name>::full_name)
    };
}

/// Makes the list, and a constructor for each action.
macro_rules! actions {
    ($(#[doc = $doc:literal] $function:ident($($params:ident)?) => $name:literal;)*) => {
        /// Every action that is known, each with the type of its params.
        ///
        /// ESET's page [automation](https://help.eset.com/eset_connect/en-US/automation.html) lists ten of
        /// them; `SoftwareUninstallation` is known of the older ServerApi, and `LogOffComputerUser`,
        /// `InitiateVulnerabilityScan` and `ApplyApplicationPatch` are newer than the page. ESET adds
        /// actions at any time.
        pub const ACTIONS: &[KnownAction] = &[$(
            KnownAction { name: $name, about: $doc, params: params_type!($($params)?) },
        )*];

        /// One line for each known action. The set is open: for others use [`Action::new`] or
        /// [`Action::with_params`].
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
    /// Removes software; known of the older ServerApi only.
    software_uninstallation(SoftwareUninstallation) => "SoftwareUninstallation";
    /// Ends a process; at least one hash of its executable must be given.
    kill_process_by_pid(KillProcessByPidRequest) => "KillProcessByPid";
    /// Looks for vulnerable software.
    initiate_vulnerability_scan(ScanRequest) => "InitiateVulnerabilityScan";
    /// Installs an application's patch.
    apply_application_patch(ApplyApplicationPatchRequest) => "ApplyApplicationPatch";
    /// Cuts the device off the network.
    start_network_isolation() => "StartNetworkIsolation";
    /// Lets the device back onto the network.
    end_network_isolation() => "EndNetworkIsolation";
    /// Removes the Management Agent.
    stop_managing() => "StopManaging";
    /// Removes third-party antivirus software.
    third_party_av_remove() => "ThirdPartyAVRemove";
    /// Logs the user off.
    log_off_computer_user() => "LogOffComputerUser";
}

/// The full gRPC names that ESET's OpenAPI document gives as examples of an action's name. What params they
/// take is not documented.
pub const GRPC_ACTIONS: &[&str] = &[
    "eset.dotnod.network_access_protection.v1.NetworkAccessProtection/StartNetworkIsolation",
    "eset.dotnod.power_management.v1.PowerManager/RegisterAction",
    "eset.dotnod.scan_management.v1.ScanManager/CreateScan",
];

impl Action {
    /// An action without params.
    pub fn new(name: impl Into<String>) -> Self {
        Self { name: name.into(), params: None }
    }

    /// An action with params of any type.
    pub fn with_params<M: Message + Name>(name: impl Into<String>, params: &M) -> Self {
        Self { name: name.into(), params: Some(Any::pack(params)) }
    }
}

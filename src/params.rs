//! The messages that occur only inside an [`Any`](crate::wkt::Any): params of actions and configurations of
//! policies, with constructors for the common ones.
//!
//! ```
//! use eset_protect::automation::v1::Action;
//! use eset_protect::params::{OnDemandScan, on_demand_scan::ScanProfile};
//!
//! let action = Action::on_demand_scan(OnDemandScan {
//!     scan_profile: Some(ScanProfile::InDepth.into()),
//!     cleaning_enabled: Some(true),
//!     ..Default::default()
//! });
//! assert_eq!(action.name, "OnDemandScan");
//! ```

#[cfg(feature = "automation")]
mod actions;
#[cfg(feature = "policy-management")]
mod policies;
#[cfg(feature = "automation")]
mod tasks;

#[cfg(feature = "automation")]
pub use actions::{ACTIONS, GRPC_ACTIONS, KnownAction};

#[cfg(feature = "policy-management")]
#[doc(no_inline)]
pub use crate::proto::era::common::data_definition::policy::PolicyData;
#[cfg(feature = "automation")]
#[doc(no_inline)]
pub use crate::proto::era::common::data_definition::{
    common::{AllowedActions, allowed_actions},
    task::ess::{OnDemandScan, on_demand_scan},
    task::os::{RunCommand, ShutdownComputer, SoftwareUninstallation, SystemUpdate},
};
#[cfg(feature = "automation")]
#[doc(no_inline)]
pub use crate::proto::eset::dotnod::{
    os_integration::v1::KillProcessByPidRequest,
    patch_management::v1::ApplyApplicationPatchRequest, vulnerability_management::v1::ScanRequest,
};

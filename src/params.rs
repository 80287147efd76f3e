//! What is met only inside an [`Any`]: params of actions and configurations of
//! policies, and short ways to make the common ones.
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

mod actions;

use bytes::Bytes;

pub use actions::{ACTIONS, GRPC_ACTIONS, KnownAction};

use crate::automation::v1::{DeviceTaskTargets, ManualTrigger, Trigger, trigger};
use crate::policy_management::v2::{FeaturePolicy, PolicyTarget, policy_target};
#[doc(no_inline)]
pub use crate::proto::era::common::data_definition::{
    common::{AllowedActions, allowed_actions},
    policy::PolicyData,
    task::ess::{OnDemandScan, on_demand_scan},
    task::os::{RunCommand, ShutdownComputer, SoftwareUninstallation, SystemUpdate},
};
#[doc(no_inline)]
pub use crate::proto::eset::dotnod::{
    os_integration::v1::KillProcessByPidRequest,
    patch_management::v1::ApplyApplicationPatchRequest, vulnerability_management::v1::ScanRequest,
};
use crate::wkt::{Any, Timestamp};

impl RunCommand {
    /// Runs a command in the default directory.
    pub fn new(command_line: impl Into<String>) -> Self {
        Self { command_line: Some(command_line.into()), current_directory: None }
    }
}

impl DeviceTaskTargets {
    /// Single devices.
    pub fn devices<T: Into<String>>(uuids: impl IntoIterator<Item = T>) -> Self {
        Self { devices_uuids: uuids.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// All devices of groups.
    pub fn groups<T: Into<String>>(uuids: impl IntoIterator<Item = T>) -> Self {
        Self { device_groups_uuids: uuids.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

impl Trigger {
    /// As soon as possible, but not after `expire_time`; about 30 days from now if that is `None`
    /// ([facts](crate::facts#actions)).
    pub fn manual(expire_time: Option<Timestamp>) -> Self {
        let manual = ManualTrigger { create_time: None, expire_time };
        Self { kind: Some(trigger::Kind::Manual(manual)) }
    }
}

impl FeaturePolicy {
    /// The feature of all policies of ERA, ESMC and ESET PROTECT, 0xFFFFFFFF
    /// ([facts](crate::facts#policy-management)).
    pub const LEGACY_FEATURE_ID: u32 = u32::MAX;

    /// Settings of one of ESET's endpoint products, such as `eset.local.products.endpoint`.
    pub fn product(product: impl Into<String>, data: impl Into<Bytes>) -> Self {
        let configuration = PolicyData { data: Some(data.into()), product: Some(product.into()) };
        Self {
            feature_id: Self::LEGACY_FEATURE_ID,
            configuration: Some(Any::pack(&configuration)),
            flags: Default::default(),
        }
    }
}

impl PolicyTarget {
    /// A device.
    pub fn device(uuid: impl Into<String>) -> Self {
        Self { target: Some(policy_target::Target::DeviceUuid(uuid.into())) }
    }

    /// All devices of a group.
    pub fn device_group(uuid: impl Into<String>) -> Self {
        Self { target: Some(policy_target::Target::DeviceGroupUuid(uuid.into())) }
    }

    /// All devices of a subscription.
    pub fn subscription(uuid: impl Into<String>) -> Self {
        Self { target: Some(policy_target::Target::SubscriptionUuid(uuid.into())) }
    }
}

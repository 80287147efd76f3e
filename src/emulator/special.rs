//! The methods that do more than a standard method.

use super::api::Answer;
#[cfg(feature = "asset-management")]
use super::asset_groups;
#[cfg(feature = "iam")]
use super::iam;
#[cfg(feature = "incident-management")]
use super::incidents;
#[cfg(feature = "installer-management")]
use super::installers;
#[cfg(feature = "mobile-device-management")]
use super::mobile_devices;
#[cfg(feature = "vulnerability-management")]
use super::vulnerabilities;
#[cfg(feature = "web-access-protection")]
use super::web_rules;
use super::{assignments, devices, group_members, policies, tasks};

/// Returns the special methods by gRPC path.
pub(crate) fn methods() -> Vec<(&'static str, Answer)> {
    let mut special = vec![devices::method(), group_members::method()];
    special.extend(tasks::methods());
    special.extend(policies::methods());
    special.extend(assignments::methods());
    #[cfg(feature = "asset-management")]
    special.extend(asset_groups::methods());
    #[cfg(feature = "iam")]
    special.extend(iam::methods());
    #[cfg(feature = "incident-management")]
    special.extend(incidents::methods());
    #[cfg(feature = "installer-management")]
    special.extend(installers::methods());
    #[cfg(feature = "mobile-device-management")]
    special.extend(mobile_devices::methods());
    #[cfg(feature = "vulnerability-management")]
    special.extend(vulnerabilities::methods());
    #[cfg(feature = "web-access-protection")]
    special.extend(web_rules::methods());
    special
}

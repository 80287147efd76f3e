//! What methods do beyond the standard methods: a file for each kind of resource.

#[cfg(feature = "asset-management")]
mod asset_groups;
pub(super) mod assignments;
mod devices;
mod group_members;
#[cfg(feature = "iam")]
mod iam;
#[cfg(feature = "incident-management")]
mod incidents;
#[cfg(feature = "installer-management")]
mod installers;
#[cfg(feature = "mobile-device-management")]
mod mobile_devices;
pub(super) mod policies;
pub(super) mod tasks;
#[cfg(feature = "vulnerability-management")]
mod vulnerabilities;
#[cfg(feature = "web-access-protection")]
pub(super) mod web_rules;

use super::api::Special;

/// Returns the special methods.
pub(super) fn methods() -> Vec<Special> {
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

//! The methods that do more than a standard method.

use super::api::Special;
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
pub(crate) fn methods() -> Vec<(&'static str, Special)> {
    let with_rules = tasks::methods().into_iter().chain(policies::methods());
    let with_rules = with_rules.chain(assignments::methods());
    let mut others = vec![devices::method()];
    others.push(group_members::method());
    #[cfg(feature = "asset-management")]
    others.extend(asset_groups::methods());
    #[cfg(feature = "iam")]
    others.extend(iam::methods());
    #[cfg(feature = "incident-management")]
    others.extend(incidents::methods());
    #[cfg(feature = "installer-management")]
    others.extend(installers::methods());
    #[cfg(feature = "mobile-device-management")]
    others.extend(mobile_devices::methods());
    #[cfg(feature = "vulnerability-management")]
    others.extend(vulnerabilities::methods());
    #[cfg(feature = "web-access-protection")]
    others.extend(web_rules::methods());
    let special = |has_rules| move |(path, answer)| (path, Special { answer, has_rules });
    with_rules.map(special(true)).chain(others.into_iter().map(special(false))).collect()
}

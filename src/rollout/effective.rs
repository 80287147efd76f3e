//! The policy that a device ends with.

use std::collections::{BTreeMap, BTreeSet};
use std::future::ready;

use futures_util::TryStreamExt;
use serde::Serialize;

use super::tenant::Tenant;
use crate::client::Client;
use crate::device_management::v1::{DeviceGroup, ListGroupsRequest, ListMemberDevicesRequest};
use crate::error::Error;
use crate::params::PolicyData;
use crate::policy::{Setting, SettingPath, SettingValue, Target, container_of};
use crate::policy_management::v2::Policy;

/// The settings that a device ends with, merged from all policies that reach it.
///
/// **Documented** by ESET ([facts](crate::facts#policy-management)): the policies of a target are merged by rank,
/// beginning with 1; a setting with `applyForcefully` wins if it is merged before others; one with `readOnly` cannot
/// be changed on the device.
///
/// The device names its subscriptions, those of its active products
/// ([facts](crate::facts#device-management)).
///
/// **Inferred**: a setting that is not forced is overridden by those merged later. Subscriptions are merged first,
/// in the order of their UUIDs, then groups from the root down to the device's own, then the dynamic groups that
/// contain the device, from the root down, then the device itself. A policy of a subscription reaches all products
/// of a device, not only those that the subscription pays for. A selector in `flags` covers the setting with that
/// path and all below. What `ce_flags` in the settings contributes is not known; it is not used.
///
/// **Not considered**: policies of other subscriptions, where the device names no active product with one. They are
/// in [`not_considered`](Self::not_considered).
#[derive(Clone, Debug, Default)]
#[non_exhaustive]
pub struct Effective {
    /// The settings, by product and path.
    pub settings: Vec<EffectiveSetting>,
    /// The policies that were merged, in order.
    pub sources: Vec<Source>,
    /// Policies and parts of policies that may reach the device but could not be merged, with the reason.
    pub not_considered: Vec<String>,
}

/// A setting that a device ends with.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct EffectiveSetting {
    /// The product, such as `eset.local.products.endpoint`.
    pub product: String,
    /// The setting.
    pub setting: Setting,
    /// Whether the device cannot change it.
    pub read_only: bool,
    /// Whether it won because it is applied forcefully.
    pub is_forced: bool,
    /// The policy that it comes from.
    pub source: Source,
}

/// A policy on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Source {
    /// The UUID of the policy.
    pub policy_uuid: String,
    /// Its name.
    pub policy: String,
    /// The target of its assignment.
    pub target: Target,
    /// Its rank there.
    pub rank: u32,
}

impl Effective {
    /// Reads the device, its groups and all policies, and merges those that reach the device.
    ///
    /// # Errors
    ///
    /// Fails with the error of a call. Reading changes nothing, so it can be repeated.
    pub async fn of_device(client: &Client, device_uuid: &str) -> Result<Self, Error> {
        let device = client.devices().get_device(device_uuid).await?;
        let tenant = Tenant::read(client).await?;
        let groups = client.device_groups().list_groups(ListGroupsRequest::default()).items();
        let groups = groups.map_ok(|group| (group.uuid.clone(), group));
        let groups: BTreeMap<_, _> = groups.try_collect().await?;
        let own = line(&groups, &device.parent_group_uuid);
        let products = device.active_products.into_iter().map(|product| product.subscription_uuid);
        let subscriptions: BTreeSet<_> = products.filter(|uuid| !uuid.is_empty()).collect();
        let knows_subscriptions = !subscriptions.is_empty();
        let mut targets: Vec<_> = subscriptions.into_iter().map(Target::Subscription).collect();
        targets.extend(own.iter().cloned().map(Target::Group));
        let mut dynamic = Vec::new();
        for target in tenant.targets() {
            if let Target::Group(uuid) = &target
                && !own.contains(uuid)
                && groups.get(uuid).is_some_and(|group| !group.is_security_group)
                && has_member(client, uuid, device_uuid).await?
            {
                dynamic.push((line(&groups, uuid).len(), target));
            }
        }
        dynamic.sort();
        targets.extend(dynamic.into_iter().map(|(_, target)| target));
        targets.push(Target::Device(device_uuid.to_owned()));
        let mut effective = Self::merge(&tenant, &targets);
        for target in tenant.targets() {
            if matches!(target, Target::Subscription(_)) && !knows_subscriptions {
                effective.not_considered.push(format!("the policies of {target}"));
            }
        }
        Ok(effective)
    }

    /// Merges the policies of these targets, in this order.
    pub fn merge(tenant: &Tenant, targets: &[Target]) -> Self {
        let mut effective = Self::default();
        let mut merged: BTreeMap<(String, SettingPath), EffectiveSetting> = BTreeMap::new();
        for target in targets {
            for assignment in tenant.on(target) {
                let Some(policy) = tenant.policy(&assignment.policy_uuid) else { continue };
                let source = Source {
                    policy_uuid: policy.uuid.clone(),
                    policy: policy.display_name.clone(),
                    target: target.clone(),
                    rank: assignment.rank,
                };
                for found in effective.settings_of(policy, &source) {
                    let key = (found.product.clone(), found.setting.path.clone());
                    if merged.get(&key).is_none_or(|earlier| !earlier.is_forced) {
                        merged.insert(key, found);
                    }
                }
                effective.sources.push(source);
            }
        }
        effective.settings = merged.into_values().collect();
        effective
    }

    fn settings_of(&mut self, policy: &Policy, source: &Source) -> Vec<EffectiveSetting> {
        let name = &policy.display_name;
        let mut settings = Vec::new();
        for feature in &policy.features {
            let contents = match container_of(feature) {
                Ok(Some(container)) => container.contents(),
                Ok(None) => {
                    let id = feature.feature_id;
                    self.not_considered.push(format!("{name:?}: feature {id} has other settings"));
                    continue;
                }
                Err(error) => {
                    self.not_considered.push(format!("{name:?}: {error}"));
                    continue;
                }
            };
            let unread = contents.unread.iter();
            self.not_considered.extend(unread.map(|error| format!("{name:?}: {error}")));
            let data = feature.configuration.as_ref().and_then(|c| c.unpack::<PolicyData>().ok());
            let product = data.and_then(|data| data.product).unwrap_or_default();
            let found = contents.settings.into_iter();
            let found = found.filter(|setting| setting.value != SettingValue::Group);
            settings.extend(found.map(|setting| {
                let flags = feature.flags_of(&setting.path);
                let (read_only, is_forced) = (flags.read_only, flags.apply_forcefully);
                let (product, source) = (product.clone(), source.clone());
                EffectiveSetting { product, setting, read_only, is_forced, source }
            }));
        }
        settings
    }
}

/// The groups from the root down to this one.
fn line(groups: &BTreeMap<String, DeviceGroup>, uuid: &str) -> Vec<String> {
    let mut line = Vec::new();
    let mut seen = BTreeSet::new();
    let mut next = uuid;
    while !next.is_empty() && seen.insert(next) {
        line.push(next.to_owned());
        next = groups.get(next).map_or("", |group| &*group.parent_group_uuid);
    }
    line.reverse();
    line
}

async fn has_member(client: &Client, group: &str, device: &str) -> Result<bool, Error> {
    let request = ListMemberDevicesRequest { group_uuid: group.to_owned(), ..Default::default() };
    let members = client.device_groups().list_member_devices(request).items();
    let mut found = members.try_filter(|member| ready(member.uuid == device));
    Ok(found.try_next().await?.is_some())
}

//! Constructors for policies and the targets of their assignments.

use bytes::Bytes;

use super::PolicyData;
use crate::policy_management::v2::{FeaturePolicy, PolicyTarget, policy_target};
use crate::wkt::Any;

impl FeaturePolicy {
    /// The feature of all policies of ERA, ESMC and ESET PROTECT, 0xFFFFFFFF
    /// ([facts](crate::facts#policy-management)).
    pub const LEGACY_FEATURE_ID: u32 = u32::MAX;

    /// Creates settings for one of ESET's endpoint products, such as `eset.local.products.endpoint`.
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

    /// Targets all devices of a group.
    pub fn device_group(uuid: impl Into<String>) -> Self {
        Self { target: Some(policy_target::Target::DeviceGroupUuid(uuid.into())) }
    }

    /// Targets all devices of a subscription.
    pub fn subscription(uuid: impl Into<String>) -> Self {
        Self { target: Some(policy_target::Target::SubscriptionUuid(uuid.into())) }
    }
}

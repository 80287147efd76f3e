//! Where a policy is assigned, as a file has it.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::read;
use crate::policy_management::v2::PolicyTarget;
use crate::policy_management::v2::policy_target::Target as WireTarget;

/// A target of a policy.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(try_from = "Members")]
#[non_exhaustive]
pub struct AssignmentFile {
    /// What the policy is assigned to.
    #[serde(flatten)]
    pub target: Target,
    /// The rank among the policies of the target, 1 being the highest; by default the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rank: Option<u32>,
}

impl AssignmentFile {
    /// Creates an assignment to a target, with this rank or the last one.
    pub fn new(target: Target, rank: Option<u32>) -> Self {
        Self { target, rank }
    }
}

/// The members of an assignment in a file. With serde's `flatten`, unknown and contradicting ones would be ignored.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    expecting = "an assignment, an object with `device`, `group` or `subscription`, and `rank`"
)]
struct Members {
    #[serde(default, deserialize_with = "read::given")]
    device: Option<String>,
    #[serde(default, deserialize_with = "read::given")]
    group: Option<String>,
    #[serde(default, deserialize_with = "read::given")]
    subscription: Option<String>,
    #[serde(default, deserialize_with = "read::rank")]
    rank: Option<u32>,
}

impl TryFrom<Members> for AssignmentFile {
    type Error = String;

    fn try_from(members: Members) -> Result<Self, String> {
        let Members { device, group, subscription, rank } = members;
        let targets = [
            device.map(Target::Device),
            group.map(Target::Group),
            subscription.map(Target::Subscription),
        ];
        let mut targets: Vec<_> = targets.into_iter().flatten().collect();
        match (targets.pop(), targets.is_empty()) {
            (Some(target), true) => Ok(Self { target, rank }),
            (target, _) => {
                let found: Vec<_> = targets.iter().chain(&target).map(Target::to_string).collect();
                let found = if found.is_empty() { "none".to_owned() } else { found.join(" and ") };
                Err(format!("expected one of device, group and subscription, found {found}"))
            }
        }
    }
}

/// What a policy is assigned to, by UUID.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub enum Target {
    /// A device.
    Device(String),
    /// All devices of a group.
    Group(String),
    /// All devices of a subscription.
    Subscription(String),
}

impl Target {
    /// Returns the target of an assignment, a UUID in lower case; `None` if it has none.
    pub fn of(target: Option<&PolicyTarget>) -> Option<Self> {
        let target = match target?.target.clone()? {
            WireTarget::DeviceUuid(uuid) => Self::Device(uuid),
            WireTarget::DeviceGroupUuid(uuid) => Self::Group(uuid),
            WireTarget::SubscriptionUuid(uuid) => Self::Subscription(uuid),
        };
        Some(target.canonical())
    }

    /// Writes a UUID in lower case, since case makes no difference in it.
    pub(crate) fn canonical(mut self) -> Self {
        let (Self::Device(uuid) | Self::Group(uuid) | Self::Subscription(uuid)) = &mut self;
        if uuid.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-') {
            uuid.make_ascii_lowercase();
        }
        self
    }

    /// Returns the kind and the UUID.
    pub(crate) fn parts(&self) -> (&'static str, &str) {
        match self {
            Self::Device(uuid) => ("device", uuid),
            Self::Group(uuid) => ("group", uuid),
            Self::Subscription(uuid) => ("subscription", uuid),
        }
    }

    /// Whether an assignment has this target.
    pub(crate) fn is(&self, target: Option<&PolicyTarget>) -> bool {
        Self::of(target).as_ref() == Some(self)
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (kind, uuid) = self.parts();
        write!(f, "{kind} {uuid}")
    }
}

impl From<Target> for PolicyTarget {
    fn from(target: Target) -> Self {
        match target {
            Target::Device(uuid) => Self::device(uuid),
            Target::Group(uuid) => Self::device_group(uuid),
            Target::Subscription(uuid) => Self::subscription(uuid),
        }
    }
}

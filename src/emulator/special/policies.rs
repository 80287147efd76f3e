//! The behaviour of policies beyond the standard methods.
//!
//! ESET documents policies ([facts](crate::facts#policy-management)). Where the documentation is silent or
//! unclear:
//!
//! * A built-in policy can be read and created again as a copy, which is never built in. This is how policies
//!   are copied, and how "built-in policies cannot be created" holds.
//! * Deleting a built-in policy returns `FAILED_PRECONDITION`, because the policy forbids it rather than the
//!   caller's permissions.
//! * Deleting a policy removes its assignments and moves up those with higher rank numbers.

use prost::{Message, Name};

use super::assignments;
use crate::emulator::api::{Special, write, write_only};
use crate::emulator::check;
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::policy_management::v2::Policy;
use crate::rpc::policies::{CreatePolicy, DeletePolicy};

/// The maximum number of features per policy. Our limit.
const MAX_FEATURES: usize = 10_000;

pub(crate) fn methods() -> [Special; 2] {
    [
        write::<CreatePolicy, _>(|change, request| {
            create(change, request.policy.unwrap_or_default())
        }),
        write_only::<DeletePolicy>(|change, request| delete(change, &request.policy_uuid)),
    ]
}

/// Creates a policy, built in or not. One invalid feature makes the whole call fail.
///
/// The type of the configuration must match the feature. Only one feature's type is known. All other
/// configurations are stored unchanged, and so are unknown members of a known one.
pub(crate) fn create(change: &mut Change<'_>, mut policy: Policy) -> Result<Policy, Failure> {
    if policy.features.len() > MAX_FEATURES {
        let limit = format!("a policy has at most {MAX_FEATURES} features");
        return Err(Failure::exhausted(limit));
    }
    policy
        .features
        .iter_mut()
        .filter_map(|feature| feature.configuration.as_mut())
        .for_each(check::settle);
    let (sequence, uuid) = change.new_id(&Policy::full_name())?;
    policy.uuid = uuid;
    change.add(&Policy::full_name(), &policy.uuid, sequence, &policy.encode_to_vec())?;
    Ok(policy)
}

fn delete(change: &mut Change<'_>, uuid: &str) -> Result<(), Failure> {
    let (sequence, policy) = change.get::<Policy>(uuid)?;
    if policy.built_in {
        let description = format!("the policy `{uuid}` is built in and cannot be deleted");
        return Err(Failure::precondition("BUILT_IN", uuid, description));
    }
    assignments::remove_policy(change, uuid)?;
    change.remove(&Policy::full_name(), uuid, sequence)
}

//! What a policy must look like to be accepted.

use prost::Message;

use super::failure::{Failure, Violations};
use crate::check::refused;
use crate::policy_management::v2::Policy;
use crate::wkt::Timestamp;

/// A policy has at most so many features. Ours.
const MAX_FEATURES: usize = 10_000;

/// A policy to create. One wrong feature policy makes the whole call fail
/// ([facts](crate::facts#policy-management)).
///
/// The configuration's type must match the feature. That is known of one feature only; those of all
/// others are kept as they are, and so is whatever rides along in the bytes of one that is known.
pub(crate) fn check_new_policy(policy: &Policy) -> Result<(), Failure> {
    if policy.features.len() > MAX_FEATURES {
        let limit = format!("a policy has at most {MAX_FEATURES} features");
        return Err(Failure::exhausted(limit));
    }
    let mut violations = Violations::default();
    // A policy has nothing to do with the time.
    violations.extend(refused(policy, "policy.", Timestamp::default()));
    violations.check()?;
    super::check::item_size(policy.encoded_len())
}

//! The behaviour of policy assignments beyond the standard methods: ranks.
//!
//! After every change, the assignments of a target have the ranks 1 to n without gaps
//! ([facts](crate::facts#policy-management)). Where the documentation is silent or unclear:
//!
//! * Assigning a policy to the same target again creates a second assignment.
//! * A device or group that does not exist is `NOT_FOUND` if the emulator is strict, as it is elsewhere
//!   ([facts](crate::facts#mobile-device-management)); otherwise any identifier is accepted. No RPC shows
//!   subscriptions, so any may exist.

use prost::{Message, Name};

use crate::device_management::v1::{Device, DeviceGroup};
use crate::emulator::api::{Special, write, write_only};
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::policy_management::v2::policy_target::Target;
use crate::policy_management::v2::{
    Policy, PolicyAssignment, UpdatePolicyAssignmentRankingRequest,
};
use crate::rpc::policy_assignments::{AssignPolicy, UnassignPolicy, UpdatePolicyAssignmentRanking};

/// The maximum number of assignments per target, since moving one rewrites those with higher rank numbers.
/// Our limit.
const MAX_ASSIGNMENTS: u64 = 1000;
/// The assignments of a target, by rank.
const RANKS: &str = "ranks";
/// The assignments of a policy, by sequence number.
const OF_POLICY: &str = "policy assignments";

pub(crate) fn methods() -> [Special; 3] {
    [
        write::<AssignPolicy, _>(|change, request| {
            assign(change, request.assignment.unwrap_or_default())
        }),
        write_only::<UnassignPolicy>(|change, request| {
            let (sequence, assignment) = change.get(&request.assignment_uuid)?;
            remove(change, sequence, &assignment)
        }),
        write_only::<UpdatePolicyAssignmentRanking>(rank),
    ]
}

/// Assigns a policy with the last rank of its target.
pub(crate) fn assign(
    change: &mut Change<'_>,
    mut assignment: PolicyAssignment,
) -> Result<PolicyAssignment, Failure> {
    change.get::<Policy>(&assignment.policy_uuid)?;
    if change.environment().strict {
        check_target(change, &assignment)?;
    }
    let key = target_key(&assignment);
    let count = count(change, &key)?;
    if count >= MAX_ASSIGNMENTS {
        let limit = format!("a target has at most {MAX_ASSIGNMENTS} assignments");
        return Err(Failure::exhausted(limit));
    }
    let collection = PolicyAssignment::full_name();
    let (sequence, uuid) = change.new_id(&collection)?;
    assignment.uuid = uuid;
    change.add(&collection, &assignment.uuid, sequence, &[])?;
    change.link(OF_POLICY, &assignment.policy_uuid, sequence, sequence)?;
    place(change, &key, sequence, &mut assignment, count.saturating_add(1))?;
    Ok(assignment)
}

/// Fails if the target does not exist.
fn check_target(change: &Change<'_>, assignment: &PolicyAssignment) -> Result<(), Failure> {
    let fleet = &change.environment().fleet;
    match target(assignment) {
        Some(Target::DeviceUuid(uuid)) if !fleet.has(uuid) => change.get::<Device>(uuid).map(drop),
        Some(Target::DeviceGroupUuid(uuid)) if !fleet.has_group(uuid) => {
            change.get::<DeviceGroup>(uuid).map(drop)
        }
        _ => Ok(()),
    }
}

/// Moves an assignment to a rank and shifts the others. Rank 0 returns `INVALID_ARGUMENT`, a rank above the
/// number of the target's assignments `FAILED_PRECONDITION` ([facts](crate::facts#policy-management),
/// [facts](crate::facts#errors)).
fn rank(
    change: &mut Change<'_>,
    request: UpdatePolicyAssignmentRankingRequest,
) -> Result<(), Failure> {
    let UpdatePolicyAssignmentRankingRequest { assignment_uuid: uuid, rank } = request;
    let (sequence, mut assignment) = change.get::<PolicyAssignment>(&uuid)?;
    let key = target_key(&assignment);
    let (from, to) = (u64::from(assignment.rank), u64::from(rank));
    let count = count(change, &key)?;
    if to > count {
        let description = format!("the rank {rank} is past the target's {count} assignments");
        return Err(Failure::precondition("RANK", &uuid, description));
    }
    if from < to {
        shift(change, &key, from.saturating_add(1), to, |rank| rank.saturating_sub(1))?;
    } else if to < from {
        shift(change, &key, to, from.saturating_sub(1), |rank| rank.saturating_add(1))?;
    }
    place(change, &key, sequence, &mut assignment, to)
}

/// Removes all assignments of a policy.
pub(crate) fn remove_policy(change: &mut Change<'_>, policy: &str) -> Result<(), Failure> {
    let sequences: Vec<_> =
        change.indexed(OF_POLICY, policy, 0..=u64::MAX)?.collect::<Result<_, _>>()?;
    for sequence in sequences {
        // Read one by one, because each removal changes the ranks of others.
        if let Some(assignment) = change.at(sequence)? {
            remove(change, sequence, &assignment)?;
        }
    }
    Ok(())
}

/// Removes an assignment and moves up those with higher rank numbers.
fn remove(
    change: &mut Change<'_>,
    sequence: u64,
    assignment: &PolicyAssignment,
) -> Result<(), Failure> {
    let key = target_key(assignment);
    let count = count(change, &key)?;
    let next = u64::from(assignment.rank).saturating_add(1);
    shift(change, &key, next, count, |rank| rank.saturating_sub(1))?;
    // After the shift, the last rank is free.
    change.unlink(RANKS, &key, count)?;
    change.unlink(OF_POLICY, &assignment.policy_uuid, sequence)?;
    change.remove(&PolicyAssignment::full_name(), &assignment.uuid, sequence)
}

/// Moves the assignments with the ranks `from` to `to`. The caller fills the gap.
fn shift(
    change: &mut Change<'_>,
    key: &str,
    from: u64,
    to: u64,
    moved: impl Fn(u64) -> u64,
) -> Result<(), Failure> {
    if from > to {
        return Ok(());
    }
    for (sequence, mut assignment) in change.linked::<PolicyAssignment>(RANKS, key, from..=to)? {
        let rank = moved(assignment.rank.into());
        place(change, key, sequence, &mut assignment, rank)?;
    }
    Ok(())
}

/// Sets the rank of an assignment.
fn place(
    change: &mut Change<'_>,
    key: &str,
    sequence: u64,
    assignment: &mut PolicyAssignment,
    rank: u64,
) -> Result<(), Failure> {
    assignment.rank = u32::try_from(rank).unwrap_or(u32::MAX);
    change.link(RANKS, key, rank, sequence)?;
    change.put(&PolicyAssignment::full_name(), sequence, &assignment.encode_to_vec())
}

/// Returns the number of a target's assignments, which is the last of its ranks.
fn count(change: &Change<'_>, key: &str) -> Result<u64, Failure> {
    let last = change.indexed(RANKS, key, 0..=u64::MAX)?.next_back().transpose()?;
    let last = last.map(|sequence| change.at::<PolicyAssignment>(sequence)).transpose()?;
    Ok(last.flatten().map_or(0, |assignment| assignment.rank.into()))
}

fn target(assignment: &PolicyAssignment) -> Option<&Target> {
    assignment.target.as_ref()?.target.as_ref()
}

/// Returns a unique text for a target. The kinds contain no colons, so two targets never have the same text.
fn target_key(assignment: &PolicyAssignment) -> String {
    match target(assignment) {
        Some(Target::DeviceUuid(uuid)) => format!("device:{uuid}"),
        Some(Target::DeviceGroupUuid(uuid)) => format!("group:{uuid}"),
        Some(Target::SubscriptionUuid(uuid)) => format!("subscription:{uuid}"),
        None => String::new(),
    }
}

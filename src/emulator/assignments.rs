//! What policy assignments do beside the standard methods: ranks.
//!
//! A target's assignments have the ranks 1 to n without a gap, after every change
//! ([facts](crate::facts#policy-management)). Where the documentation is silent or unclear:
//!
//! * A policy that is assigned to the same target again gets a second assignment.
//! * Targets are not looked up: any identifier will do.

use prost::{Message, Name};

use super::api::{Answer, write};
use super::check;
use super::environment::Environment;
use super::failure::{Failure, Violations};
use super::store::{Change, Read};
use crate::check::refused;
use crate::policy_management::v2::policy_target::Target;
use crate::policy_management::v2::{
    AssignPolicyRequest, AssignPolicyResponse, Policy, PolicyAssignment, PolicyTarget,
    UnassignPolicyRequest, UnassignPolicyResponse, UpdatePolicyAssignmentRankingRequest,
    UpdatePolicyAssignmentRankingResponse,
};
use crate::rpc::policy_assignments::{AssignPolicy, UnassignPolicy, UpdatePolicyAssignmentRanking};
use crate::wkt::Timestamp;

/// A target has at most so many assignments, since moving one rewrites those of greater ranks. Ours.
const MAX_ASSIGNMENTS: u64 = 1000;
/// The assignments of a target, by rank.
const RANKS: &str = "ranks";
/// The assignments of a policy, by sequence number.
const OF_POLICY: &str = "policy assignments";

pub(crate) fn methods() -> [(&'static str, Answer); 3] {
    [
        write::<AssignPolicy>(assign_policy),
        write::<UnassignPolicy>(unassign_policy),
        write::<UpdatePolicyAssignmentRanking>(update_ranking),
    ]
}

fn assign_policy(
    change: &mut Change<'_>,
    environment: &Environment,
    request: AssignPolicyRequest,
) -> Result<AssignPolicyResponse, Failure> {
    let assignment = request.assignment;
    let assignment = assignment.ok_or_else(|| Failure::invalid("assignment", "must be set"))?;
    Ok(AssignPolicyResponse { assignment: Some(assign(change, environment, assignment)?) })
}

/// Assigns a policy, with the last rank of its target.
pub(crate) fn assign(
    change: &mut Change<'_>,
    environment: &Environment,
    mut assignment: PolicyAssignment,
) -> Result<PolicyAssignment, Failure> {
    let mut violations = Violations::default();
    // An assignment has nothing to do with the time.
    violations.extend(refused(&assignment, "assignment.", Timestamp::default()));
    violations.check()?;
    change.get::<Policy>(&assignment.policy_uuid)?;

    let key = target_key(&assignment);
    let count = count(change, &key)?;
    if count >= MAX_ASSIGNMENTS {
        let limit = format!("a target has at most {MAX_ASSIGNMENTS} assignments");
        return Err(Failure::exhausted(limit));
    }
    let collection = PolicyAssignment::full_name();
    let (sequence, uuid) = change.new_id(&collection, &*environment.ids)?;
    assignment.uuid = uuid;
    change.add(&collection, &assignment.uuid, sequence, &[])?;
    change.link(OF_POLICY, &assignment.policy_uuid, sequence, sequence)?;
    place(change, &key, sequence, &mut assignment, count.saturating_add(1))?;
    Ok(assignment)
}

/// Removes an assignment; those with greater ranks move up.
fn unassign_policy(
    change: &mut Change<'_>,
    _: &Environment,
    request: UnassignPolicyRequest,
) -> Result<UnassignPolicyResponse, Failure> {
    let UnassignPolicyRequest { assignment_uuid } = request;
    check::id("assignment_uuid", &assignment_uuid)?;
    let (sequence, assignment) = change.get(&assignment_uuid)?;
    remove(change, sequence, &assignment)?;
    Ok(UnassignPolicyResponse {})
}

/// Moves an assignment to a rank; the others make room. Rank 0 is `INVALID_ARGUMENT`, and one past the
/// number of the target's assignments `FAILED_PRECONDITION` ([facts](crate::facts#policy-management),
/// [facts](crate::facts#errors)).
fn update_ranking(
    change: &mut Change<'_>,
    _: &Environment,
    request: UpdatePolicyAssignmentRankingRequest,
) -> Result<UpdatePolicyAssignmentRankingResponse, Failure> {
    let UpdatePolicyAssignmentRankingRequest { assignment_uuid: uuid, rank } = request;
    check::id("assignment_uuid", &uuid)?;
    if rank == 0 {
        return Err(Failure::invalid("rank", "must be 1 or more"));
    }
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
    place(change, &key, sequence, &mut assignment, to)?;
    Ok(UpdatePolicyAssignmentRankingResponse {})
}

/// Removes all assignments of a policy.
pub(crate) fn remove_policy(change: &mut Change<'_>, policy: &str) -> Result<(), Failure> {
    for (_, sequence) in change.indexed(OF_POLICY, policy, 0..=u64::MAX)? {
        // Read one by one: each removal changes the ranks of others.
        if let Some(assignment) = change.at(sequence)? {
            remove(change, sequence, &assignment)?;
        }
    }
    Ok(())
}

fn remove(
    change: &mut Change<'_>,
    sequence: u64,
    assignment: &PolicyAssignment,
) -> Result<(), Failure> {
    let key = target_key(assignment);
    let count = count(change, &key)?;
    let next = u64::from(assignment.rank).saturating_add(1);
    shift(change, &key, next, count, |rank| rank.saturating_sub(1))?;
    // After the shift the last rank is the one that is free.
    change.unlink(RANKS, &key, count)?;
    change.unlink(OF_POLICY, &assignment.policy_uuid, sequence)?;
    change.remove(&PolicyAssignment::full_name(), &assignment.uuid, sequence)
}

/// Gives the assignments of the ranks `from` to `to` other ranks. The caller fills the gap.
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
    for (rank, sequence) in change.indexed(RANKS, key, from..=to)? {
        if let Some(mut assignment) = change.at::<PolicyAssignment>(sequence)? {
            place(change, key, sequence, &mut assignment, moved(rank))?;
        }
    }
    Ok(())
}

/// Gives an assignment a rank.
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

/// How many assignments a target has: the last of its ranks.
fn count(change: &Change<'_>, key: &str) -> Result<u64, Failure> {
    Ok(change.indexed(RANKS, key, 0..=u64::MAX)?.last().map_or(0, |(rank, _)| *rank))
}

/// A target in one text. No kind has a colon, so two targets never have the same.
fn target_key(assignment: &PolicyAssignment) -> String {
    match assignment.target.as_ref().and_then(|PolicyTarget { target }| target.as_ref()) {
        Some(Target::DeviceUuid(uuid)) => format!("device:{uuid}"),
        Some(Target::DeviceGroupUuid(uuid)) => format!("group:{uuid}"),
        Some(Target::SubscriptionUuid(uuid)) => format!("subscription:{uuid}"),
        None => String::new(),
    }
}

//! What the calls on policy assignments do to the tables.
//!
//! A target's assignments have the ranks 1 to n without a gap, after every change.

use prost::Message;
use redb::ReadableTable;

use super::core::World;
use super::failure::{Failure, Violations};
use super::policies::POLICY;
use super::store::{Tables, new_id, row};
use crate::check::refused;
use crate::policy_management::v2::policy_target::Target;
use crate::policy_management::v2::{PolicyAssignment, PolicyTarget};
use crate::wkt::Timestamp;

/// What errors call an assignment.
pub(crate) const ASSIGNMENT: &str = "eset.dotnod.policy_management.v2.PolicyAssignment";
/// A target has at most so many assignments, since moving one rewrites those behind it. Ours.
const MAX_ASSIGNMENTS: u32 = 1000;

/// Assigns a policy, behind the target's other assignments ([facts](crate::facts#policy-management)).
/// What the client says in `uuid` and `rank` is ignored.
pub(crate) fn assign(
    tables: &mut Tables<'_>,
    world: &World,
    mut assignment: PolicyAssignment,
) -> Result<PolicyAssignment, Failure> {
    super::check::asks_to_fail(&assignment.policy_uuid)?;
    let mut violations = Violations::default();
    // An assignment has nothing to do with the time.
    violations.extend(refused(&assignment, "assignment.", Timestamp::default()));
    violations.check()?;
    let policy = tables.policy_ids.get(assignment.policy_uuid.as_str())?.map(|seq| seq.value());
    let policy = policy.ok_or_else(|| Failure::not_found(POLICY, &assignment.policy_uuid))?;

    let key = target_key(&assignment);
    let count = count(tables, &key)?;
    if count >= MAX_ASSIGNMENTS {
        let limit = format!("a target has at most {MAX_ASSIGNMENTS} assignments");
        return Err(Failure::exhausted(limit));
    }
    let sequence = tables.sequence()?;
    assignment.uuid = new_id(&tables.assignment_ids, &*world.ids, sequence)?;
    tables.assignment_ids.insert(assignment.uuid.as_str(), sequence)?;
    tables.policy_assignments.insert((policy, sequence), ())?;
    assignment.rank = count.saturating_add(1);
    place(tables, &key, sequence, &assignment)?;
    Ok(assignment)
}

/// Removes an assignment; those behind it move up.
pub(crate) fn unassign(tables: &mut Tables<'_>, uuid: &str) -> Result<(), Failure> {
    let (sequence, assignment) = find(tables, uuid)?;
    let policy = tables.policy_ids.get(assignment.policy_uuid.as_str())?.map(|seq| seq.value());
    if let Some(policy) = policy {
        tables.policy_assignments.remove((policy, sequence))?;
    }
    remove(tables, sequence, &assignment)
}

/// Moves an assignment to a rank; the others make room. Rank 0 is `INVALID_ARGUMENT`, and one past the
/// number of the target's assignments `FAILED_PRECONDITION` ([facts](crate::facts#policy-management),
/// [facts](crate::facts#errors)).
pub(crate) fn update_ranking(
    tables: &mut Tables<'_>,
    uuid: &str,
    rank: u32,
) -> Result<(), Failure> {
    if rank == 0 {
        return Err(Failure::invalid("rank", "must be 1 or more"));
    }
    let (sequence, mut assignment) = find(tables, uuid)?;
    let key = target_key(&assignment);
    let count = count(tables, &key)?;
    if rank > count {
        let description = format!("the rank {rank} is past the target's {count} assignments");
        return Err(Failure::precondition("RANK", uuid, description));
    }
    let from = assignment.rank;
    if from < rank {
        shift(tables, &key, from.saturating_add(1), rank, |rank| rank.saturating_sub(1))?;
    } else if rank < from {
        shift(tables, &key, rank, from.saturating_sub(1), |rank| rank.saturating_add(1))?;
    }
    assignment.rank = rank;
    place(tables, &key, sequence, &assignment)
}

/// Removes all assignments of a policy.
pub(crate) fn remove_policy(tables: &mut Tables<'_>, policy: u64) -> Result<(), Failure> {
    let mut sequences = Vec::new();
    for entry in tables.policy_assignments.range((policy, 0)..=(policy, u64::MAX))? {
        sequences.push(entry?.0.value().1);
    }
    for sequence in sequences {
        tables.policy_assignments.remove((policy, sequence))?;
        // Read one by one: each removal changes the ranks of others.
        if let Some(assignment) = row::<PolicyAssignment>(&tables.assignments, sequence)? {
            remove(tables, sequence, &assignment)?;
        }
    }
    Ok(())
}

/// The kind of a target, as its field is called, and its uuid.
pub(crate) fn parts(target: &Target) -> (&'static str, &str) {
    match target {
        Target::DeviceUuid(uuid) => ("device_uuid", uuid),
        Target::DeviceGroupUuid(uuid) => ("device_group_uuid", uuid),
        Target::SubscriptionUuid(uuid) => ("subscription_uuid", uuid),
    }
}

fn find(tables: &Tables<'_>, uuid: &str) -> Result<(u64, PolicyAssignment), Failure> {
    let sequence = tables.assignment_ids.get(uuid)?.map(|sequence| sequence.value());
    let found = match sequence {
        Some(sequence) => row(&tables.assignments, sequence)?.map(|row| (sequence, row)),
        None => None,
    };
    found.ok_or_else(|| Failure::not_found(ASSIGNMENT, uuid))
}

/// Removes an assignment that its policy does not know any more.
fn remove(
    tables: &mut Tables<'_>,
    sequence: u64,
    assignment: &PolicyAssignment,
) -> Result<(), Failure> {
    let key = target_key(assignment);
    let count = count(tables, &key)?;
    shift(tables, &key, assignment.rank.saturating_add(1), count, |rank| rank.saturating_sub(1))?;
    // After the shift the last rank is the one that is free.
    tables.ranks.remove((key.as_str(), count))?;
    tables.assignment_ids.remove(assignment.uuid.as_str())?;
    let old = tables.assignments.remove(sequence)?.map(|old| old.value().len());
    if let Some(old) = old {
        tables.taken(old);
    }
    Ok(())
}

/// Gives the assignments of the ranks `from` to `to` other ranks. The caller fills the gap.
fn shift(
    tables: &mut Tables<'_>,
    key: &str,
    from: u32,
    to: u32,
    moved: impl Fn(u32) -> u32,
) -> Result<(), Failure> {
    if from > to {
        return Ok(());
    }
    let mut sequences = Vec::new();
    for entry in tables.ranks.range((key, from)..=(key, to))? {
        sequences.push(entry?.1.value());
    }
    for sequence in sequences {
        if let Some(mut assignment) = row::<PolicyAssignment>(&tables.assignments, sequence)? {
            assignment.rank = moved(assignment.rank);
            place(tables, key, sequence, &assignment)?;
        }
    }
    Ok(())
}

/// Writes an assignment, and that it has its rank.
fn place(
    tables: &mut Tables<'_>,
    key: &str,
    sequence: u64,
    assignment: &PolicyAssignment,
) -> Result<(), Failure> {
    tables.ranks.insert((key, assignment.rank), sequence)?;
    let bytes = assignment.encode_to_vec();
    tables.put(bytes.len());
    let old = tables.assignments.insert(sequence, bytes.as_slice())?.map(|old| old.value().len());
    if let Some(old) = old {
        tables.taken(old);
    }
    Ok(())
}

/// How many assignments a target has: the last of its ranks.
fn count(tables: &Tables<'_>, key: &str) -> Result<u32, Failure> {
    match tables.ranks.range((key, 0)..=(key, u32::MAX))?.next_back() {
        Some(entry) => Ok(entry?.0.value().1),
        None => Ok(0),
    }
}

/// A target in one text. No kind has a colon, so two targets never have the same.
fn target_key(assignment: &PolicyAssignment) -> String {
    let target = assignment.target.as_ref().and_then(|PolicyTarget { target }| target.as_ref());
    match target {
        Some(target) => {
            let (kind, uuid) = parts(target);
            format!("{kind}:{uuid}")
        }
        None => String::new(),
    }
}

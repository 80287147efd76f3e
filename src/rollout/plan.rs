//! What a rollout changes.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::goal::{Goal, Wanted};
use super::tenant::{Tenant, same};
use crate::error::is_uuid;
use crate::policy::{FileError, PolicyFile, Target};
use crate::policy_management::v2::Policy;

/// What a rollout changes, and the state before: also the journal of the rollout.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Plan {
    pub(super) before: Tenant,
    pub(super) goal: Goal,
    pub(super) changes: Vec<Change>,
    /// Whether it goes back from another plan.
    #[serde(default)]
    pub(super) rolls_back: bool,
}

/// One change of a plan, as people think of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", tag = "change")]
#[non_exhaustive]
pub enum Change {
    /// A policy is created.
    Create {
        /// The name.
        policy: String,
    },
    /// A policy is created anew, and the old one deleted.
    Replace {
        /// The name.
        policy: String,
        /// The UUID of the old one.
        uuid: String,
    },
    /// A policy that was deleted is created again, with a new UUID.
    Recreate {
        /// The name.
        policy: String,
        /// The UUID that it had.
        uuid: String,
    },
    /// A policy is deleted: no file has it, or it is not there before the plan that is rolled back.
    Delete {
        /// The name.
        policy: String,
        /// The UUID.
        uuid: String,
    },
    /// A policy is assigned to a target.
    Assign {
        /// The name.
        policy: String,
        /// The target.
        target: Target,
        /// The rank.
        rank: u32,
    },
    /// A policy is removed from a target.
    Unassign {
        /// The name.
        policy: String,
        /// The target.
        target: Target,
    },
    /// A policy moves up, past others that stay on the target. Moves follow each other in this order. Ranks are those
    /// among the policies that the target has in the end; one that others pass, or that comes to another rank since
    /// policies are assigned or unassigned, is not named.
    Rank {
        /// The name.
        policy: String,
        /// The target.
        target: Target,
        /// The rank before the move.
        from: u32,
        /// The rank after it.
        to: u32,
    },
}

impl fmt::Display for Change {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Create { policy } => write!(f, "+ create {policy:?}"),
            Self::Replace { policy, uuid } => write!(f, "~ replace {policy:?} {uuid}"),
            Self::Recreate { policy, uuid } => {
                write!(f, "+ create {policy:?} again, with a new UUID instead of {uuid}")
            }
            Self::Delete { policy, uuid } => write!(f, "- delete {policy:?} {uuid}"),
            Self::Assign { policy, target, rank } => {
                write!(f, "+ assign {policy:?} to {target} at rank {rank}")
            }
            Self::Unassign { policy, target } => write!(f, "- unassign {policy:?} from {target}"),
            Self::Rank { policy, target, from, to } => {
                write!(f, "~ move {policy:?} on {target} from rank {from} to {to}")
            }
        }
    }
}

/// The reason why there is no plan.
#[derive(Debug)]
#[non_exhaustive]
pub enum PlanError {
    /// Several files have this name.
    SameName(String),
    /// Several policies of the tenant have the name of a file. Contains their UUIDs.
    Ambiguous(String, Vec<String>),
    /// A file has no name.
    NoName,
    /// A file has an assignment, with this index, to something that has no UUID.
    Target(String, usize, Target),
    /// The policy with the name of a file is built in, and differs.
    BuiltIn(String),
    /// A file has the same target twice.
    SameTarget(String, Target),
    /// The files with these two names want the same rank on a target.
    SameRank(Target, u32, [String; 2]),
    /// The file with this name is not a policy.
    File(String, FileError),
}

impl fmt::Display for PlanError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SameName(name) => write!(f, "several files have the name {name:?}"),
            Self::Ambiguous(name, uuids) => {
                let uuids = uuids.join(", ");
                write!(
                    f,
                    "several policies of the tenant have the name {name:?}: {uuids}; delete all but one"
                )
            }
            Self::NoName => f.write_str("name: expected the name of a policy, found an empty text"),
            Self::Target(name, index, target) => {
                let (kind, uuid) = target.parts();
                write!(f, "{name:?}: assignments[{index}].{kind}: expected a UUID, found {uuid:?}")
            }
            Self::BuiltIn(name) => write!(f, "{name:?} is built in and cannot be replaced"),
            Self::SameTarget(name, target) => write!(f, "{name:?} has {target} twice"),
            Self::SameRank(target, rank, [a, b]) => {
                write!(f, "{a:?} and {b:?} both want rank {rank} on {target}")
            }
            Self::File(name, error) => write!(f, "{name:?}: {error}"),
        }
    }
}

impl std::error::Error for PlanError {}

impl Plan {
    /// Plans how a tenant comes to have the policies and assignments of these files.
    ///
    /// Policies are recognized by their names. Those without a file are not changed unless `prune` is set,
    /// which deletes them; built-in ones are never deleted. Of a policy with a file, all assignments are those of
    /// the file.
    ///
    /// # Errors
    ///
    /// Fails if the files contradict each other or the tenant.
    pub fn new(before: Tenant, files: &[PolicyFile], prune: bool) -> Result<Self, PlanError> {
        let mut targets = before.targets();
        let files = files.iter().map(|file| checked(file, &targets));
        let files = files.collect::<Result<Vec<_>, _>>()?;
        let mut goal = Goal::default();
        let mut changes = Vec::new();
        // What stands for each file, and the policy that it replaces.
        let mut managed = Vec::new();
        let mut names = BTreeSet::new();
        for file in &files {
            let name = || file.name.clone();
            if !names.insert(&*file.name) {
                return Err(PlanError::SameName(name()));
            }
            let policy = file.to_policy().map_err(|error| PlanError::File(name(), error))?;
            let found = before.policies.iter().filter(|p| p.display_name == file.name);
            let old = match *found.collect::<Vec<_>>() {
                [] => None,
                [old] => Some(old),
                ref several => {
                    let uuids = several.iter().map(|policy| policy.uuid.clone()).collect();
                    return Err(PlanError::Ambiguous(name(), uuids));
                }
            };
            let wanted = match old {
                Some(old) if same(old, &policy) => Wanted::Existing(old.uuid.clone()),
                Some(Policy { built_in: true, .. }) => return Err(PlanError::BuiltIn(name())),
                old => {
                    changes.push(match old {
                        Some(old) => Change::Replace { policy: name(), uuid: old.uuid.clone() },
                        None => Change::Create { policy: name() },
                    });
                    goal.delete.extend(old.map(|old| old.uuid.clone()));
                    goal.new.push(policy);
                    Wanted::New(goal.new.len() - 1)
                }
            };
            managed.push((file, wanted, old.map(|old| &*old.uuid)));
        }
        for policy in before.policies.iter().filter(|p| prune && !p.built_in) {
            if !names.contains(&*policy.display_name) {
                let uuid = policy.uuid.clone();
                changes.push(Change::Delete {
                    policy: policy.display_name.clone(),
                    uuid: uuid.clone(),
                });
                goal.delete.insert(uuid);
            }
        }
        targets.extend(files.iter().flat_map(|file| &file.assignments).map(|a| a.target.clone()));
        for target in targets {
            let wanted = order(&before, &target, &managed, &goal.delete)?;
            // A replacement counts as the policy that it replaces.
            let known = |wanted: &Wanted| match wanted {
                Wanted::Existing(uuid) => (Some(uuid.clone()), before.name(uuid)),
                Wanted::New(_) => {
                    let found = managed.iter().find(|(_, new, _)| new == wanted);
                    let old = found.and_then(|(_, _, old)| *old).map(str::to_owned);
                    (old, found.map(|(file, ..)| file.name.clone()).unwrap_or_default())
                }
            };
            note(&before, &target, &wanted, known, &mut changes);
            goal.order.push((target, wanted));
        }
        Ok(Self { before, goal, changes, rolls_back: false })
    }

    /// Returns what changes.
    pub fn changes(&self) -> &[Change] {
        &self.changes
    }

    /// Whether it goes back from another plan ([`roll_back`](Self::roll_back)).
    pub fn rolls_back(&self) -> bool {
        self.rolls_back
    }

    /// Returns a policy that is replaced, by its UUID, and the new one.
    pub fn replacement(&self, uuid: &str) -> Option<(&Policy, &Policy)> {
        let old = self.before.policy(uuid)?;
        let mut new = self.goal.new.iter();
        Some((old, new.find(|new| new.display_name == old.display_name)?))
    }

    /// Returns how many policies a target has once the plan is carried out. A file that wants a rank beyond that gets
    /// the last one.
    pub fn count_on(&self, target: &Target) -> usize {
        let target = target.clone().canonical();
        let mut order = self.goal.order.iter().filter(|(on, _)| *on == target);
        order.next().map_or(0, |(_, policies)| policies.len())
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.changes.is_empty()
    }
}

/// Checks what a file says of itself, and writes its targets as a tenant has them.
fn checked(file: &PolicyFile, there: &BTreeSet<Target>) -> Result<PolicyFile, PlanError> {
    let mut file = file.clone();
    if file.name.trim().is_empty() {
        return Err(PlanError::NoName);
    }
    let mut targets = BTreeSet::new();
    for (index, assignment) in file.assignments.iter_mut().enumerate() {
        let target = assignment.target.clone().canonical();
        if !is_uuid(target.parts().1.as_bytes()) && !there.contains(&target) {
            return Err(PlanError::Target(file.name, index, target));
        }
        assignment.target = target.clone();
        if !targets.insert(target) {
            return Err(PlanError::SameTarget(file.name, assignment.target.clone()));
        }
    }
    Ok(file)
}

type Managed<'a> = (&'a PolicyFile, Wanted, Option<&'a str>);

/// The policies that a target should have, by rank.
fn order(
    before: &Tenant,
    target: &Target,
    managed: &[Managed<'_>],
    delete: &BTreeSet<String>,
) -> Result<Vec<Wanted>, PlanError> {
    let mut ranked: BTreeMap<u32, (&PolicyFile, Wanted)> = BTreeMap::new();
    let mut order = Vec::new();
    let mut last = Vec::new();
    // Those without a rank keep that of the policy that they replace.
    for assignment in before.on(target) {
        let uuid = &*assignment.policy_uuid;
        match managed.iter().find(|(_, _, old)| *old == Some(uuid)) {
            None if delete.contains(uuid) => {}
            None => order.push(Wanted::Existing(uuid.to_owned())),
            Some((file, wanted, _)) => {
                let mut of_file = file.assignments.iter().filter(|a| a.target == *target);
                if of_file.next().is_some_and(|a| a.rank.is_none()) && !order.contains(wanted) {
                    order.push(wanted.clone());
                }
            }
        }
    }
    for (file, wanted, _) in managed {
        for assignment in file.assignments.iter().filter(|a| a.target == *target) {
            match assignment.rank {
                Some(rank) => {
                    if let Some((other, _)) = ranked.insert(rank, (file, wanted.clone())) {
                        let names = [other, file].map(|file| file.name.clone());
                        return Err(PlanError::SameRank(target.clone(), rank, names));
                    }
                }
                None if !order.contains(wanted) => last.push(wanted.clone()),
                None => {}
            }
        }
    }
    order.extend(last);
    for (rank, (_, wanted)) in ranked {
        let index = usize::try_from(rank).unwrap_or(usize::MAX).saturating_sub(1);
        order.insert(index.min(order.len()), wanted);
    }
    Ok(order)
}

/// Notes what changes on a target. `known` returns the policy before that a wanted one counts as, and its name.
pub(super) fn note(
    before: &Tenant,
    target: &Target,
    wanted: &[Wanted],
    known: impl Fn(&Wanted) -> (Option<String>, String),
    changes: &mut Vec<Change>,
) {
    let there = before.on(target);
    let after: Vec<_> = wanted.iter().map(known).collect();
    let stays = |uuid: &str| after.iter().any(|(old, _)| old.as_deref() == Some(uuid));
    // Those that stay, not yet in their place, and the ranks that they share in the end.
    let mut left: VecDeque<_> =
        there.iter().map(|a| &*a.policy_uuid).filter(|u| stays(u)).collect();
    let is_kept = |old: &Option<String>| left.iter().any(|uuid| Some(*uuid) == old.as_deref());
    let ranks = after.iter().zip(1..).filter(|((old, _), _)| is_kept(old)).map(|(_, rank)| rank);
    let mut ranks: VecDeque<u32> = ranks.collect();
    for ((old, policy), to) in after.iter().zip(1..) {
        let at = left.iter().position(|uuid| Some(*uuid) == old.as_deref());
        let (policy, target) = (policy.clone(), target.clone());
        let Some(at) = at else {
            changes.push(Change::Assign { policy, target, rank: to });
            continue;
        };
        // It moves up to where it belongs, as `Goal::next` does it.
        if at > 0 {
            let from = ranks.get(at).copied().unwrap_or(to);
            changes.push(Change::Rank { policy, target, from, to });
        }
        left.remove(at);
        ranks.pop_front();
    }
    for gone in there.iter().filter(|a| !stays(&a.policy_uuid)) {
        let policy = before.name(&gone.policy_uuid);
        changes.push(Change::Unassign { policy, target: target.clone() });
    }
}

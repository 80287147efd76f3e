//! The state that a rollout leads to, and the next step on the way.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::step::Step;
use super::tenant::{Tenant, same};
use crate::policy::Target;
use crate::policy_management::v2::{Policy, PolicyAssignment};

/// A policy of the goal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) enum Wanted {
    /// A policy that exists before, by its UUID.
    Existing(String),
    /// A policy to create, by its index.
    New(usize),
}

/// The state that a rollout leads to.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Goal {
    /// The policies to create.
    pub(super) new: Vec<Policy>,
    /// The policies of each target by rank. Other targets stay as they are.
    pub(super) order: Vec<(Target, Vec<Wanted>)>,
    /// The UUIDs of the policies to delete.
    pub(super) delete: BTreeSet<String>,
}

impl Goal {
    /// Finds the policies that were created, in order; `None` for those that are not there.
    pub(super) fn created(&self, before: &Tenant, now: &Tenant) -> Vec<Option<String>> {
        let is_new = |policy: &&Policy| before.policy(&policy.uuid).is_none();
        let mut free: Vec<_> = now.policies.iter().filter(is_new).collect();
        let mut created = vec![None; self.new.len()];
        let mut bind = |slot: &mut Option<String>, wanted: &Policy, on: Option<&[&str]>| {
            let fits = |policy: &&Policy| same(policy, wanted);
            let at = match on {
                None => free.iter().position(fits),
                Some(on) => on.iter().find_map(|uuid| {
                    free.iter().position(|policy| policy.uuid == *uuid && fits(policy))
                }),
            };
            *slot = at.map(|at| free.remove(at).uuid.clone());
        };
        // Those with the same contents are told apart by their assignments, which are made in this order.
        for (target, wanted) in &self.order {
            let on: Vec<_> = now.on(target).iter().map(|a| &*a.policy_uuid).collect();
            for wanted in wanted {
                if let Wanted::New(index) = wanted
                    && let (Some(slot @ None), Some(new)) =
                        (created.get_mut(*index), self.new.get(*index))
                {
                    bind(slot, new, Some(&on));
                }
            }
        }
        for (slot, wanted) in created.iter_mut().zip(&self.new).filter(|(slot, _)| slot.is_none()) {
            bind(slot, wanted, None);
        }
        created
    }

    /// Returns the next step, given the policies that were created; `None` if the goal is reached.
    pub(super) fn next(&self, now: &Tenant, made: &[String]) -> Option<Step> {
        if let Some(policy) = self.new.get(made.len()) {
            return Some(Step::Create(Box::new(policy.clone())));
        }
        let uuid = |wanted: &Wanted| match wanted {
            Wanted::Existing(uuid) => Some(uuid.clone()),
            Wanted::New(index) => made.get(*index).cloned(),
        };
        let named =
            |assignment: &PolicyAssignment| (now.name(&assignment.policy_uuid), assignment.clone());
        let mut extra = None;
        for (target, wanted) in &self.order {
            let there = now.on(target);
            let mut free = there.clone();
            let mut order = Vec::new();
            for policy in wanted.iter().filter_map(uuid) {
                let Some(at) = free.iter().position(|a| a.policy_uuid == policy) else {
                    let target = Some(target.clone().into());
                    let assignment =
                        PolicyAssignment { policy_uuid: policy, target, ..Default::default() };
                    let (policy, assignment) = named(&assignment);
                    return Some(Step::Assign { policy, assignment });
                };
                order.push(free.remove(at));
            }
            // What is out of order moves up to the place of what should come after it.
            let kept = there.iter().filter(|a| order.iter().any(|o| o.uuid == a.uuid));
            let wrong = kept.zip(&order).find(|(there, wanted)| there.uuid != wanted.uuid);
            if let Some((there, wanted)) = wrong {
                let (policy, assignment) = named(wanted);
                return Some(Step::Rank { policy, assignment, rank: there.rank });
            }
            extra = extra.or(free.first().copied());
        }
        // Nothing is removed until everything new exists on every target.
        if let Some(assignment) = extra {
            let (policy, assignment) = named(assignment);
            return Some(Step::Unassign { policy, assignment });
        }
        let doomed = now.policies.iter().find(|policy| self.delete.contains(&policy.uuid));
        doomed.map(|policy| Step::Delete(Box::new(policy.clone())))
    }
}

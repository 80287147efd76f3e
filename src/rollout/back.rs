//! The way back from a plan.

use std::collections::BTreeSet;

use super::goal::{Goal, Wanted};
use super::plan::{Change, Plan, note};
use super::run::RolloutError;
use super::tenant::Tenant;

impl Plan {
    /// Plans the return to the state before this plan, from wherever it was interrupted. The result is a plan
    /// like any other: save it as the journal in place of this one, then [`apply`](Self::apply) it, again after
    /// each interruption. Its [`changes`](Self::changes) name the policies that were deleted already: they are
    /// created again, with new UUIDs ([`Change::Recreate`]).
    ///
    /// A plan that goes back already is returned as it is.
    ///
    /// # Errors
    ///
    /// [`RolloutError::Changed`], as [`apply`](Self::apply).
    pub fn roll_back(&self, now: Tenant) -> Result<Self, RolloutError> {
        self.expect_on_way(&now)?;
        if self.rolls_back {
            return Ok(self.clone());
        }
        let mut goal = Goal::default();
        let mut changes = Vec::new();
        for policy in self.before.policies.iter().filter(|p| now.policy(&p.uuid).is_none()) {
            let (name, uuid) = (policy.display_name.clone(), policy.uuid.clone());
            changes.push(Change::Recreate { policy: name, uuid });
            goal.new.push(policy.clone());
        }
        for policy in now.policies.iter().filter(|p| self.before.policy(&p.uuid).is_none()) {
            let (name, uuid) = (policy.display_name.clone(), policy.uuid.clone());
            changes.push(Change::Delete { policy: name, uuid: uuid.clone() });
            goal.delete.insert(uuid);
        }
        let wanted = |uuid: &str| match goal.new.iter().position(|new| new.uuid == uuid) {
            Some(index) => Wanted::New(index),
            None => Wanted::Existing(uuid.to_owned()),
        };
        let targets = self.before.targets().into_iter().chain(now.targets());
        for target in targets.collect::<BTreeSet<_>>() {
            let on = self.before.on(&target);
            let order: Vec<_> = on.iter().map(|a| wanted(&a.policy_uuid)).collect();
            let known = |wanted: &Wanted| match wanted {
                Wanted::Existing(uuid) => (Some(uuid.clone()), now.name(uuid)),
                Wanted::New(index) => {
                    (None, goal.new.get(*index).map_or("", |new| &new.display_name).to_owned())
                }
            };
            note(&now, &target, &order, known, &mut changes);
            goal.order.push((target, order));
        }
        Ok(Self { before: now, goal, changes, rolls_back: true })
    }
}

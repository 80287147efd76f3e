//! Carries out a plan.

use std::collections::BTreeSet;
use std::fmt;

use super::goal::{Goal, Wanted};
use super::plan::Plan;
use super::step::Step;
use super::tenant::{Tenant, same};
use crate::client::Client;
use crate::error::Error;
use crate::policy::Target;
use crate::policy_management::v2::{Policy, UpdatePolicyAssignmentRankingRequest};

/// The reason why a rollout ended early. What was done is not undone: [`Plan::resume`] or
/// [`Plan::roll_back`] goes on from there.
#[derive(Debug)]
#[non_exhaustive]
pub enum RolloutError {
    /// The tenant is not as it was when the plan was made; what differs. Nothing was changed.
    Changed(String),
    /// A step failed. It may have executed; see [`Error::may_have_executed`].
    Call(Box<Step>, Box<Error>),
    /// The tenant could not be read.
    Read(Box<Error>),
}

impl fmt::Display for RolloutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(what) => write!(f, "the tenant changed since the plan: {what}"),
            Self::Call(step, error) => write!(f, "{step}: {error}"),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RolloutError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Changed(_) => None,
            Self::Call(_, error) | Self::Read(error) => Some(&**error),
        }
    }
}

impl Plan {
    /// Carries out the plan and calls `done` after each step.
    ///
    /// # Errors
    ///
    /// [`RolloutError::Changed`] if the tenant is not exactly as it was when the plan was made. After any other
    /// error, go on with [`resume`](Self::resume) or [`roll_back`](Self::roll_back).
    pub async fn apply(
        &self,
        client: &Client,
        done: impl FnMut(&Step),
    ) -> Result<(), RolloutError> {
        let now = read(client).await?;
        if let Some(what) = difference(&self.before, &now) {
            return Err(RolloutError::Changed(what));
        }
        self.lead(client, now, &self.goal, done).await
    }

    /// Carries out the rest of a plan that was interrupted. Does nothing if it was carried out.
    ///
    /// # Errors
    ///
    /// [`RolloutError::Changed`] if there is anything that neither was there before nor comes from this plan.
    pub async fn resume(
        &self,
        client: &Client,
        done: impl FnMut(&Step),
    ) -> Result<(), RolloutError> {
        let now = read(client).await?;
        self.expect_own(&now)?;
        self.lead(client, now, &self.goal, done).await
    }

    /// Returns to the state before. Policies that were deleted are created again, with new UUIDs.
    ///
    /// # Errors
    ///
    /// As [`resume`](Self::resume).
    pub async fn roll_back(
        &self,
        client: &Client,
        done: impl FnMut(&Step),
    ) -> Result<(), RolloutError> {
        let now = read(client).await?;
        self.expect_own(&now)?;
        let goal = self.way_back(&now);
        self.lead(client, now, &goal, done).await
    }

    async fn lead(
        &self,
        client: &Client,
        mut now: Tenant,
        goal: &Goal,
        mut done: impl FnMut(&Step),
    ) -> Result<(), RolloutError> {
        let before = self.before.policies.iter().map(|policy| &*policy.uuid).collect();
        let mut bound = goal.bind(&before, &now);
        while let Some(step) = goal.next(&now, &bound) {
            let step = take(client, &step)
                .await
                .map_err(|error| RolloutError::Call(Box::new(step), Box::new(error)))?;
            if let (Step::Create(policy), Some(free)) =
                (&step, bound.iter_mut().find(|uuid| uuid.is_none()))
            {
                *free = Some(policy.uuid.clone());
            }
            now.done(&step);
            done(&step);
        }
        Ok(())
    }

    /// Checks that everything was there before or comes from this plan.
    fn expect_own(&self, now: &Tenant) -> Result<(), RolloutError> {
        let changed = |what: String| Err(RolloutError::Changed(what));
        let is_own = |policy: &Policy| {
            self.goal.new.iter().chain(&self.before.policies).any(|own| same(own, policy))
        };
        for policy in &now.policies {
            let was = self.before.policy(&policy.uuid);
            if !was.map_or_else(|| is_own(policy), |was| was == policy) {
                return changed(format!("the policy {:?} {}", policy.display_name, policy.uuid));
            }
        }
        for policy in &self.before.policies {
            let is_gone = now.policy(&policy.uuid).is_none();
            if is_gone && !self.goal.delete.contains(&policy.uuid) {
                return changed(format!("no policy {:?} {}", policy.display_name, policy.uuid));
            }
        }
        for assignment in &now.assignments {
            let target = Target::of(assignment.target.as_ref());
            let is_planned = || {
                let own = self.goal.order.iter().filter(|(own, _)| Some(own) == target.as_ref());
                let mut wanted = own.flat_map(|(_, wanted)| wanted);
                let is_new = self.before.policy(&assignment.policy_uuid).is_none();
                is_new || wanted.any(|w| *w == Wanted::Existing(assignment.policy_uuid.clone()))
            };
            let was_there = self.before.assignments.iter().any(|was| {
                was.policy_uuid == assignment.policy_uuid && was.target == assignment.target
            });
            if !was_there && !is_planned() {
                return changed(format!("the assignment {}", assignment.uuid));
            }
        }
        Ok(())
    }

    /// The goal of going back from here.
    fn way_back(&self, now: &Tenant) -> Goal {
        let mut goal = Goal::default();
        let mut wanted = |uuid: &str| match now.policy(uuid) {
            Some(_) => Wanted::Existing(uuid.to_owned()),
            None => {
                let was = self.before.policy(uuid).cloned().unwrap_or_default();
                let index = goal.new.iter().position(|new: &Policy| new.uuid == uuid);
                Wanted::New(index.unwrap_or_else(|| {
                    goal.new.push(was);
                    goal.new.len() - 1
                }))
            }
        };
        for policy in &self.before.policies {
            wanted(&policy.uuid);
        }
        let targets = self.before.targets().into_iter().chain(now.targets());
        let mut order = Vec::new();
        for target in targets.collect::<BTreeSet<_>>() {
            let there = self.before.on(&target);
            let policies = there.iter().map(|a| wanted(&a.policy_uuid)).collect();
            order.push((target, policies));
        }
        goal.order = order;
        let before = self.before.policies.iter().map(|policy| &*policy.uuid).collect();
        let restored: Vec<_> = goal.bind(&before, now).into_iter().flatten().collect();
        let is_ours = |uuid: &&str| !before.contains(uuid) && !restored.iter().any(|r| r == uuid);
        let now = now.policies.iter().map(|policy| &*policy.uuid);
        goal.delete = now.filter(is_ours).map(str::to_owned).collect();
        goal
    }
}

async fn read(client: &Client) -> Result<Tenant, RolloutError> {
    Tenant::read(client).await.map_err(|error| RolloutError::Read(Box::new(error)))
}

/// Makes the call of a step. Returns the step with what the server set.
async fn take(client: &Client, step: &Step) -> Result<Step, Error> {
    let (policies, assignments) = (client.policies(), client.policy_assignments());
    Ok(match step.clone() {
        Step::Create(mut policy) => {
            policy.uuid.clear();
            policy.built_in = false;
            Step::Create(Box::new(policies.create_policy(*policy).await?))
        }
        Step::Assign(assignment) => Step::Assign(assignments.assign_policy(assignment).await?),
        Step::Rank { assignment, rank } => {
            let assignment_uuid = assignment.uuid.clone();
            let request = UpdatePolicyAssignmentRankingRequest { assignment_uuid, rank };
            assignments.update_policy_assignment_ranking(request).await?;
            Step::Rank { assignment, rank }
        }
        Step::Unassign(assignment) => {
            assignments.unassign_policy(assignment.uuid.clone()).await?;
            Step::Unassign(assignment)
        }
        Step::Delete(policy) => {
            policies.delete_policy(policy.uuid.clone()).await?;
            Step::Delete(policy)
        }
    })
}

/// What differs between two states.
fn difference(before: &Tenant, now: &Tenant) -> Option<String> {
    let policy = now
        .policies
        .iter()
        .find(|policy| before.policy(&policy.uuid) != Some(policy))
        .or_else(|| before.policies.iter().find(|policy| now.policy(&policy.uuid).is_none()));
    if let Some(policy) = policy {
        return Some(format!("the policy {:?} {}", policy.display_name, policy.uuid));
    }
    let differs = |a: &Tenant, b: &Tenant| {
        let found = a.assignments.iter().find(|assignment| !b.assignments.contains(assignment));
        found.map(|assignment| format!("the assignment {}", assignment.uuid))
    };
    differs(now, before).or_else(|| differs(before, now))
}

//! Carries out a plan.

use std::fmt;

use super::plan::Plan;
use super::step::Step;
use super::tenant::Tenant;
use crate::client::Client;
use crate::error::Error;
use crate::policy_management::v2::UpdatePolicyAssignmentRankingRequest;

/// The reason why a rollout ended early. What was done is not undone: [`Plan::apply`] goes on from there, and
/// [`Plan::roll_back`] plans the way back.
#[derive(Debug)]
#[non_exhaustive]
pub enum RolloutError {
    /// Somebody else changed the tenant: it is in none of the states of the plan. Contains the difference.
    /// Nothing was changed by this call.
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
    /// Carries out the plan, or what is left of it after an interruption, and calls `done` after each step. Does
    /// nothing if it was carried out.
    ///
    /// It reads the tenant once, at the start, and does not notice what somebody else changes from then on.
    ///
    /// # Errors
    ///
    /// [`RolloutError::Changed`] if the tenant is neither as it was when the plan was made nor as this plan left
    /// it: another policy, other contents of a policy, another assignment or another order on any target. After any
    /// other error, call this again, or go back with [`roll_back`](Self::roll_back).
    pub async fn apply(
        &self,
        client: &Client,
        mut done: impl FnMut(&Step),
    ) -> Result<(), RolloutError> {
        let mut now = Tenant::read(client).await.map_err(|e| RolloutError::Read(Box::new(e)))?;
        let mut made = self.expect_on_way(&now)?;
        while let Some(step) = self.goal.next(&now, &made) {
            let step = take(client, &step)
                .await
                .map_err(|error| RolloutError::Call(Box::new(step), Box::new(error)))?;
            if let Step::Create(policy) = &step {
                made.push(policy.uuid.clone());
            }
            now.done(&step);
            done(&step);
        }
        Ok(())
    }

    /// Checks that the tenant is in one of the states that the plan passes through. Returns the UUIDs of the
    /// policies that were created.
    pub(super) fn expect_on_way(&self, now: &Tenant) -> Result<Vec<String>, RolloutError> {
        if let Some(changed) = self.before.edited(now) {
            return Err(RolloutError::Changed(changed));
        }
        let created = self.goal.created(&self.before, now);
        let mut made = Vec::new();
        let mut state = self.before.clone();
        let mut nearest: Option<(usize, String)> = None;
        loop {
            let differences = state.differences(now);
            let weight: usize = differences.iter().map(|(weight, _)| weight).sum();
            let Some((_, what)) = differences.into_iter().next() else { return Ok(made) };
            if nearest.as_ref().is_none_or(|(least, _)| weight < *least) {
                nearest = Some((weight, what));
            }
            // What the server chose is taken from the tenant; where it is not there, no later state is either.
            let step = match self.goal.next(&state, &made) {
                Some(Step::Create(_)) => {
                    let policy = created.get(made.len()).and_then(|uuid| now.policy(uuid));
                    policy.map(|policy| Step::Create(Box::new(policy.clone())))
                }
                Some(Step::Assign(wanted)) => state.made_since(&wanted, now).map(Step::Assign),
                step => step,
            };
            let Some(step) = step else { break };
            if let Step::Create(policy) = &step {
                made.push(policy.uuid.clone());
            }
            state.done(&step);
        }
        let what = nearest.map(|(_, what)| what);
        Err(RolloutError::Changed(what.unwrap_or_default()))
    }
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

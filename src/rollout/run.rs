//! Carries out a plan.

use std::fmt;

use super::plan::Plan;
use super::step::Step;
use super::tenant::{MISSING, Tenant, same};
use crate::client::Client;
use crate::error::Error;
use crate::policy_management::v2::{
    Policy, PolicyAssignment, UpdatePolicyAssignmentRankingRequest,
};

/// The reason why a rollout ended early. What was done is not undone: [`Plan::apply`] goes on from there, and
/// [`Plan::roll_back`] plans the way back.
#[derive(Debug)]
#[non_exhaustive]
pub enum RolloutError {
    /// Somebody else changed the tenant: it is in none of the states of the plan. Contains the difference.
    /// Nothing was changed by this call.
    Changed(String),
    /// Somebody else changed the tenant while this call added what is new. Contains the difference. Nothing was
    /// removed by this call.
    ChangedMeanwhile(String),
    /// The plan is carried out, and somebody else changed the tenant meanwhile. Contains the difference.
    ChangedAfterwards(String),
    /// It was asked to stop between two steps.
    Stopped,
    /// A step failed. It may have executed; see [`Error::may_have_executed`].
    Call(Box<Step>, Box<Error>),
    /// The tenant could not be read.
    Read(Box<Error>),
}

impl fmt::Display for RolloutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed(what) => write!(f, "the tenant changed since the plan: {what}"),
            Self::ChangedMeanwhile(what) => {
                write!(
                    f,
                    "somebody else changed the tenant during the rollout: {what}; nothing was removed"
                )
            }
            Self::ChangedAfterwards(what) => {
                write!(
                    f,
                    "the plan is carried out, but somebody else changed the tenant meanwhile: {what}"
                )
            }
            Self::Stopped => f.write_str("stopped"),
            Self::Call(step, error) => write!(f, "{step}: {error}"),
            Self::Read(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for RolloutError {}

impl Plan {
    /// Carries out the plan, or what is left of it after an interruption, and calls `done` after each step. Does
    /// nothing if it was carried out.
    ///
    /// It reads the tenant at the start, again before it removes anything, and at the end. What somebody else changes
    /// while it removes what is old is noticed only at the end.
    ///
    /// # Errors
    ///
    /// [`RolloutError::Changed`] if the tenant is neither as it was when the plan was made nor as this plan left
    /// it: another policy, other contents of a policy, another assignment or another order on any target;
    /// [`RolloutError::ChangedMeanwhile`] if it is so before the first removal, and
    /// [`RolloutError::ChangedAfterwards`] if it is so at the end. After any other error, call this
    /// again, or go back with [`roll_back`](Self::roll_back).
    pub async fn apply(
        &self,
        client: &Client,
        done: impl FnMut(&Step),
    ) -> Result<(), RolloutError> {
        self.apply_until(client, done, || false).await
    }

    /// [`apply`](Self::apply), but ends with [`RolloutError::Stopped`] before the next step once `is_stopped`.
    ///
    /// # Errors
    ///
    /// As [`apply`](Self::apply), and [`RolloutError::Stopped`].
    pub async fn apply_until(
        &self,
        client: &Client,
        mut done: impl FnMut(&Step),
        mut is_stopped: impl FnMut() -> bool,
    ) -> Result<(), RolloutError> {
        let read = async || Tenant::read(client).await.map_err(|e| RolloutError::Read(Box::new(e)));
        let mut now = read().await?;
        let mut made = self.expect_on_way(&now)?;
        let mut is_fresh = true;
        let mut is_changed = false;
        while let Some(mut step) = self.goal.next(&now, &made) {
            if is_stopped() {
                return Err(RolloutError::Stopped);
            }
            // From here on, everything new is there, and only removals follow.
            let removes = matches!(step, Step::Unassign { .. } | Step::Delete(_));
            if removes && !is_fresh {
                let found = read().await?;
                if let Some(what) = self.changed(&now, &found, &made) {
                    return Err(RolloutError::ChangedMeanwhile(what));
                }
            }
            is_fresh = removes;
            if let Err(error) = take(client, &mut step).await {
                return Err(RolloutError::Call(Box::new(step), Box::new(error)));
            }
            if let Step::Create(policy) = &step {
                made.push(policy.uuid.clone());
            }
            now.done(&step);
            done(&step);
            is_changed = true;
        }
        // Two who carry out the same files at once both create what is new: the later one says so.
        if is_changed && let Some(what) = self.changed(&now, &read().await?, &made) {
            return Err(RolloutError::ChangedAfterwards(what));
        }
        Ok(())
    }

    /// Names what somebody else changed, given what this plan left and what is there.
    fn changed(&self, left: &Tenant, found: &Tenant, made: &[String]) -> Option<String> {
        let edited = self.before.edited(found).or_else(|| {
            let mut made = made.iter().zip(&self.goal.new);
            let is_edited = |(uuid, wanted): &(&String, &Policy)| {
                found.policy(uuid).is_some_and(|found| !same(found, wanted))
            };
            made.find(is_edited).map(|(uuid, wanted)| {
                format!("the contents of policy {:?} {uuid}", wanted.display_name)
            })
        });
        edited.or_else(|| left.differences(found).into_iter().next().map(|(_, what)| what))
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
            if nearest.as_ref().is_none_or(|(least, _)| weight <= *least) {
                nearest = Some((weight, what));
            }
            // What the server chose is taken from the tenant. Where it is not there, no later state is either, but the
            // last of those that differ least names what is missing.
            let missing = || format!("{MISSING}{}-{}", made.len(), state.assignments.len());
            let step = match self.goal.next(&state, &made) {
                Some(Step::Create(wanted)) => {
                    let uuid = created.get(made.len()).and_then(Option::as_deref);
                    let policy = uuid.and_then(|uuid| now.policy(uuid)).cloned();
                    let missing = || Policy { uuid: missing(), ..*wanted };
                    Some(Step::Create(Box::new(policy.unwrap_or_else(missing))))
                }
                Some(Step::Assign { policy, assignment: wanted }) => {
                    let made = state.made_since(&wanted, now);
                    let missing = || PolicyAssignment { uuid: missing(), rank: u32::MAX, ..wanted };
                    Some(Step::Assign { policy, assignment: made.unwrap_or_else(missing) })
                }
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

/// Makes the call of a step, and sets what the server set.
async fn take(client: &Client, step: &mut Step) -> Result<(), Error> {
    let (policies, assignments) = (client.policies(), client.policy_assignments());
    match step {
        Step::Create(policy) => {
            let new = Policy { uuid: String::new(), built_in: false, ..(**policy).clone() };
            **policy = policies.create_policy(new).await?;
        }
        Step::Assign { assignment, .. } => {
            *assignment = assignments.assign_policy(assignment.clone()).await?;
        }
        Step::Rank { assignment, rank, .. } => {
            let (assignment_uuid, rank) = (assignment.uuid.clone(), *rank);
            let request = UpdatePolicyAssignmentRankingRequest { assignment_uuid, rank };
            assignments.update_policy_assignment_ranking(request).await?;
        }
        Step::Unassign { assignment, .. } => {
            assignments.unassign_policy(assignment.uuid.clone()).await?;
        }
        Step::Delete(policy) => {
            policies.delete_policy(policy.uuid.clone()).await?;
        }
    }
    Ok(())
}

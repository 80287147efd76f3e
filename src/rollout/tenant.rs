//! The policies and assignments of a tenant.

use serde::{Deserialize, Serialize};

use super::step::Step;
use crate::client::Client;
use crate::error::Error;
use crate::policy::Target;
use crate::policy_management::v2::{
    ListPoliciesRequest, ListPolicyAssignmentsRequest, Policy, PolicyAssignment,
};

/// All policies and assignments of a tenant at one moment.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tenant {
    /// The policies, sorted by UUID.
    pub policies: Vec<Policy>,
    /// The assignments, sorted by UUID.
    pub assignments: Vec<PolicyAssignment>,
}

impl Tenant {
    /// Reads all policies and assignments, page by page. They are not read at one instant: changes that someone
    /// else makes meanwhile may be seen in part.
    ///
    /// # Errors
    ///
    /// Fails with the error of a call. Reading changes nothing, so it can be repeated.
    pub async fn read(client: &Client) -> Result<Self, Error> {
        let mut tenant = Self::default();
        let mut policies = client.policies().list_policies(ListPoliciesRequest::default()).items();
        while let Some(policy) = policies.next().await {
            tenant.policies.push(policy?);
        }
        let request = ListPolicyAssignmentsRequest::default();
        let assignments = client.policy_assignments();
        let mut assignments = assignments.list_policy_assignments(request).items();
        while let Some(assignment) = assignments.next().await {
            tenant.assignments.push(assignment?);
        }
        tenant.policies.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        tenant.assignments.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        Ok(tenant)
    }

    pub(super) fn policy(&self, uuid: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.uuid == uuid)
    }

    /// The targets of all assignments.
    pub(super) fn targets(&self) -> std::collections::BTreeSet<Target> {
        self.assignments.iter().filter_map(|a| Target::of(a.target.as_ref())).collect()
    }

    /// The assignments of a target by rank.
    pub(super) fn on(&self, target: &Target) -> Vec<&PolicyAssignment> {
        let is_on = |a: &&PolicyAssignment| Target::of(a.target.as_ref()).as_ref() == Some(target);
        let mut assignments: Vec<_> = self.assignments.iter().filter(is_on).collect();
        assignments.sort_by_key(|assignment| assignment.rank);
        assignments
    }

    /// Does to this copy what a step did to the tenant.
    pub(super) fn done(&mut self, step: &Step) {
        match step {
            Step::Create(policy) => self.policies.push((**policy).clone()),
            Step::Assign(assignment) => self.assignments.push(assignment.clone()),
            Step::Rank { assignment, rank } => self.place(&assignment.uuid, Some(*rank)),
            Step::Unassign(assignment) => self.place(&assignment.uuid, None),
            Step::Delete(policy) => {
                let of = self.assignments.iter().filter(|a| a.policy_uuid == policy.uuid);
                let uuids: Vec<_> = of.map(|assignment| assignment.uuid.clone()).collect();
                uuids.iter().for_each(|uuid| self.place(uuid, None));
                self.policies.retain(|other| other.uuid != policy.uuid);
            }
        }
    }

    /// Moves an assignment to a rank, or removes it, and numbers the ranks of its target anew.
    fn place(&mut self, uuid: &str, rank: Option<u32>) {
        let Some(at) = self.assignments.iter().position(|a| a.uuid == uuid) else { return };
        let moved = self.assignments.remove(at);
        let mut order = Vec::new();
        if let Some(target) = Target::of(moved.target.as_ref()) {
            order = self.on(&target).iter().map(|a| a.uuid.clone()).collect();
        }
        if let Some(rank) = rank {
            let index = usize::try_from(rank).unwrap_or(usize::MAX).saturating_sub(1);
            order.insert(index.min(order.len()), uuid.to_owned());
            self.assignments.push(moved);
        }
        for assignment in &mut self.assignments {
            if let Some(index) = order.iter().position(|uuid| *uuid == assignment.uuid) {
                assignment.rank = u32::try_from(index + 1).unwrap_or(u32::MAX);
            }
        }
    }
}

/// Whether two policies are the same but for what the server sets.
pub(super) fn same(a: &Policy, b: &Policy) -> bool {
    a.display_name == b.display_name && a.description == b.description && a.features == b.features
}

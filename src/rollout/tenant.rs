//! The policies and assignments of a tenant.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::TryStreamExt;
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
#[non_exhaustive]
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
        let policies = client.policies().list_policies(ListPoliciesRequest::default());
        let mut policies: Vec<_> = policies.items().try_collect().await?;
        let request = ListPolicyAssignmentsRequest::default();
        let assignments = client.policy_assignments().list_policy_assignments(request);
        let mut assignments: Vec<_> = assignments.items().try_collect().await?;
        policies.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        assignments.sort_by(|a, b| a.uuid.cmp(&b.uuid));
        Ok(Self { policies, assignments })
    }

    pub(super) fn policy(&self, uuid: &str) -> Option<&Policy> {
        self.policies.iter().find(|policy| policy.uuid == uuid)
    }

    /// The name of a policy, or its UUID if it is not there.
    pub(super) fn name(&self, uuid: &str) -> String {
        self.policy(uuid).map_or(uuid, |policy| &*policy.display_name).to_owned()
    }

    /// The targets of all assignments.
    pub(super) fn targets(&self) -> BTreeSet<Target> {
        self.assignments.iter().filter_map(|a| Target::of(a.target.as_ref())).collect()
    }

    /// The assignments of a target by rank.
    pub(super) fn on(&self, target: &Target) -> Vec<&PolicyAssignment> {
        let is_on = |assignment: &&PolicyAssignment| target.is(assignment.target.as_ref());
        let mut assignments: Vec<_> = self.assignments.iter().filter(is_on).collect();
        assignments.sort_by_key(|assignment| assignment.rank);
        assignments
    }

    /// Names a policy that has other contents now.
    pub(super) fn edited(&self, now: &Self) -> Option<String> {
        let is_edited =
            |policy: &&Policy| now.policy(&policy.uuid).is_some_and(|now| now != *policy);
        self.policies
            .iter()
            .find(is_edited)
            .map(|policy| format!("the contents of {}", named(policy)))
    }

    /// Names the policies that are not in both states, and the targets that differ in their assignments or, which
    /// counts less, in the order of them.
    pub(super) fn differences(&self, now: &Self) -> Vec<(usize, String)> {
        let mut differences = Vec::new();
        for (these, others, kind) in [(now, self, "the new"), (self, now, "the missing")] {
            let uuids: BTreeSet<_> = others.policies.iter().map(|policy| &*policy.uuid).collect();
            let alone = these.policies.iter().filter(|policy| !uuids.contains(&*policy.uuid));
            differences.extend(alone.map(|policy| (2, format!("{kind} {}", named(policy)))));
        }
        let (was, is) = (self.orders(), now.orders());
        for target in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
            let [was, is] = [&was, &is].map(|on| on.get(target).map_or(&[][..], Vec::as_slice));
            let [was, is] =
                [was, is].map(|on| on.iter().map(|(_, uuid)| *uuid).collect::<Vec<_>>());
            let target = target.as_ref().map_or_else(|| "nothing".to_owned(), Target::to_string);
            if was.len() != is.len() || was.iter().any(|uuid| !is.contains(uuid)) {
                differences.push((2, format!("the policies on {target}")));
            } else if was != is {
                differences.push((1, format!("the order of the policies on {target}")));
            }
        }
        differences
    }

    /// The assignments of each target by rank.
    fn orders(&self) -> Orders<'_> {
        let mut orders = Orders::new();
        for assignment in &self.assignments {
            let target = Target::of(assignment.target.as_ref());
            orders.entry(target).or_default().push((assignment.rank, &*assignment.uuid));
        }
        orders.values_mut().for_each(|on| on.sort_unstable());
        orders
    }

    /// Returns the assignment that was made as wanted, in the state that it had at first: the last of its target.
    pub(super) fn made_since(
        &self,
        wanted: &PolicyAssignment,
        now: &Self,
    ) -> Option<PolicyAssignment> {
        let made = now.assignments.iter().find(|made| {
            made.policy_uuid == wanted.policy_uuid
                && Target::of(made.target.as_ref()) == Target::of(wanted.target.as_ref())
                && self.assignments.iter().all(|was| was.uuid != made.uuid)
        })?;
        Some(PolicyAssignment { rank: u32::MAX, ..made.clone() })
    }

    /// Does to this copy what a step did to the tenant.
    pub(super) fn done(&mut self, step: &Step) {
        match step {
            Step::Create(policy) => self.policies.push((**policy).clone()),
            Step::Assign { assignment, .. } => {
                self.assignments.push(assignment.clone());
                self.place(&assignment.uuid, Some(assignment.rank));
            }
            Step::Rank { assignment, rank, .. } => self.place(&assignment.uuid, Some(*rank)),
            Step::Unassign { assignment, .. } => self.place(&assignment.uuid, None),
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

type Orders<'a> = BTreeMap<Option<Target>, Vec<(u32, &'a str)>>;

fn named(policy: &Policy) -> String {
    match policy.uuid.starts_with(MISSING) {
        true => format!("policy {:?} that the plan created", policy.display_name),
        false => format!("policy {:?} {}", policy.display_name, policy.uuid),
    }
}

/// What the UUIDs begin with that stand for something missing.
pub(super) const MISSING: &str = "#";

/// Whether two policies are the same but for what the server sets.
pub(super) fn same(a: &Policy, b: &Policy) -> bool {
    a.display_name == b.display_name && a.description == b.description && a.features == b.features
}

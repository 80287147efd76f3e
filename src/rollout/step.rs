//! One call of a rollout.

use std::fmt;

use crate::policy::Target;
use crate::policy_management::v2::{Policy, PolicyAssignment};

/// One call of a rollout.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum Step {
    /// Creates a policy.
    Create(Box<Policy>),
    /// Assigns a policy, last among those of the target.
    Assign(PolicyAssignment),
    /// Moves an assignment.
    Rank {
        /// The assignment with its rank before.
        assignment: PolicyAssignment,
        /// Its new rank.
        rank: u32,
    },
    /// Removes an assignment.
    Unassign(PolicyAssignment),
    /// Deletes a policy.
    Delete(Box<Policy>),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |assignment: &PolicyAssignment| {
            let target = Target::of(assignment.target.as_ref());
            let target = target.map_or_else(|| "nothing".to_owned(), |target| target.to_string());
            format!("policy {} on {target}", assignment.policy_uuid)
        };
        match self {
            Self::Create(policy) => write!(f, "create {:?}", policy.display_name),
            Self::Assign(assignment) => write!(f, "assign {}", on(assignment)),
            Self::Rank { assignment, rank } => {
                write!(f, "move {} from rank {} to {rank}", on(assignment), assignment.rank)
            }
            Self::Unassign(assignment) => write!(f, "unassign {}", on(assignment)),
            Self::Delete(policy) => write!(f, "delete {:?} {}", policy.display_name, policy.uuid),
        }
    }
}

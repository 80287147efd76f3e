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
    Assign {
        /// The policy's name.
        policy: String,
        /// The assignment.
        assignment: PolicyAssignment,
    },
    /// Moves an assignment.
    Rank {
        /// The policy's name.
        policy: String,
        /// The assignment with its rank before.
        assignment: PolicyAssignment,
        /// Its new rank.
        rank: u32,
    },
    /// Removes an assignment.
    Unassign {
        /// The policy's name.
        policy: String,
        /// The assignment.
        assignment: PolicyAssignment,
    },
    /// Deletes a policy.
    Delete(Box<Policy>),
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let on = |assignment: &PolicyAssignment| {
            let target = Target::of(assignment.target.as_ref());
            target.map_or_else(|| "nothing".to_owned(), |target| target.to_string())
        };
        match self {
            Self::Create(policy) => write!(f, "create {:?}", policy.display_name),
            Self::Assign { policy, assignment } => {
                write!(f, "assign {policy:?} to {}", on(assignment))
            }
            Self::Rank { policy, assignment, rank } => {
                let (target, from) = (on(assignment), assignment.rank);
                write!(f, "move {policy:?} on {target} from rank {from} to {rank}")
            }
            Self::Unassign { policy, assignment } => {
                write!(f, "unassign {policy:?} from {}", on(assignment))
            }
            Self::Delete(policy) => write!(f, "delete {:?} {}", policy.display_name, policy.uuid),
        }
    }
}

//! `eset-protect assignments`.

use clap::{Args, Subcommand};
use eset_protect::policy_management::v2::{
    ListPolicyAssignmentsRequest, PolicyAssignment, PolicyTarget,
    UpdatePolicyAssignmentRankingRequest,
};
use eset_protect::rpc::policy_assignments::{
    AssignPolicy, GetPolicyAssignment, ListPolicyAssignments, UnassignPolicy,
    UpdatePolicyAssignmentRanking,
};

use crate::check::Flags;
use crate::connection::Connection;
use crate::failure::Failure;
use crate::listing::{self, Paging};
use crate::response;
use crate::uuids::Uuids;

/// Policies on devices, groups and subscriptions, and their ranks
///
/// The policies of a target are merged in order, starting with rank 1, the highest. With `--output json`,
/// `get` and `assign` print the response, `{"assignment": {…}}`, and `list` prints one assignment per line:
/// ProtoJSON in both cases, including defaults such as `0` and `""`. `get` and `unassign` accept several;
/// each response is then a line, in the order of the arguments.
/// what was given.
#[derive(Args, Debug)]
pub struct Assignments {
    #[command(flatten)]
    connection: Connection,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// List assignments: all, or those of certain policies and a target
    List {
        /// Only of this policy; may be repeated
        #[arg(long, value_name = "UUID")]
        policy: Vec<String>,
        #[command(flatten)]
        target: Target,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show one or several assignments
    Get(Uuids),
    /// Assign a policy to a target, after the target's other policies
    #[command(mut_group("target", |group| group.required(true)))]
    Assign {
        /// The policy's UUID
        #[arg(long, value_name = "UUID")]
        policy: String,
        #[command(flatten)]
        target: Target,
    },
    /// Remove one or several assignments, by UUID
    Unassign(Uuids),
    /// Move an assignment to another rank and shift the others
    Rank {
        /// The assignment's UUID
        assignment: String,
        /// Its new rank; 1 is the highest
        rank: u32,
    },
}

#[derive(Args, Debug)]
#[group(id = "target", multiple = false)]
struct Target {
    /// A device
    #[arg(long, value_name = "UUID")]
    device: Option<String>,
    /// All devices of a group
    #[arg(long, value_name = "UUID")]
    group: Option<String>,
    /// All devices of a subscription
    #[arg(long, value_name = "UUID")]
    subscription: Option<String>,
}

impl Target {
    fn policy_target(self) -> Option<PolicyTarget> {
        let device = self.device.map(PolicyTarget::device);
        let group = || self.group.map(PolicyTarget::device_group);
        device.or_else(group).or_else(|| self.subscription.map(PolicyTarget::subscription))
    }
}

impl Assignments {
    pub fn run(self) -> Result<(), Failure> {
        let Self { connection, command } = self;
        match command {
            Command::Get(uuids) => uuids.call::<GetPolicyAssignment>(connection, "", "shown"),
            Command::Unassign(uuids) => {
                uuids.call::<UnassignPolicy>(connection, "Removed the assignment", "removed")
            }
            Command::List { policy, target, paging } => {
                let request = ListPolicyAssignmentsRequest {
                    policy_uuids: policy,
                    target: target.policy_target(),
                    page_size: paging.page_size,
                    ..Default::default()
                };
                listing::run::<ListPolicyAssignments>(connection, &request, FLAGS, paging.limit)
            }
            Command::Assign { policy, target } => {
                let assignment = PolicyAssignment {
                    policy_uuid: policy,
                    target: target.policy_target(),
                    ..PolicyAssignment::default()
                };
                response::run::<AssignPolicy>(connection, &assignment.into(), FLAGS, "")
            }
            Command::Rank { assignment, rank } => {
                let done = format!("The assignment {assignment} has rank {rank} now.");
                let request =
                    UpdatePolicyAssignmentRankingRequest { assignment_uuid: assignment, rank };
                response::run::<UpdatePolicyAssignmentRanking>(connection, &request, FLAGS, &done)
            }
        }
    }
}

/// The arguments that set fields.
const FLAGS: Flags<'_> = &[
    ("assignment.policy_uuid", "--policy"),
    ("policy_uuids", "--policy"),
    ("policy_uuid", "--policy"),
    ("assignment.target.device_uuid", "--device"),
    ("assignment.target.device_group_uuid", "--group"),
    ("assignment.target.subscription_uuid", "--subscription"),
    ("target.device_uuid", "--device"),
    ("target.device_group_uuid", "--group"),
    ("target.subscription_uuid", "--subscription"),
    ("assignment_uuid", "ASSIGNMENT"),
    ("rank", "RANK"),
];

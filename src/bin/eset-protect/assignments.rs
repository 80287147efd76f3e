//! `eset-protect assignments`.

use clap::{Args, Subcommand};
use eset_protect::Client;
use eset_protect::policy_management::v2::{
    ListPolicyAssignmentsRequest, PolicyAssignment, PolicyTarget,
    UpdatePolicyAssignmentRankingRequest, policy_target,
};
use eset_protect::rpc::policy_assignments::{GetPolicyAssignment, UnassignPolicy};

use crate::check::{Flags, check};
use crate::connection::Connection;
use crate::details::{self, Details};
use crate::failure::Failure;
use crate::listing::{self, Paging};
use crate::output::{Format, Output};
use crate::table::{Lines, Row};
use crate::uuids::{Gone, Uuids};

/// Policies on devices, groups and subscriptions, and their ranks
///
/// The policies of a target are merged from rank 1, the highest, downwards. With `--output json`,
/// `get` and `assign` print the answer, `{"assignment": {…}}`, and `list` prints one assignment a line:
/// ProtoJSON in both cases, with defaults such as `0` and `""`. `get` and `unassign` take many: each answer is a line then, in the order of
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
    /// List assignments: all, or those of policies and of a target
    List {
        /// Only of this policy; may be repeated
        #[arg(long, value_name = "UUID")]
        policy: Vec<String>,
        #[command(flatten)]
        target: OptionalTarget,
        #[command(flatten)]
        paging: Paging,
    },
    /// Show an assignment, or many
    Get(Uuids),
    /// Assign a policy to a target; it becomes the target's last
    Assign {
        /// The policy's uuid
        #[arg(long, value_name = "UUID")]
        policy: String,
        #[command(flatten)]
        target: Target,
    },
    /// Take a policy off its target, or many: assignments are removed by their uuids
    Unassign(Uuids),
    /// Give an assignment another rank; others move
    Rank {
        /// The assignment's uuid
        assignment: String,
        /// Its rank from now on; 1 is the highest
        rank: u32,
    },
}

#[derive(Args, Debug)]
#[group(required = true, multiple = false)]
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

#[derive(Args, Debug)]
#[group(multiple = false)]
struct OptionalTarget {
    /// Only on this device
    #[arg(long, value_name = "UUID")]
    device: Option<String>,
    /// Only on this group
    #[arg(long, value_name = "UUID")]
    group: Option<String>,
    /// Only on this subscription
    #[arg(long, value_name = "UUID")]
    subscription: Option<String>,
}

fn policy_target(
    device: Option<String>,
    group: Option<String>,
    subscription: Option<String>,
) -> Option<PolicyTarget> {
    let device = device.map(PolicyTarget::device);
    let group = || group.map(PolicyTarget::device_group);
    device.or_else(group).or_else(|| subscription.map(PolicyTarget::subscription))
}

const GONE: Gone = Gone { sentence: "Removed the assignment", verb: "removed" };

impl Assignments {
    pub fn run(self) -> Result<(), Failure> {
        let Self { connection, command } = self;
        match command {
            Command::Get(uuids) => uuids
                .get::<GetPolicyAssignment, _>(connection, |response| response.assignment.as_ref()),
            Command::Unassign(uuids) => {
                uuids.delete::<UnassignPolicy, PolicyAssignment>(connection, GONE)
            }
            command => {
                let request = command.request()?;
                connection.run(async |client, format| request.call(client, format).await)
            }
        }
    }
}

/// The arguments that set fields.
const FLAGS: Flags<'_> = &[
    ("policy_uuid", "--policy"),
    ("target.device_uuid", "--device"),
    ("target.device_group_uuid", "--group"),
    ("target.subscription_uuid", "--subscription"),
    ("assignment_uuid", "ASSIGNMENT"),
    ("rank", "RANK"),
];

/// One call.
enum Request {
    List(ListPolicyAssignmentsRequest),
    Assign(PolicyAssignment),
    Rank(UpdatePolicyAssignmentRankingRequest),
    /// These may be many.
    Other,
}

impl Command {
    /// What is asked for. What cannot be right is told before anything is connected.
    fn request(self) -> Result<Request, Failure> {
        Ok(match self {
            Self::List { policy, target, paging } => {
                let request = ListPolicyAssignmentsRequest {
                    policy_uuids: policy,
                    target: policy_target(target.device, target.group, target.subscription),
                    page_size: paging.page_size,
                    ..Default::default()
                };
                check(&request, FLAGS)?;
                Request::List(request)
            }
            Self::Assign { policy, target } => {
                let assignment = PolicyAssignment {
                    policy_uuid: policy,
                    target: policy_target(target.device, target.group, target.subscription),
                    ..PolicyAssignment::default()
                };
                check(&assignment, FLAGS)?;
                Request::Assign(assignment)
            }
            Self::Rank { assignment, rank } => {
                let request =
                    UpdatePolicyAssignmentRankingRequest { assignment_uuid: assignment, rank };
                check(&request, FLAGS)?;
                Request::Rank(request)
            }
            Self::Get(_) | Self::Unassign(_) => Request::Other,
        })
    }
}

impl Request {
    async fn call(self, client: Client, format: Format) -> Result<(), Failure> {
        let assignments = client.policy_assignments();
        match self {
            Self::List(request) => {
                let call = assignments.list_policy_assignments(request);
                listing::print(call, format, "assignment").await
            }
            Self::Assign(assignment) => {
                let response = assignments.assign_policy(assignment).send().await?.into_inner();
                details::print_created(format, &response, response.assignment.as_ref())
            }
            Self::Rank(request) => {
                let UpdatePolicyAssignmentRankingRequest { assignment_uuid, rank } = &request;
                let text = format!("The assignment {assignment_uuid} has rank {rank} now.");
                let response = assignments.update_policy_assignment_ranking(request).await?;
                Output::print_done(format, &response, &text)
            }
            Self::Other => Ok(()),
        }
    }
}

impl Row for PolicyAssignment {
    const HEADERS: &'static [&'static str] = &["UUID", "RANK", "POLICY", "ON", "TARGET"];
    // A rank says nothing without its target.
    const MIN_COLUMNS: usize = 5;

    fn cells(&self, _brief: bool) -> Vec<String> {
        let (kind, uuid) = target(self);
        vec![
            self.uuid.clone(),
            self.rank.to_string(),
            self.policy_uuid.clone(),
            kind.to_owned(),
            uuid.to_owned(),
        ]
    }
}

/// The kind of target, and which.
fn target(assignment: &PolicyAssignment) -> (&'static str, &str) {
    use policy_target::Target;
    match assignment.target.as_ref().and_then(|target| target.target.as_ref()) {
        Some(Target::DeviceUuid(uuid)) => ("device", uuid),
        Some(Target::DeviceGroupUuid(uuid)) => ("group", uuid),
        Some(Target::SubscriptionUuid(uuid)) => ("subscription", uuid),
        None => ("", ""),
    }
}

impl Details for PolicyAssignment {
    const NAME: &'static str = "assignment";

    fn uuid(&self) -> &str {
        &self.uuid
    }

    fn fields(&self) -> Vec<(&'static str, Lines)> {
        let (kind, uuid) = target(self);
        vec![
            ("uuid", self.uuid.clone().into()),
            ("rank", self.rank.to_string().into()),
            ("policy", self.policy_uuid.clone().into()),
            (kind, uuid.to_owned().into()),
        ]
    }
}

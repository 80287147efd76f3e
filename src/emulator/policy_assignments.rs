//! The service `PolicyAssignments`.

use std::collections::BTreeSet;

use tonic::{Request, Response, Status};

use super::assignments::{self, ASSIGNMENT, parts};
use super::check;
use super::core::Core;
use super::failure::{Failure, Violations};
use super::fingerprint::Fingerprint;
use super::paging::Page;
use super::store::{ASSIGNMENT_IDS, ASSIGNMENTS, decode, row};
use crate::policy_management::v2::policy_assignments_server::PolicyAssignments;
use crate::policy_management::v2::policy_target::Target;
use crate::policy_management::v2::{
    AssignPolicyRequest, AssignPolicyResponse, GetPolicyAssignmentRequest,
    GetPolicyAssignmentResponse, ListPolicyAssignmentsRequest, ListPolicyAssignmentsResponse,
    PolicyAssignment, UnassignPolicyRequest, UnassignPolicyResponse,
    UpdatePolicyAssignmentRankingRequest, UpdatePolicyAssignmentRankingResponse,
};

/// A list is filtered by at most so many policies. Ours.
const MAX_FILTER: usize = 10_000;

/// Policy assignments, as ESET's Policy Management API has them
/// ([facts](crate::facts#policy-management)). Where the documentation is silent or unclear, this is what
/// the emulator does:
///
/// * A policy that is assigned to the same target again gets a second assignment.
/// * Targets are not looked up: any identifier will do.
/// * A list shows what fits all filters; with `policy_uuids` any of them.
#[derive(Clone, Debug)]
pub(crate) struct PolicyAssignmentsService(pub(crate) Core);

#[tonic::async_trait]
impl PolicyAssignments for PolicyAssignmentsService {
    async fn list_policy_assignments(
        &self,
        request: Request<ListPolicyAssignmentsRequest>,
    ) -> Result<Response<ListPolicyAssignmentsResponse>, Status> {
        let request = request.into_inner();
        let filter = Filter::new(&request)?;
        let page = Page::new(
            self.0.world.pages,
            filter.fingerprint(),
            request.page_size,
            &request.page_token,
        )?;
        let (assignments, next_page_token) = self
            .0
            .store
            .read(move |transaction| {
                let Some(start) = page.start() else { return Ok(Default::default()) };
                let table = transaction.open_table(ASSIGNMENTS)?;
                let all = table.range(start..)?.map(decode::<PolicyAssignment>);
                page.take(all.filter(|entry| match entry {
                    Ok((_, _, assignment)) => filter.fits(assignment),
                    Err(_) => true,
                }))
            })
            .await?;
        Ok(Response::new(ListPolicyAssignmentsResponse { assignments, next_page_token }))
    }

    async fn assign_policy(
        &self,
        request: Request<AssignPolicyRequest>,
    ) -> Result<Response<AssignPolicyResponse>, Status> {
        let assignment = request.into_inner().assignment;
        let assignment = assignment.ok_or_else(|| Failure::invalid("assignment", "must be set"))?;
        let assignment = self
            .0
            .write(move |tables, world| assignments::assign(tables, world, assignment))
            .await?;
        Ok(Response::new(AssignPolicyResponse { assignment: Some(assignment) }))
    }

    async fn get_policy_assignment(
        &self,
        request: Request<GetPolicyAssignmentRequest>,
    ) -> Result<Response<GetPolicyAssignmentResponse>, Status> {
        let uuid = request.into_inner().assignment_uuid;
        check::id("assignment_uuid", &uuid)?;
        let assignment = self
            .0
            .store
            .read(move |transaction| {
                let ids = transaction.open_table(ASSIGNMENT_IDS)?;
                let table = transaction.open_table(ASSIGNMENTS)?;
                let found: Option<PolicyAssignment> = match ids.get(uuid.as_str())? {
                    Some(sequence) => row(&table, sequence.value())?,
                    None => None,
                };
                found.ok_or_else(|| Failure::not_found(ASSIGNMENT, &uuid))
            })
            .await?;
        Ok(Response::new(GetPolicyAssignmentResponse { assignment: Some(assignment) }))
    }

    async fn unassign_policy(
        &self,
        request: Request<UnassignPolicyRequest>,
    ) -> Result<Response<UnassignPolicyResponse>, Status> {
        let uuid = request.into_inner().assignment_uuid;
        check::id("assignment_uuid", &uuid)?;
        self.0.write(move |tables, _| assignments::unassign(tables, &uuid)).await?;
        Ok(Response::new(UnassignPolicyResponse {}))
    }

    async fn update_policy_assignment_ranking(
        &self,
        request: Request<UpdatePolicyAssignmentRankingRequest>,
    ) -> Result<Response<UpdatePolicyAssignmentRankingResponse>, Status> {
        let UpdatePolicyAssignmentRankingRequest { assignment_uuid, rank } = request.into_inner();
        check::id("assignment_uuid", &assignment_uuid)?;
        self.0
            .write(move |tables, _| assignments::update_ranking(tables, &assignment_uuid, rank))
            .await?;
        Ok(Response::new(UpdatePolicyAssignmentRankingResponse {}))
    }
}

/// Which assignments are wanted. Filters that are not set let everything through.
struct Filter {
    policy_uuids: BTreeSet<String>,
    policy_uuid: String,
    target: Option<Target>,
}

impl Filter {
    fn new(request: &ListPolicyAssignmentsRequest) -> Result<Self, Failure> {
        let mut violations = Violations::default();
        if request.policy_uuids.len() > MAX_FILTER {
            let limit = format!("at most {MAX_FILTER} policies are possible");
            return Err(Failure::invalid("policy_uuids", limit));
        }
        check::asks_to_fail(&request.policy_uuid)?;
        for (index, uuid) in request.policy_uuids.iter().enumerate() {
            check::asks_to_fail(uuid)?;
            check::note_id(&mut violations, &format!("policy_uuids[{index}]"), uuid);
        }
        if !request.policy_uuid.is_empty() {
            check::note_id(&mut violations, "policy_uuid", &request.policy_uuid);
        }
        let target = request.target.as_ref().and_then(|target| target.target.clone());
        if let Some(target) = &target {
            let (field, uuid) = parts(target);
            check::note_id(&mut violations, &format!("target.{field}"), uuid);
        }
        violations.check()?;
        let policy_uuids = request.policy_uuids.iter().cloned().collect();
        Ok(Self { policy_uuids, policy_uuid: request.policy_uuid.clone(), target })
    }

    fn fits(&self, assignment: &PolicyAssignment) -> bool {
        let is_target = |wanted| {
            assignment.target.as_ref().and_then(|target| target.target.as_ref()) == Some(wanted)
        };
        (self.policy_uuids.is_empty() || self.policy_uuids.contains(&assignment.policy_uuid))
            && (self.policy_uuid.is_empty() || self.policy_uuid == assignment.policy_uuid)
            && self.target.as_ref().is_none_or(is_target)
    }

    fn fingerprint(&self) -> Fingerprint {
        let mut print = Fingerprint::new().part("assignments").part(&self.policy_uuid);
        if let Some(target) = &self.target {
            let (kind, uuid) = parts(target);
            print = print.part(kind).part(uuid);
        }
        self.policy_uuids.iter().fold(print.part(""), |print, uuid| print.part(uuid))
    }
}

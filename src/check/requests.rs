//! Rules for the requests of the three services.

use std::time::SystemTime;

use super::policies::target;
use super::problem::{Findings, ProblemKind, Problems};
use super::tasks::note_triggers;
use super::uuid::{note_optional_uuid, note_uuid};
use super::{Check, Rules, check};
use crate::automation::v1::{
    CreateTaskRequest, DeleteTaskRequest, DeviceTask, GetTaskRequest, ListTaskRunsRequest,
    ListTasksRequest, UpdateTaskTargetsRequest, UpdateTaskTriggersRequest,
};
use crate::policy_management::v2::{
    AssignPolicyRequest, CreatePolicyRequest, DeletePolicyRequest, GetPolicyAssignmentRequest,
    GetPolicyRequest, ListPoliciesRequest, ListPolicyAssignmentsRequest, Policy, PolicyAssignment,
    UnassignPolicyRequest, UpdatePolicyAssignmentRankingRequest,
};
use crate::wkt::Timestamp;

macro_rules! checked {
    ($($message:ident)*) => { $(
        impl Check for $message {
            fn check(&self, now: SystemTime) -> Result<(), Problems> {
                check(self, now)
            }
        }
    )* };
}

checked! {
    DeviceTask Policy PolicyAssignment
    CreateTaskRequest DeleteTaskRequest GetTaskRequest ListTaskRunsRequest ListTasksRequest
    UpdateTaskTargetsRequest UpdateTaskTriggersRequest
    CreatePolicyRequest DeletePolicyRequest GetPolicyRequest ListPoliciesRequest
    AssignPolicyRequest GetPolicyAssignmentRequest ListPolicyAssignmentsRequest
    UnassignPolicyRequest UpdatePolicyAssignmentRankingRequest
}

/// Requests that identify one resource.
macro_rules! names_one {
    ($($request:ident by $field:ident;)*) => { $(
        impl Rules for $request {
            fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
                note_uuid(format_args!("{at}{}", stringify!($field)), &self.$field, found);
            }
        }
    )* };
}

names_one! {
    GetTaskRequest by task_uuid;
    DeleteTaskRequest by task_uuid;
    GetPolicyRequest by policy_uuid;
    DeletePolicyRequest by policy_uuid;
    GetPolicyAssignmentRequest by assignment_uuid;
    UnassignPolicyRequest by assignment_uuid;
}

/// Requests that contain the resource to create.
macro_rules! creates {
    ($($request:ident of $field:ident;)*) => { $(
        impl Rules for $request {
            fn note(&self, at: &str, found: &mut Findings, now: Timestamp) {
                let name = stringify!($field);
                match &self.$field {
                    Some(item) => item.note(&format!("{at}{name}."), found, now),
                    None => {
                        let (kind, field) = (ProblemKind::Refused, format_args!("{at}{name}"));
                        found.missing(kind, field, &format!("the {name}"));
                    }
                }
            }
        }
    )* };
}

creates! {
    CreateTaskRequest of task;
    CreatePolicyRequest of policy;
    AssignPolicyRequest of assignment;
}

/// The maximum length of a page token (`maxLength` in ESET's OpenAPI documents).
const MAX_TOKEN: usize = 128;

fn note_token(at: &str, token: &str, found: &mut Findings) {
    if token.chars().nth(MAX_TOKEN).is_some() {
        let expected = format!("a token of at most {MAX_TOKEN} characters");
        found.wrong(ProblemKind::Refused, format_args!("{at}page_token"), token, &expected);
    }
}

impl Rules for ListTasksRequest {
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        note_token(at, &self.page_token, found);
    }
}

impl Rules for ListPoliciesRequest {
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        note_token(at, &self.page_token, found);
    }
}

impl Rules for ListTaskRunsRequest {
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        note_uuid(format_args!("{at}task_uuid"), &self.task_uuid, found);
        note_optional_uuid(format_args!("{at}device_uuid"), &self.device_uuid, found);
        note_token(at, &self.page_token, found);
    }
}

impl Rules for ListPolicyAssignmentsRequest {
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        for (index, uuid) in self.policy_uuids.iter().enumerate() {
            note_uuid(format_args!("{at}policy_uuids[{index}]"), uuid, found);
        }
        note_optional_uuid(format_args!("{at}policy_uuid"), &self.policy_uuid, found);
        if let Some((field, uuid)) = self.target.as_ref().and_then(target) {
            note_uuid(format_args!("{at}target.{field}"), uuid, found);
        }
        note_token(at, &self.page_token, found);
    }
}

impl Rules for UpdateTaskTargetsRequest {
    /// The targets may be empty: the task then runs on no further devices.
    fn note(&self, at: &str, found: &mut Findings, now: Timestamp) {
        note_uuid(format_args!("{at}task_uuid"), &self.task_uuid, found);
        match &self.targets {
            Some(targets) => targets.note(&format!("{at}targets."), found, now),
            None => found.missing(
                ProblemKind::Refused,
                format_args!("{at}targets"),
                "the targets, which may be empty",
            ),
        }
    }
}

impl Rules for UpdateTaskTriggersRequest {
    fn note(&self, at: &str, found: &mut Findings, now: Timestamp) {
        note_uuid(format_args!("{at}task_uuid"), &self.task_uuid, found);
        note_triggers(&format!("{at}triggers"), &self.triggers, found, now);
    }
}

impl Rules for UpdatePolicyAssignmentRankingRequest {
    /// ESET answers rank 0 with 400. Only the service knows whether a rank is too high.
    fn note(&self, at: &str, found: &mut Findings, _now: Timestamp) {
        note_uuid(format_args!("{at}assignment_uuid"), &self.assignment_uuid, found);
        if self.rank == 0 {
            let field = format_args!("{at}rank");
            found.wrong(ProblemKind::Refused, field, "0", "1 or more; 1 is the highest rank");
        }
    }
}

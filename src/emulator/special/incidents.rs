//! What incidents, their comments and detections do beside the standard methods
//! ([facts](crate::facts#incident-management)).
//!
//! Where the documentation is silent: closing an incident that is closed is `FAILED_PRECONDITION`, as reopening one
//! that is open is. Resolving a group resolves its detections, and a group is resolved when all of them are.

use prost::{Message, Name};

use crate::emulator::api::{Answer, write};
use crate::emulator::environment::Environment;
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read, within};
use crate::incident_management::v2::{
    CloseIncidentRequest, CloseIncidentResponse, Detection, DetectionGroup, Incident,
    IncidentComment, IncidentResolveReason, IncidentStatus, ReopenIncidentRequest,
    ReopenIncidentResponse, ResolveDetectionGroupRequest, ResolveDetectionGroupResponse,
    ResolveDetectionRequest, ResolveDetectionResponse,
};
use crate::rpc::eset::dotnod::incident_management::v2::detection_groups::ResolveDetectionGroup;
use crate::rpc::eset::dotnod::incident_management::v2::detections::ResolveDetection;
use crate::rpc::incidents::{CloseIncident, ReopenIncident};

pub(crate) fn methods() -> [(&'static str, Answer); 4] {
    [
        write::<CloseIncident>(close),
        write::<ReopenIncident>(reopen),
        write::<ResolveDetection>(resolve),
        write::<ResolveDetectionGroup>(resolve_group),
    ]
}

fn close(
    change: &mut Change<'_>,
    environment: &Environment,
    request: CloseIncidentRequest,
) -> Result<CloseIncidentResponse, Failure> {
    let uuid = &request.incident_uuid;
    set_status(change, environment, uuid, IncidentStatus::Closed, request.closure_reason)?;
    comment(change, environment, uuid, request.final_comment, true)?;
    Ok(CloseIncidentResponse {})
}

fn reopen(
    change: &mut Change<'_>,
    environment: &Environment,
    request: ReopenIncidentRequest,
) -> Result<ReopenIncidentResponse, Failure> {
    let uuid = &request.incident_uuid;
    let no_reason = IncidentResolveReason::Unspecified.into();
    set_status(change, environment, uuid, IncidentStatus::Open, no_reason)?;
    let comments = comments(uuid);
    let rows: Vec<_> = change.rows_from(&comments, 0)?.collect::<Result<_, _>>()?;
    for (sequence, row) in rows {
        let ordinary =
            IncidentComment { is_final_comment: false, ..IncidentComment::decode(row.as_slice())? };
        change.put(&comments, sequence, &ordinary.encode_to_vec())?;
    }
    comment(change, environment, uuid, request.comment, false)?;
    Ok(ReopenIncidentResponse {})
}

fn set_status(
    change: &mut Change<'_>,
    environment: &Environment,
    uuid: &str,
    status: IncidentStatus,
    reason: i32,
) -> Result<(), Failure> {
    let (sequence, mut incident) = change.get::<Incident>(uuid)?;
    if incident.status() == status {
        let state = if status == IncidentStatus::Open { "open" } else { "closed" };
        let description = format!("the incident `{uuid}` is {state} already");
        return Err(Failure::precondition("STATUS", uuid, description));
    }
    incident.resolve_reason = reason;
    incident.status = status.into();
    incident.update_time = Some(environment.now());
    change.write(sequence, &incident)
}

/// Returns the collection of an incident's comments.
pub(in crate::emulator) fn comments(incident: &str) -> String {
    within(&[Incident::full_name()], &[incident.to_owned()], &IncidentComment::full_name())
}

fn comment(
    change: &mut Change<'_>,
    environment: &Environment,
    incident: &str,
    comment: Option<IncidentComment>,
    is_final_comment: bool,
) -> Result<(), Failure> {
    let Some(comment) = comment else { return Ok(()) };
    let collection = comments(incident);
    let (sequence, uuid) = change.new_id(&collection, &*environment.ids)?;
    let now = Some(environment.now());
    let comment = IncidentComment {
        incident_uuid: incident.to_owned(),
        is_final_comment,
        create_time: now,
        update_time: now,
        uuid,
        ..comment
    };
    change.add(&collection, &comment.uuid, sequence, &comment.encode_to_vec())
}

fn resolve(
    change: &mut Change<'_>,
    environment: &Environment,
    request: ResolveDetectionRequest,
) -> Result<ResolveDetectionResponse, Failure> {
    let ResolveDetectionRequest { detection_uuid, note } = request;
    mark(change, environment, &detection_uuid, &note)?;
    let groups: Vec<_> =
        change.rows_from(&DetectionGroup::full_name(), 0)?.collect::<Result<_, _>>()?;
    for (sequence, row) in groups {
        let group = DetectionGroup::decode(row.as_slice())?;
        if group.detection_occurence_uuids.contains(&detection_uuid) {
            count(change, sequence, group)?;
        }
    }
    Ok(ResolveDetectionResponse {})
}

fn resolve_group(
    change: &mut Change<'_>,
    environment: &Environment,
    request: ResolveDetectionGroupRequest,
) -> Result<ResolveDetectionGroupResponse, Failure> {
    let uuid = &request.detection_group_uuid;
    let (sequence, mut group) = change.get::<DetectionGroup>(uuid)?;
    for detection in &group.detection_occurence_uuids {
        mark(change, environment, detection, &request.note)?;
    }
    group.note = request.note;
    count(change, sequence, group)?;
    Ok(ResolveDetectionGroupResponse {})
}

/// Marks a detection as resolved.
fn mark(
    change: &mut Change<'_>,
    environment: &Environment,
    uuid: &str,
    note: &str,
) -> Result<(), Failure> {
    let (sequence, mut detection) = change.get::<Detection>(uuid)?;
    if detection.occur_time.is_some_and(|time| time > environment.now()) {
        return Err(Failure::not_found(&Detection::full_name(), uuid));
    }
    detection.resolved = true;
    note.clone_into(&mut detection.note);
    change.write(sequence, &detection)
}

/// Counts the detections of a group that are resolved.
fn count(change: &mut Change<'_>, sequence: u64, mut group: DetectionGroup) -> Result<(), Failure> {
    group.resolved_count = 0;
    for uuid in &group.detection_occurence_uuids {
        let is_resolved = change.get::<Detection>(uuid)?.1.resolved;
        group.resolved_count = group.resolved_count.saturating_add(u32::from(is_resolved));
    }
    group.resolved = group.resolved_count == group.group_size;
    change.write(sequence, &group)
}

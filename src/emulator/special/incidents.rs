//! What incidents, their comments and detections do beyond the standard methods
//! ([facts](crate::facts#incident-management)).
//!
//! Where the documentation is silent: closing an incident that is closed is `FAILED_PRECONDITION`, as reopening one
//! that is open is. Resolving a group resolves its detections, and a group is resolved when all of them are.

use prost::{Message, Name};

use crate::emulator::api::{Special, write_only};
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read, within};
use crate::incident_management::v2::{
    Detection, DetectionGroup, Incident, IncidentComment, IncidentResolveReason, IncidentStatus,
    ReopenIncidentRequest, ResolveDetectionGroupRequest, ResolveDetectionRequest,
};
use crate::rpc::eset::dotnod::incident_management::v2::detection_groups::ResolveDetectionGroup;
use crate::rpc::eset::dotnod::incident_management::v2::detections::ResolveDetection;
use crate::rpc::incidents::{CloseIncident, ReopenIncident};

pub(crate) fn methods() -> [Special; 4] {
    [
        write_only::<CloseIncident>(|change, request| {
            let uuid = &request.incident_uuid;
            set_status(change, uuid, IncidentStatus::Closed, request.closure_reason)?;
            comment(change, uuid, request.final_comment, true)
        }),
        write_only::<ReopenIncident>(reopen),
        write_only::<ResolveDetection>(resolve),
        write_only::<ResolveDetectionGroup>(resolve_group),
    ]
}

fn reopen(change: &mut Change<'_>, request: ReopenIncidentRequest) -> Result<(), Failure> {
    let uuid = &request.incident_uuid;
    let no_reason = IncidentResolveReason::Unspecified.into();
    set_status(change, uuid, IncidentStatus::Open, no_reason)?;
    let comments = comments(uuid);
    let rows: Vec<_> = change.rows_from(&comments, 0)?.collect::<Result<_, _>>()?;
    for (sequence, row) in rows {
        let ordinary =
            IncidentComment { is_final_comment: false, ..IncidentComment::decode(row.as_slice())? };
        change.put(&comments, sequence, &ordinary.encode_to_vec())?;
    }
    comment(change, uuid, request.comment, false)
}

fn set_status(
    change: &mut Change<'_>,
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
    incident.update_time = Some(change.environment().now());
    change.write(sequence, &incident)
}

/// Returns the collection of an incident's comments.
fn comments(incident: &str) -> String {
    within(&[Incident::full_name()], &[incident.to_owned()], &IncidentComment::full_name())
}

fn comment(
    change: &mut Change<'_>,
    incident: &str,
    comment: Option<IncidentComment>,
    is_final_comment: bool,
) -> Result<(), Failure> {
    let Some(comment) = comment else { return Ok(()) };
    let collection = comments(incident);
    let (sequence, uuid) = change.new_id(&collection)?;
    let now = Some(change.environment().now());
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

fn resolve(change: &mut Change<'_>, request: ResolveDetectionRequest) -> Result<(), Failure> {
    let ResolveDetectionRequest { detection_uuid: uuid, note } = request;
    mark(change, &uuid, &note)?;
    let groups: Vec<_> =
        change.rows_from(&DetectionGroup::full_name(), 0)?.collect::<Result<_, _>>()?;
    for (sequence, row) in groups {
        let group = DetectionGroup::decode(row.as_slice())?;
        if group.detection_occurence_uuids.contains(&uuid) {
            count(change, sequence, group)?;
        }
    }
    Ok(())
}

fn resolve_group(
    change: &mut Change<'_>,
    request: ResolveDetectionGroupRequest,
) -> Result<(), Failure> {
    let (sequence, mut group) = change.get::<DetectionGroup>(&request.detection_group_uuid)?;
    for detection in &group.detection_occurence_uuids {
        mark(change, detection, &request.note)?;
    }
    group.note = request.note;
    count(change, sequence, group)
}

/// Marks a detection as resolved.
fn mark(change: &mut Change<'_>, uuid: &str, note: &str) -> Result<(), Failure> {
    let (sequence, mut detection) = change.get::<Detection>(uuid)?;
    if detection.occur_time.is_some_and(|time| time > change.environment().now()) {
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

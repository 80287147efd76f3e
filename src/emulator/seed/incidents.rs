//! Seeds detections on the devices of the company, groups of detections, and incidents over them.

use std::collections::BTreeSet;

use prost::Message;

use super::company::{GROUPS, read};
use super::times::Times;
use crate::emulator::failure::Failure;
use crate::emulator::special::incidents::comments;
use crate::emulator::store::{Change, Read};
use crate::incident_management::v1 as old;
use crate::incident_management::v2::{
    Detection, DetectionGroup, Device, Incident, IncidentComment, IncidentMetrics,
    IncidentSeverityLevel, IncidentStatus,
};

/// Two a day in the month before, the oldest first.
const PAST: u64 = 60;
/// One an hour in the two days after: the list grows.
const FUTURE: u64 = 48;

pub(super) fn fill(change: &mut Change<'_>, times: &Times) -> Result<(), Failure> {
    let kinds: Vec<Detection> = read(include_str!("detections.json"))?;
    let devices: Vec<_> = GROUPS.iter().flat_map(|group| group.devices).collect();
    let mut known = Vec::new();
    for (number, kind) in (0..PAST + FUTURE).zip(kinds.iter().cycle()) {
        let at = usize::try_from(number).unwrap_or_default() / kinds.len().max(1);
        let uuid = devices.iter().cycle().nth(at % devices.len().max(1)).map_or("", |uuid| uuid);
        let device: crate::device_management::v1::Device = change.get(uuid)?.1;
        let time = match PAST.checked_sub(number) {
            Some(halves) if halves > 0 => times.ago(halves * 43_200 - 3600),
            _ => times.later((number - PAST + 1) * 3600),
        };
        let detection = Detection {
            uuid: format!("de7ec700-0000-4000-8000-{:012x}", number + 1),
            occur_time: Some(time),
            resolved: number < PAST / 2,
            device: Some(Device { uuid: device.uuid, display_name: device.display_name }),
            ..kind.clone()
        };
        change.insert(&detection.uuid, &detection)?;
        change.insert(&detection.uuid, &before(&detection))?;
        if number < PAST {
            known.push(detection);
        }
    }
    for (number, kind) in (1..).zip(&kinds) {
        let same: Vec<_> = known.iter().filter(|it| it.display_name == kind.display_name).collect();
        group(change, number, &same)?;
    }
    for (number, detections) in (1..).zip(known.rchunks(4).take(3)) {
        incident(change, number, detections, times)?;
    }
    Ok(())
}

/// The detection as the first version of the service shows it. The numbers of the enums are the same.
fn before(detection: &Detection) -> old::Detection {
    let it = detection.clone();
    old::Detection {
        uuid: it.uuid,
        display_name: it.display_name,
        category: it.category,
        type_name: it.type_name,
        severity_level: it.severity_level,
        occur_time: it.occur_time,
        context: Some(old::DetectionContext {
            device_uuid: it.device.map(|device| device.uuid).unwrap_or_default(),
            user_name: it.user_name,
            process: it.process.map(|process| old::Process { path: process.path }),
            circumstances: it.circumstances,
        }),
        object_name: it.object_name,
        object_type_name: it.object_type_name,
        object_url: it.object_url,
        object_hash_sha1: it.object_hash_sha1,
        ..old::Detection::default()
    }
}

/// A group says what its oldest detection says ([facts](crate::facts#incident-management)).
fn group(change: &mut Change<'_>, number: u64, all: &[&Detection]) -> Result<(), Failure> {
    let Some(&oldest) = all.first() else { return Ok(()) };
    let it = oldest.clone();
    let count = |detections: usize| u32::try_from(detections).unwrap_or(u32::MAX);
    let resolved_count = count(all.iter().filter(|detection| detection.resolved).count());
    let group = DetectionGroup {
        uuid: format!("de7ec760-0000-4000-8000-{number:012x}"),
        display_name: it.display_name,
        category: it.category,
        type_name: it.type_name,
        severity_level: it.severity_level,
        severity_score: it.severity_score,
        occur_time: it.occur_time,
        group_size: count(all.len()),
        resolved_count,
        resolved: resolved_count == count(all.len()),
        device: it.device,
        user_name: it.user_name,
        object_name: it.object_name,
        object_type_name: it.object_type_name,
        object_hash_sha1: it.object_hash_sha1,
        edr_rule_uuid: it.edr_rule_uuid,
        detection_occurence_uuids: all.iter().map(|detection| detection.uuid.clone()).collect(),
        ..DetectionGroup::default()
    };
    change.insert(&group.uuid, &group)?;
    Ok(())
}

fn incident(
    change: &mut Change<'_>,
    number: u64,
    detections: &[Detection],
    times: &Times,
) -> Result<(), Failure> {
    let devices = detections.iter().filter_map(|it| Some(it.device.as_ref()?.uuid.clone()));
    let device_uuids: Vec<_> = devices.collect::<BTreeSet<_>>().into_iter().collect();
    let (status, assignee) = match number {
        1 => (IncidentStatus::Open, ""),
        2 => (IncidentStatus::InProgress, "05e70000-0000-4000-8000-000000000002"),
        _ => (IncidentStatus::Closed, "05e70000-0000-4000-8000-000000000002"),
    };
    let time = Some(times.ago(number * 86_400));
    let incident = Incident {
        uuid: format!("19c1de00-0000-4000-8000-{number:012x}"),
        display_name: format!("Suspicious activity {number}"),
        description: "Several detections within two days".to_owned(),
        status: status.into(),
        severity: IncidentSeverityLevel::High.into(),
        assignee_uuid: assignee.to_owned(),
        metrics: Some(IncidentMetrics {
            device_count: u32::try_from(device_uuids.len()).unwrap_or(u32::MAX),
            ..IncidentMetrics::default()
        }),
        detection_uuids: detections.iter().map(|detection| detection.uuid.clone()).collect(),
        device_uuids,
        create_time: time,
        update_time: time,
        ..Incident::default()
    };
    change.insert(&incident.uuid, &incident)?;
    let comment = IncidentComment {
        uuid: format!("c0997000-0000-4000-8000-{number:012x}"),
        incident_uuid: incident.uuid.clone(),
        text: "Looking into it.".to_owned(),
        create_time: time,
        update_time: time,
        ..IncidentComment::default()
    };
    let sequence = change.sequence()?;
    change.add(&comments(&incident.uuid), &comment.uuid, sequence, &comment.encode_to_vec())
}

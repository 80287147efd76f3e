//! Seeds detections on the devices of the company. Their groups and the incidents over them are in `fleet.json`.

use super::company::{groups, read};
use super::times::Times;
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::incident_management::v1 as old;
use crate::incident_management::v2::{Detection, Device};

/// Two a day in the month before, the oldest first.
const PAST: u64 = 60;
/// One an hour in the two days after: the list grows.
const FUTURE: u64 = 48;

pub(super) fn fill(change: &mut Change<'_>, times: &Times) -> Result<(), Failure> {
    let kinds: Vec<Detection> = read(include_str!("detections.json"))?;
    let devices: Vec<_> = groups().into_iter().flat_map(|group| group.devices).collect();
    for (number, kind) in (0..PAST + FUTURE).zip(kinds.iter().cycle()) {
        let at = usize::try_from(number).unwrap_or_default() / kinds.len().max(1);
        let uuid = devices.get(at % devices.len().max(1)).map_or("", String::as_str);
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

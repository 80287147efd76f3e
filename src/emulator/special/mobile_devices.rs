//! What mobile devices need to be enrolled ([facts](crate::facts#mobile-device-management)).

use std::collections::{BTreeMap, BTreeSet};

use crate::device_management::v1::{Device, DeviceEnrollmentStatus};
use crate::emulator::api::{Special, write};
use crate::emulator::failure::Failure;
use crate::emulator::store::{Change, Read};
use crate::emulator::time::later;
use crate::mobile_device_management::v1::{
    BatchActivateProductResponse, BatchGetEnrollmentLinksResponse, DeviceEnrollmentLink,
};
use crate::rpc::mobile_devices::{BatchActivateProduct, BatchGetEnrollmentLinks};

/// The maximum number of devices in a call.
const MAX_DEVICES: usize = 1000;
/// How long a link can be used. Ours.
const LINK_MILLIS: u64 = 7 * 24 * 60 * 60 * 1000;

pub(crate) fn methods() -> [Special; 2] {
    [
        write::<BatchActivateProduct, _>(|change, request| activate(change, &request.device_uuids)),
        write::<BatchGetEnrollmentLinks, _>(|change, request| links(change, &request.device_uuids)),
    ]
}

fn activate(
    change: &mut Change<'_>,
    uuids: &[String],
) -> Result<BatchActivateProductResponse, Failure> {
    let devices = pending(change, uuids)?;
    let groups: BTreeSet<_> = devices.iter().map(|device| &device.parent_group_uuid).collect();
    if groups.len() > 1 {
        let description = "the devices are in several groups".to_owned();
        return Err(Failure::precondition("GROUP", "device_uuids", description));
    }
    Ok(BatchActivateProductResponse { activation_task_trigger_uuid: id(change)? })
}

fn links(
    change: &mut Change<'_>,
    uuids: &[String],
) -> Result<BatchGetEnrollmentLinksResponse, Failure> {
    let mut enrollment_links = BTreeMap::new();
    let expire_time = Some(later(change.environment().now(), LINK_MILLIS));
    for device in pending(change, uuids)? {
        let uri = format!("https://enroll.example.com/{}", id(change)?);
        enrollment_links.insert(device.uuid, DeviceEnrollmentLink { uri, expire_time });
    }
    Ok(BatchGetEnrollmentLinksResponse { enrollment_links })
}

/// Returns an identifier of something that is stored nowhere.
fn id(change: &mut Change<'_>) -> Result<String, Failure> {
    let sequence = change.sequence()?;
    Ok(change.environment().ids.id(sequence))
}

/// Returns the devices, which must be mobile and not enrolled.
fn pending(change: &Change<'_>, uuids: &[String]) -> Result<Vec<Device>, Failure> {
    if uuids.len() > MAX_DEVICES {
        let expected = format!("expected at most {MAX_DEVICES} devices");
        return Err(Failure::invalid("device_uuids", expected));
    }
    let pending = |uuid: &String| {
        let (_, device) = change.get::<Device>(uuid)?;
        if device.is_mobile && device.enrollment_status() == DeviceEnrollmentStatus::Pending {
            return Ok(device);
        }
        let description = format!("the device `{uuid}` is enrolled or not mobile");
        Err(Failure::precondition("ENROLLMENT", uuid, description))
    };
    uuids.iter().map(pending).collect()
}

//! The import of devices ([facts](crate::facts#device-management)).

use std::collections::{BTreeMap, BTreeSet};

use prost::{Message, Name};
use tonic::{Code, Status};

use crate::device_management::v1::{
    Device, DeviceEnrollmentStatus, DeviceGroup, ImportDeviceBatchRequest,
    ImportDeviceBatchResponse,
};
use crate::emulator::api::{Special, write};
use crate::emulator::failure::Failure;
use crate::emulator::groups::place;
use crate::emulator::store::{Change, Read};
use crate::proto::google::rpc;
use crate::rpc::devices::ImportDeviceBatch;

/// The maximum number of devices in a call.
const MAX_DEVICES: usize = 1000;

pub(crate) fn method() -> Special {
    write::<ImportDeviceBatch, _>(import)
}

/// Imports devices, except those without a name and those whose name the group has.
fn import(
    change: &mut Change<'_>,
    request: ImportDeviceBatchRequest,
) -> Result<ImportDeviceBatchResponse, Failure> {
    let ImportDeviceBatchRequest { devices, parent_group_uuid } = request;
    if devices.len() > MAX_DEVICES {
        let limit = format!("devices: expected at most {MAX_DEVICES} devices");
        return Err(Failure::out_of_range(limit));
    }
    let mut names = BTreeSet::new();
    if let Some(twice) = devices.iter().position(|device| !names.insert(&device.display_name)) {
        let field = format!("devices[{twice}].display_name");
        return Err(Failure::invalid(
            field,
            "expected a name that no other device of the batch has",
        ));
    }
    if !parent_group_uuid.is_empty() {
        change.get::<DeviceGroup>(&parent_group_uuid)?;
    }
    let (mut imported, mut errors) = (Vec::new(), BTreeMap::new());
    for mut device in devices {
        if !parent_group_uuid.is_empty() {
            device.parent_group_uuid.clone_from(&parent_group_uuid);
        }
        let name = device.display_name.clone();
        match import_one(change, device) {
            Ok(device) => imported.push(device),
            Err(failure) => {
                let status = Status::from(failure);
                // The store failed, or what it holds is full: nothing is imported.
                if !matches!(status.code(), Code::InvalidArgument | Code::NotFound) {
                    return Err(status.into());
                }
                let (code, message) = (status.code().into(), status.message().to_owned());
                errors.insert(name, rpc::Status { code, message, details: Vec::new() });
            }
        }
    }
    Ok(ImportDeviceBatchResponse { devices: imported, errors })
}

fn import_one(change: &mut Change<'_>, mut device: Device) -> Result<Device, Failure> {
    if device.display_name.trim().is_empty() {
        return Err(Failure::invalid("display_name", "expected a name"));
    }
    let group = device.parent_group_uuid.clone();
    if !group.is_empty() {
        change.get::<DeviceGroup>(&group)?;
    }
    let kind = Device::full_name();
    let (sequence, uuid) = change.new_id(&kind)?;
    device.uuid = uuid;
    device.original_display_name.clone_from(&device.display_name);
    device.enrollment_status = DeviceEnrollmentStatus::Pending.into();
    change.add(&kind, &device.uuid, sequence, &device.encode_to_vec())?;
    place(change, &kind, sequence, "", &group)?;
    Ok(device)
}

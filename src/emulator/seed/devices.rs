//! Seeds groups of devices and the devices in them.

use prost::Name;
use serde::Deserialize;

use super::company::{device as company_device, groups, read};
use super::times::Times;
use crate::device_management::v1::{
    Bios, Device, DeviceEnrollmentStatus, DeviceFunctionalityStatus, DeviceGroup,
};
use crate::emulator::failure::Failure;
use crate::emulator::groups::place;
use crate::emulator::store::Change;

/// A kind of devices, in the group of the company that has it.
#[derive(Deserialize)]
struct Kind {
    prefix: String,
    group: String,
    device: Device,
}

const ALL: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0000";
const PHONES: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0004";
const BRANCHES: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0005";
const LOST_AND_FOUND: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0006";
/// The devices of a branch.
const BRANCH: usize = 100;
/// The devices of the company: those of its groups, and two phones.
pub(super) const COMPANY: usize = 14;

/// Stores the company and, in branches, the other devices that are asked for.
pub(super) fn fill(change: &mut Change<'_>, times: &Times, count: usize) -> Result<(), Failure> {
    group(change, ALL, "All", "")?;
    let groups = groups();
    for known in &groups {
        group(change, &known.uuid, known.name, ALL)?;
    }
    group(change, PHONES, "Phones", ALL)?;
    group(change, BRANCHES, "Branches", ALL)?;
    group(change, LOST_AND_FOUND, "Lost & found", ALL)?;
    let kinds: Vec<Kind> = read(include_str!("devices.json"))?;
    for kind in &kinds {
        let known = groups.iter().find(|group| group.uuid == kind.group);
        let phones = || [1, 2].map(|number| company_device(4, number)).to_vec();
        let uuids = known.map_or_else(phones, |group| group.devices.to_vec());
        for (number, uuid) in (1..).zip(uuids) {
            device(change, kind, number, &uuid, &kind.group, times)?;
        }
    }
    // Phones wait to be enrolled, others do not.
    let kinds = kinds.iter().filter(|kind| !kind.device.is_mobile).cycle();
    for (number, kind) in (COMPANY..count).zip(kinds) {
        let branch = number.saturating_sub(COMPANY) / BRANCH;
        let in_group = format!("c2b7e8d4-19a3-4f6e-8b21-5d91{branch:08x}");
        if number.saturating_sub(COMPANY) % BRANCH == 0 {
            let name = format!("Branch {:03}", branch.saturating_add(1));
            group(change, &in_group, &name, BRANCHES)?;
        }
        let uuid = format!("5f0c1a62-7d0e-4b57-9c35-30d3{number:08x}");
        device(change, kind, number, &uuid, &in_group, times)?;
    }
    Ok(())
}

/// Stores a static group.
fn group(change: &mut Change<'_>, uuid: &str, name: &str, parent: &str) -> Result<(), Failure> {
    let group = DeviceGroup {
        uuid: uuid.to_owned(),
        display_name: name.to_owned(),
        parent_group_uuid: parent.to_owned(),
        is_security_group: true,
        ..DeviceGroup::default()
    };
    let sequence = change.insert(uuid, &group)?;
    #[cfg(feature = "asset-management")]
    change.insert(
        uuid,
        &crate::asset_management::v1::Group {
            uuid: group.uuid,
            display_name: group.display_name,
            parent_group_uuid: group.parent_group_uuid,
            ..Default::default()
        },
    )?;
    place(change, &DeviceGroup::full_name(), sequence, "", parent)
}

fn device(
    change: &mut Change<'_>,
    kind: &Kind,
    number: usize,
    uuid: &str,
    group: &str,
    times: &Times,
) -> Result<(), Failure> {
    let mut device = kind.device.clone();
    let [_, _, high, low] = u32::try_from(number).unwrap_or_default().to_be_bytes();
    let family = kind.prefix.as_bytes().first().copied().unwrap_or_default();
    device.display_name = format!("{}-{number:02}", kind.prefix);
    device.original_display_name.clone_from(&device.display_name);
    device.primary_local_ip_address = format!("10.{}.{high}.{low}", family % 64);
    device.public_ip_address = "198.51.100.7".to_owned();
    if !device.is_mobile {
        device.enrollment_status = DeviceEnrollmentStatus::Finished.into();
        // Every tenth has a problem.
        let status = match number % 10 {
            4 => DeviceFunctionalityStatus::AttentionRequired,
            7 => DeviceFunctionalityStatus::AttentionRecommended,
            _ => DeviceFunctionalityStatus::Ok,
        };
        let is_ok = status == DeviceFunctionalityStatus::Ok;
        device.functionality_status = status.into();
        device.functionality_problem_count = u32::from(!is_ok);
        device.last_sync_time = Some(times.ago(60 * u64::from(low)));
    }
    for hardware in &mut device.hardware_profiles {
        let serial_number = format!("SN{family:02X}{number:06}");
        hardware.bios = Some(Bios { serial_number, ..Bios::default() });
        for adapter in &mut hardware.network_adapters {
            adapter.mac_address = format!("02:00:5e:{family:02x}:{high:02x}:{low:02x}");
        }
    }
    group.clone_into(&mut device.parent_group_uuid);
    uuid.clone_into(&mut device.uuid);
    let sequence = change.insert(uuid, &device)?;
    place(change, &Device::full_name(), sequence, "", group)
}

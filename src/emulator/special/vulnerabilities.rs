//! What is known of vulnerabilities by device, seen in other ways: those of operating systems, and the devices
//! that have any ([facts](crate::facts#vulnerability-management)).

use std::collections::BTreeMap;

use prost::{Message, Name};

use crate::emulator::api::{Special, list};
use crate::emulator::failure::Failure;
use crate::emulator::groups;
use crate::emulator::paging::Page;
use crate::emulator::store::{Read, Snapshot};
use crate::rpc::vulnerable_devices::{ListDeviceOsVulnerabilities, ListVulnerableDevices};
use crate::vulnerability_management::v1::{
    DeviceVulnerability, ListDeviceOsVulnerabilitiesRequest, ListDeviceOsVulnerabilitiesResponse,
    ListVulnerableDevicesRequest, ListVulnerableDevicesResponse, VulnerableDevice,
};

pub(crate) fn methods() -> [Special; 2] {
    [list::<ListDeviceOsVulnerabilities>(of_systems), list::<ListVulnerableDevices>(devices)]
}

/// Returns the vulnerabilities of a device, and of the devices in a group and those below it, as far as
/// these are set.
fn all(
    snapshot: &Snapshot<'_>,
    device: &str,
    group: &str,
) -> Result<Vec<(u64, DeviceVulnerability)>, Failure> {
    let groups = match group {
        "" => None,
        group => Some(groups::with_subgroups(snapshot, group)?),
    };
    let mut found = Vec::new();
    for row in snapshot.rows_from(&DeviceVulnerability::full_name(), 0)? {
        let (sequence, row) = row?;
        let it = DeviceVulnerability::decode(row.as_slice())?;
        let is_inside = groups.as_ref().is_none_or(|groups| groups.contains(&it.device_group_uuid));
        if is_inside && (device.is_empty() || device == it.device_uuid) {
            found.push((sequence, it));
        }
    }
    Ok(found)
}

fn of_systems(
    snapshot: &Snapshot<'_>,
    request: ListDeviceOsVulnerabilitiesRequest,
    page: Page,
) -> Result<ListDeviceOsVulnerabilitiesResponse, Failure> {
    let ListDeviceOsVulnerabilitiesRequest { device_uuid, device_group_uuid, .. } = request;
    let all = all(snapshot, &device_uuid, &device_group_uuid)?.into_iter();
    let rows = all.filter_map(|(sequence, it)| Some((sequence, it.os_vulnerability?)));
    let (vulnerabilities, next_page_token) =
        page.take(rows.map(|(sequence, it)| Ok((sequence, it.encoded_len(), it))))?;
    Ok(ListDeviceOsVulnerabilitiesResponse { vulnerabilities, next_page_token })
}

/// Lists devices in the order of their first vulnerabilities.
fn devices(
    snapshot: &Snapshot<'_>,
    request: ListVulnerableDevicesRequest,
    page: Page,
) -> Result<ListVulnerableDevicesResponse, Failure> {
    let ListVulnerableDevicesRequest { device_group_uuid, .. } = request;
    let (mut order, mut devices) = (BTreeMap::new(), BTreeMap::new());
    for (sequence, it) in all(snapshot, "", &device_group_uuid)? {
        let first = *order.entry(it.device_uuid.clone()).or_insert(sequence);
        let uuid = it.device_uuid;
        let device = devices
            .entry(first)
            .or_insert_with(|| VulnerableDevice { uuid, ..VulnerableDevice::default() });
        device.app_vulnerabilities.extend(it.application_vulnerability);
        device.os_vulnerabilities.extend(it.os_vulnerability);
        device.package_vulnerabilities.extend(it.package_vulnerability);
    }
    let rows = devices.into_iter();
    let (devices, next_page_token) =
        page.take(rows.map(|(first, device)| Ok((first, device.encoded_len(), device))))?;
    Ok(ListVulnerableDevicesResponse { devices, next_page_token })
}

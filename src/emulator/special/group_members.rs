//! The list of the devices in a group.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};

use prost::{Message, Name};

use crate::device_management::v1::{
    Device, DeviceGroup, ListMemberDevicesRequest, ListMemberDevicesResponse, MemberDevice,
};
use crate::emulator::api::{Special, list};
use crate::emulator::failure::Failure;
use crate::emulator::groups::{index, tally, with_subgroups};
use crate::emulator::paging::Page;
use crate::emulator::store::{Read, Snapshot};
use crate::rpc::device_groups::ListMemberDevices;

pub(crate) fn method() -> Special {
    list::<ListMemberDevices>(members)
}

/// Lists the devices of a group in the order of their creation.
fn members(
    snapshot: &Snapshot<'_>,
    request: ListMemberDevicesRequest,
    page: Page,
) -> Result<ListMemberDevicesResponse, Failure> {
    snapshot.get::<DeviceGroup>(&request.group_uuid)?;
    let groups = match request.recurse_subgroups {
        true => with_subgroups(snapshot, &request.group_uuid)?,
        false => BTreeSet::from([request.group_uuid]),
    };
    let kind = Device::full_name();
    let (mut heads, mut total_size) = (BinaryHeap::new(), 0_u64);
    let mut lists = Vec::new();
    for group in &groups {
        total_size = total_size.saturating_add(snapshot.number(&tally(&kind, group))?);
        if let Some(first) = page.start() {
            let mut members = snapshot.indexed(&index(&kind), group, first..=u64::MAX)?;
            if let Some(first) = members.next() {
                heads.push(Reverse((first?, lists.len())));
                lists.push(members);
            }
        }
    }
    // Merges the lists of the groups, each of which is in order.
    let merged = std::iter::from_fn(|| {
        let Reverse((sequence, list)) = heads.pop()?;
        match lists.get_mut(list).and_then(Iterator::next) {
            Some(Ok(next)) => heads.push(Reverse((next, list))),
            Some(Err(error)) => return Some(Err(error)),
            None => {}
        }
        Some(Ok(sequence))
    });
    let read = |sequence: Result<u64, Failure>| {
        let sequence = sequence?;
        let device = snapshot.at::<Device>(sequence)?;
        let device = device.ok_or_else(|| Failure::internal("a member that is not there"))?;
        let member = MemberDevice {
            uuid: device.uuid,
            display_name: device.display_name,
            group_uuid: device.parent_group_uuid,
        };
        Ok((sequence, member.encoded_len(), member))
    };
    let (devices, next_page_token) = page.take(merged.map(read))?;
    let total_size = u32::try_from(total_size).unwrap_or(u32::MAX);
    Ok(ListMemberDevicesResponse { devices, next_page_token, total_size })
}

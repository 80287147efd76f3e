//! Groups of devices: a tree, and the devices in it.
//!
//! A resource with a `parent_group_uuid` is a member of that group. A group of the asset management is the group of
//! devices with the same UUID. Where the documentation ([facts](crate::facts#asset-management)) is silent: a
//! new group without a parent is at the top, and moving a group below itself is `FAILED_PRECONDITION`.

use std::collections::BTreeSet;

use prost::{Message, Name};

use super::failure::Failure;
use super::store::{Change, Read};
use crate::device_management::v1::{Device, DeviceGroup};

/// The field that names the group of a resource.
pub(crate) const PARENT: &str = "parent_group_uuid";

/// The index of the members of a type, by group.
pub(crate) fn index(kind: &str) -> String {
    format!("members {kind}")
}

/// The number of members of a type in a group.
pub(crate) fn tally(kind: &str, group: &str) -> String {
    format!("members {kind} {group}")
}

/// Moves a resource from one group to another. Without a group it is in none.
pub(crate) fn place(
    change: &mut Change<'_>,
    kind: &str,
    sequence: u64,
    before: &str,
    after: &str,
) -> Result<(), Failure> {
    if before == after {
        return Ok(());
    }
    if !before.is_empty() {
        change.unlink(&index(kind), before, sequence)?;
        change.count_down(&tally(kind, before))?;
    }
    if !after.is_empty() {
        change.link(&index(kind), after, sequence, sequence)?;
        change.count_up(&tally(kind, after))?;
    }
    Ok(())
}

/// Returns the members of a type in a group, with their sequence numbers.
fn members<M: Message + Name + Default>(
    tables: &impl Read,
    group: &str,
) -> Result<Vec<(u64, M)>, Failure> {
    tables.linked(&index(&M::full_name()), group, 0..=u64::MAX)
}

/// Returns a group and all groups below it.
pub(crate) fn with_subgroups(tables: &impl Read, group: &str) -> Result<BTreeSet<String>, Failure> {
    let mut found = BTreeSet::from([group.to_owned()]);
    let mut next = vec![group.to_owned()];
    while let Some(group) = next.pop() {
        for (_, group) in members::<DeviceGroup>(tables, &group)? {
            if found.insert(group.uuid.clone()) {
                next.push(group.uuid);
            }
        }
    }
    Ok(found)
}

/// Returns the UUIDs of the devices in these groups.
pub(crate) fn devices(
    tables: &impl Read,
    groups: &BTreeSet<String>,
) -> Result<BTreeSet<String>, Failure> {
    let mut devices = BTreeSet::new();
    for group in groups {
        let members = members::<Device>(tables, group)?;
        devices.extend(members.into_iter().map(|(_, device)| device.uuid));
    }
    Ok(devices)
}

/// Deletes the groups and everything in them.
#[cfg(feature = "asset-management")]
pub(crate) fn remove(change: &mut Change<'_>, groups: &BTreeSet<String>) -> Result<(), Failure> {
    for group in groups {
        let kind = Device::full_name();
        for (sequence, device) in members::<Device>(change, group)? {
            place(change, &kind, sequence, group, "")?;
            change.remove(&kind, &device.uuid, sequence)?;
        }
        let (sequence, found) = change.get::<DeviceGroup>(group)?;
        place(change, &DeviceGroup::full_name(), sequence, &found.parent_group_uuid, "")?;
        change.remove(&DeviceGroup::full_name(), group, sequence)?;
    }
    Ok(())
}

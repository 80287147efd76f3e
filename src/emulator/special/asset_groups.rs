//! The groups of the asset management, each of which is a group of devices, too.

use prost::{Message, Name};

use crate::asset_management::v1::{Group, GroupEntityType, MoveGroupRequest, RenameGroupRequest};
use crate::device_management::v1::DeviceGroup;
use crate::emulator::api::{Special, write, write_only};
use crate::emulator::failure::Failure;
use crate::emulator::groups::{place, remove, with_subgroups};
use crate::emulator::store::{Change, Read};
use crate::rpc::groups::{CreateGroup, DeleteGroup, MoveGroup, RenameGroup};

/// The groups that ESET makes, which nobody changes ([facts](crate::facts#asset-management)).
const FIXED: [&str; 2] = ["All", "Lost & found"];

pub(crate) fn methods() -> [Special; 4] {
    [
        write::<CreateGroup, _>(|change, request| {
            create(change, request.group.unwrap_or_default())
        }),
        write_only::<DeleteGroup>(|change, request| delete(change, &request.group_uuid)),
        write::<MoveGroup, _>(move_to),
        write::<RenameGroup, _>(rename),
    ]
}

fn create(change: &mut Change<'_>, mut group: Group) -> Result<Group, Failure> {
    named("group.display_name", &group)?;
    if !group.parent_group_uuid.is_empty() {
        change.get::<DeviceGroup>(&group.parent_group_uuid)?;
    }
    group.uuid = change.new_id(&Group::full_name())?.1;
    store(change, group)
}

fn move_to(change: &mut Change<'_>, request: MoveGroupRequest) -> Result<Group, Failure> {
    let (uuid, parent) = (&*request.group_uuid, request.new_parent_uuid);
    let group = found(change, uuid)?;
    change.get::<DeviceGroup>(&parent)?;
    if with_subgroups(change, uuid)?.contains(&parent) {
        let description = format!("the group `{uuid}` cannot be below itself");
        return Err(Failure::precondition("CYCLE", uuid, description));
    }
    store(change, Group { parent_group_uuid: parent, ..group })
}

fn rename(change: &mut Change<'_>, request: RenameGroupRequest) -> Result<Group, Failure> {
    let RenameGroupRequest { group_uuid, display_name, .. } = request;
    let group = Group { display_name, ..found(change, &group_uuid)? };
    named("display_name", &group)?;
    store(change, group)
}

fn delete(change: &mut Change<'_>, uuid: &str) -> Result<(), Failure> {
    found(change, uuid)?;
    let groups = with_subgroups(change, uuid)?;
    remove(change, &groups)?;
    for group in &groups {
        if let Some(sequence) = change.sequence_of(&Group::full_name(), group)? {
            change.remove(&Group::full_name(), group, sequence)?;
        }
    }
    Ok(())
}

/// Returns a group that may be changed.
fn found(change: &Change<'_>, uuid: &str) -> Result<Group, Failure> {
    let (_, group) = change.get::<Group>(uuid)?;
    changeable(&group)?;
    Ok(group)
}

/// Refuses a group whose new name, in this field of the request, is empty or that of a fixed group.
fn named(field: &str, group: &Group) -> Result<(), Failure> {
    if group.display_name.trim().is_empty() {
        return Err(Failure::invalid(field, "expected a name"));
    }
    changeable(group)
}

fn changeable(group: &Group) -> Result<(), Failure> {
    let kind = group.linked_entity_type();
    if kind == GroupEntityType::Unspecified && !FIXED.contains(&group.display_name.as_str()) {
        return Ok(());
    }
    let name = &group.display_name;
    let description =
        format!("the group {name:?} can be neither created, renamed, moved nor deleted");
    Err(Failure::precondition("FIXED_GROUP", &group.uuid, description))
}

/// Writes a group, and the group of devices that it is.
fn store(change: &mut Change<'_>, group: Group) -> Result<Group, Failure> {
    let (kind, devices) = (Group::full_name(), DeviceGroup::full_name());
    let sequence = change.sequence_of(&kind, &group.uuid)?;
    let sequence = sequence.map_or_else(|| change.sequence(), Ok)?;
    change.add(&kind, &group.uuid, sequence, &group.encode_to_vec())?;
    let before = change.find(&devices, &group.uuid)?;
    let (sequence, mut of_devices) = match before {
        Some((sequence, row)) => (sequence, DeviceGroup::decode(row.as_slice())?),
        None => (change.sequence()?, DeviceGroup { is_security_group: true, ..Default::default() }),
    };
    let parent =
        std::mem::replace(&mut of_devices.parent_group_uuid, group.parent_group_uuid.clone());
    place(change, &devices, sequence, &parent, &group.parent_group_uuid)?;
    of_devices.uuid.clone_from(&group.uuid);
    of_devices.display_name.clone_from(&group.display_name);
    change.add(&devices, &group.uuid, sequence, &of_devices.encode_to_vec())?;
    Ok(group)
}

//! The groups of the asset management, each of which is a group of devices, too.

use prost::{Message, Name};

use crate::asset_management::v1::{
    CreateGroupRequest, CreateGroupResponse, DeleteGroupRequest, DeleteGroupResponse, Group,
    GroupEntityType, MoveGroupRequest, MoveGroupResponse, RenameGroupRequest, RenameGroupResponse,
};
use crate::device_management::v1::DeviceGroup;
use crate::emulator::api::{Answer, write};
use crate::emulator::environment::Environment;
use crate::emulator::failure::Failure;
use crate::emulator::groups::{place, remove, with_subgroups};
use crate::emulator::store::{Change, Read};
use crate::rpc::groups::{CreateGroup, DeleteGroup, MoveGroup, RenameGroup};

/// The groups that ESET makes, which nobody changes ([facts](crate::facts#asset-management)).
const FIXED: [&str; 2] = ["All", "Lost & found"];

pub(crate) fn methods() -> [(&'static str, Answer); 4] {
    [
        write::<CreateGroup>(create),
        write::<DeleteGroup>(delete),
        write::<MoveGroup>(move_group),
        write::<RenameGroup>(rename),
    ]
}

fn create(
    change: &mut Change<'_>,
    environment: &Environment,
    request: CreateGroupRequest,
) -> Result<CreateGroupResponse, Failure> {
    let mut group = request.group.ok_or_else(|| Failure::invalid("group", "must be set"))?;
    if group.display_name.trim().is_empty() {
        return Err(Failure::invalid("group.display_name", "expected a name"));
    }
    changeable(&group)?;
    if !group.parent_group_uuid.is_empty() {
        change.get::<DeviceGroup>(&group.parent_group_uuid)?;
    }
    group.uuid = change.new_id(&Group::full_name(), &*environment.ids)?.1;
    store(change, &group)?;
    Ok(CreateGroupResponse { group: Some(group) })
}

fn move_group(
    change: &mut Change<'_>,
    _: &Environment,
    request: MoveGroupRequest,
) -> Result<MoveGroupResponse, Failure> {
    let mut group = found(change, &request.group_uuid)?;
    change.get::<DeviceGroup>(&request.new_parent_uuid)?;
    if with_subgroups(change, &group.uuid)?.contains(&request.new_parent_uuid) {
        let description = format!("the group `{}` cannot be below itself", group.uuid);
        return Err(Failure::precondition("CYCLE", &group.uuid, description));
    }
    group.parent_group_uuid = request.new_parent_uuid;
    store(change, &group)?;
    Ok(MoveGroupResponse { group: Some(group) })
}

fn rename(
    change: &mut Change<'_>,
    _: &Environment,
    request: RenameGroupRequest,
) -> Result<RenameGroupResponse, Failure> {
    let mut group = found(change, &request.group_uuid)?;
    if request.display_name.trim().is_empty() {
        return Err(Failure::invalid("display_name", "expected a name"));
    }
    group.display_name = request.display_name;
    changeable(&group)?;
    store(change, &group)?;
    Ok(RenameGroupResponse { group: Some(group) })
}

fn delete(
    change: &mut Change<'_>,
    _: &Environment,
    request: DeleteGroupRequest,
) -> Result<DeleteGroupResponse, Failure> {
    let DeleteGroupRequest { group_uuid, .. } = request;
    let group = found(change, &group_uuid)?;
    let groups = with_subgroups(change, &group.uuid)?;
    remove(change, &groups)?;
    for group in &groups {
        if let Some(sequence) = change.sequence_of(&Group::full_name(), group)? {
            change.remove(&Group::full_name(), group, sequence)?;
        }
    }
    Ok(DeleteGroupResponse {})
}

/// Returns a group that may be changed.
fn found(change: &Change<'_>, uuid: &str) -> Result<Group, Failure> {
    let (_, group) = change.get::<Group>(uuid)?;
    changeable(&group)?;
    Ok(group)
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
fn store(change: &mut Change<'_>, group: &Group) -> Result<(), Failure> {
    let (kind, devices) = (Group::full_name(), DeviceGroup::full_name());
    let sequence = match change.sequence_of(&kind, &group.uuid)? {
        Some(sequence) => sequence,
        None => change.sequence()?,
    };
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
    change.add(&devices, &group.uuid, sequence, &of_devices.encode_to_vec())
}

//! Groups of devices and the devices in them.

use std::collections::BTreeSet;

use eset_protect::asset_management::v1::{
    CreateGroupRequest, DeleteGroupRequest, Group, MoveGroupRequest, RenameGroupRequest,
};
use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskTargets, ListTaskRunsRequest, Trigger,
};
use eset_protect::device_management::v1::{
    BatchGetDevicesRequest, Device, ImportDeviceBatchRequest, ListDevicesRequest,
    ListGroupsRequest, ListMemberDevicesRequest, MoveDeviceRequest, RenameDeviceRequest,
};

use crate::fleet::{ALL, SHOPS};
use crate::{Fixture, over_all_routes};

const REGISTER: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40101";

/// The number of a group's devices, with or without the groups below.
async fn size(fixture: &Fixture, group: &str, recurse_subgroups: bool) -> u32 {
    let request = ListMemberDevicesRequest {
        group_uuid: group.to_owned(),
        recurse_subgroups,
        page_size: 3,
        ..Default::default()
    };
    let groups = fixture.client.device_groups();
    let total = groups.list_member_devices(request.clone()).await.expect("devices").total_size;
    let mut items = groups.list_member_devices(request).items();
    let mut seen = BTreeSet::new();
    while let Some(device) = items.next().await {
        assert!(seen.insert(device.expect("a device").uuid));
    }
    assert_eq!(seen.len(), total as usize);
    total
}

#[tokio::test]
async fn groups_are_a_tree() {
    over_all_routes(async |fixture| {
        let (groups, devices) = (fixture.client.groups(), fixture.client.devices());
        assert_eq!((size(fixture, ALL, false).await, size(fixture, ALL, true).await), (0, 14));
        let group = Group {
            display_name: "Till".into(),
            parent_group_uuid: SHOPS.into(),
            ..Group::default()
        };
        let made = groups.create_group(CreateGroupRequest { group: Some(group) }).await;
        let made = fixture.note("made", made).expect("a group").uuid;
        let (device_uuid, new_parent_uuid) = (REGISTER.to_owned(), made.clone());
        let moved = devices.move_device(MoveDeviceRequest { device_uuid, new_parent_uuid }).await;
        fixture.note("moved", moved);
        assert_eq!((size(fixture, &made, false).await, size(fixture, SHOPS, false).await), (1, 3));
        assert_eq!(size(fixture, SHOPS, true).await, 4);

        // A task for the group reaches the devices of the groups below it.
        let task = DeviceTask {
            display_name: "all".into(),
            action: Some(Action::new("StopManaging")),
            targets: Some(DeviceTaskTargets {
                device_groups_uuids: vec![SHOPS.into()],
                ..Default::default()
            }),
            triggers: vec![Trigger::manual(None)],
            ..Default::default()
        };
        let task = fixture.client.device_tasks().create_task(task).await.expect("a task").uuid;
        let runs = ListTaskRunsRequest { task_uuid: task, ..Default::default() };
        let runs = fixture.client.device_tasks().list_task_runs(runs).await;
        assert_eq!(runs.expect("runs").task_runs.len(), 4);

        let rename = RenameGroupRequest { group_uuid: made.clone(), display_name: "Tills".into() };
        fixture.note("renamed", groups.rename_group(rename).await);
        let list = fixture.client.device_groups().list_groups(ListGroupsRequest::default()).await;
        let names: Vec<_> = list
            .expect("groups")
            .device_groups
            .into_iter()
            .map(|group| group.display_name)
            .collect();
        assert!(names.contains(&"Tills".to_owned()), "{names:?}");
        let below = |group: &str, parent: &str| MoveGroupRequest {
            group_uuid: group.to_owned(),
            new_parent_uuid: parent.to_owned(),
        };
        for (what, request) in [
            ("below itself", below(SHOPS, &made)),
            ("fixed", below(ALL, SHOPS)),
            ("nowhere", below(&made, "none")),
        ] {
            assert!(fixture.note(what, groups.move_group(request).await).is_none());
        }
        fixture.note("moved on", groups.move_group(below(&made, ALL)).await);
        assert_eq!(size(fixture, SHOPS, true).await, 3);
        let delete = DeleteGroupRequest { group_uuid: SHOPS.into(), ..Default::default() };
        fixture.note("deleted", groups.delete_group(delete).await);
        assert_eq!(size(fixture, ALL, true).await, 11);
        assert!(devices.get_device(REGISTER).await.is_ok());
    })
    .await;
}

#[tokio::test]
async fn devices_are_imported_renamed_and_found() {
    over_all_routes(async |fixture| {
        let devices = fixture.client.devices();
        let device = |name: &str| Device { display_name: name.to_owned(), ..Device::default() };
        let import = |devices: Vec<Device>, group: &str| ImportDeviceBatchRequest {
            devices,
            parent_group_uuid: group.to_owned(),
        };
        let batch = vec![device("new"), device("")];
        let made = devices.import_device_batch(import(batch, SHOPS)).await.expect("devices");
        assert_eq!((made.devices.len(), made.errors.len()), (1, 1));
        fixture.note("imported", Ok(made.devices[0].clone()));
        assert_eq!(size(fixture, SHOPS, false).await, 5);
        let twice = import(vec![device("x"), device("x")], SHOPS);
        assert!(fixture.note("twice", devices.import_device_batch(twice).await).is_none());
        let uuid = &made.devices[0].uuid;
        let rename = RenameDeviceRequest { device_uuid: uuid.clone(), display_name: "n2".into() };
        fixture.note("renamed", devices.rename_device(rename).await);
        let named = |names: &[&str]| ListDevicesRequest {
            display_names: names.iter().map(|&name| name.to_owned()).collect(),
            ..Default::default()
        };
        let found = devices.list_devices(named(&["n2", "LAPTOP-01"])).await.expect("devices");
        assert_eq!(found.devices.len(), 2);
        let uuids = |uuids: &[&str]| BatchGetDevicesRequest {
            devices_uuids: uuids.iter().map(|&uuid| uuid.to_owned()).collect(),
        };
        let got = devices.batch_get_devices(uuids(&[uuid, REGISTER])).await.expect("devices");
        assert_eq!(got.devices.iter().map(|it| &*it.uuid).collect::<Vec<_>>(), [&**uuid, REGISTER]);
        for (what, request) in [("none", uuids(&[])), ("missing", uuids(&[REGISTER, "no"]))] {
            assert!(fixture.note(what, devices.batch_get_devices(request).await).is_none());
        }
    })
    .await;
}

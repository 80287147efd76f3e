//! The seeded company: its groups, devices, detections and incidents hang together, and what changes one of them
//! is seen in the others.

use std::collections::BTreeSet;
use std::time::Duration;

use eset_protect::Call;
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
use eset_protect::iam::v2::{
    AssignRoleRequest, ListRolesRequest, RevokeRoleRequest, Scope, ScopedRole, SubjectType,
};
use eset_protect::incident_management::v2::{
    CloseIncidentRequest, IncidentComment, IncidentResolveReason, IncidentStatus,
    ListDeltaDetectionsRequest, ListDetectionGroupsRequest, ListDetectionsRequest,
    ListEdrRulesRequest, ListIncidentCommentsRequest, ListIncidentsRequest, ReopenIncidentRequest,
    ResolveDetectionGroupRequest, SearchDetectionGroupsRequest, UpdateEdrRuleDefinitionRequest,
    UpdateIncidentBasicAttributesRequest,
};
use eset_protect::network_access_protection::v1::{ListIpSetsRequest, UpdateIpSetRequest};
use eset_protect::policy_management::v2::ListPoliciesRequest;
use eset_protect::quarantine_management::v1::{
    BatchRestoreQuarantinedObjectsRequest, DownloadQuarantinedObjectsRequest,
    GetQuarantinedObjectsCountRequest, PurgeQuarantinedObjectsRequest, QuarantineFilter,
    QuarantineReason,
};
use eset_protect::rpc::detection_groups::SearchDetectionGroups;
use eset_protect::rpc::incidents::ListIncidents;
use eset_protect::user_management::v1::{ActiveUserProduct, ListUsersRequest};
use eset_protect::wkt::FieldMask;
use tonic::Code;

use crate::{Fixture, over_all_routes, over_all_routes_with};

const ALL: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0000";
const SHOPS: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001";
const REGISTER: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40101";
const INCIDENT: &str = "19c1de00-0000-4000-8000-000000000001";

/// The names of what a list has.
async fn names(list: Call<ListIncidents>) -> Vec<String> {
    let mut items = list.items();
    let mut names = Vec::new();
    while let Some(item) = items.next().await {
        names.push(item.expect("an incident").display_name);
    }
    names
}

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

#[tokio::test]
async fn incidents_are_closed_and_opened_again() {
    over_all_routes(async |fixture| {
        let incidents = fixture.client.incidents();
        let comments = fixture.client.incident_comments();
        let comment = |text: &str| {
            Some(IncidentComment { text: text.to_owned(), ..IncidentComment::default() })
        };
        let all = ListIncidentCommentsRequest { incident_uuid: INCIDENT.into() };
        let close = CloseIncidentRequest {
            incident_uuid: INCIDENT.into(),
            closure_reason: IncidentResolveReason::TruePositive.into(),
            final_comment: comment("done"),
        };
        let incident = incidents.get_incident(INCIDENT).await.expect("an incident");
        for uuid in &incident.detection_uuids {
            let detection = fixture.client.detections().get_detection(uuid.as_str()).await;
            let device = detection.expect("its detection").device.expect("a device").uuid;
            assert!(incident.device_uuids.contains(&device));
            assert!(fixture.client.devices().get_device(device.as_str()).await.is_ok());
        }
        fixture.note("closed", incidents.close_incident(close.clone()).await);
        assert!(fixture.note("again", incidents.close_incident(close).await).is_none());
        let closed = incidents.get_incident(INCIDENT).await.expect("an incident");
        assert_eq!(closed.status(), IncidentStatus::Closed);
        assert_eq!(closed.resolve_reason(), IncidentResolveReason::TruePositive);
        let listed = comments.list_incident_comments(all.clone()).await.expect("comments").comments;
        assert!(listed.last().is_some_and(|last| last.is_final_comment && last.text == "done"));
        let reopen =
            ReopenIncidentRequest { incident_uuid: INCIDENT.into(), comment: comment("no") };
        fixture.note("reopened", incidents.reopen_incident(reopen.clone()).await);
        assert!(fixture.note("is open", incidents.reopen_incident(reopen).await).is_none());
        let listed = comments.list_incident_comments(all).await;
        let listed = fixture.note("comments", listed).expect("comments").comments;
        assert!(listed.len() == 3 && listed.iter().all(|comment| !comment.is_final_comment));
        let update = UpdateIncidentBasicAttributesRequest {
            incident_uuid: INCIDENT.into(),
            display_name: "named".into(),
            description: "not this".into(),
            update_mask: Some(FieldMask { paths: vec!["display_name".into()] }),
            ..Default::default()
        };
        let updated = incidents.update_incident_basic_attributes(update).await;
        let updated = fixture.note("updated", updated).expect("an incident");
        assert_eq!(
            (&*updated.display_name, &updated.description),
            ("named", &incident.description)
        );
        let list = |filter: &str, order_by: &str| {
            let (filter, order_by) = (filter.to_owned(), order_by.to_owned());
            incidents.list_incidents(ListIncidentsRequest { filter, order_by, page_size: 2, ..Default::default() })
        };
        type List = ListIncidents;
        let by_name = List::SEVERITY.ascending().then(List::DISPLAY_NAME.descending());
        let all = names(list("", "").order_by(List::DISPLAY_NAME.descending())).await;
        assert_eq!(all, ["named", "Suspicious activity 3", "Suspicious activity 2"]);
        let third = List::DISPLAY_NAME.contains("3").or(List::UUID.eq("x"));
        let found = third.and(List::CREATE_TIME.le(fixture.now())).and(List::UUID.ne(INCIDENT));
        let found = names(list("", "").filter(found).order_by(by_name)).await;
        assert_eq!(found, ["Suspicious activity 3"]);
        let open = r#"!(status == INCIDENT_STATUS_CLOSED) && (metrics.deviceCount >= 1 || uuid != "") && create_time < timestamp("2999-01-01T00:00:00Z")"#;
        assert_eq!(names(list(open, "")).await.len(), 2);
        for (filter, order, expected) in [
            ("", "size", "expected a member of Incident, found \"size\""),
            ("displayNme == \"a\"", "", "did you mean \"displayName\"?"),
            ("status == OPEN", "", "expected one of INCIDENT_STATUS_UNSPECIFIED"),
            ("createTime > \"soon\"", "", "expected a time"),
            ("displayName.contains(\"a\"", "", "expected `)`"),
            ("displayName eq \"a\"", "", "expected one of == !="),
            ("metrics.devices == 1", "", "expected a member of IncidentMetrics"),
            ("displayName == 'a", "", "expected ' at the end"),
        ] {
            let refused = list(filter, order).await.expect_err(filter);
            assert_eq!(refused.code(), Code::InvalidArgument, "{filter}");
            assert!(refused.message().contains(expected), "{filter}: {refused}");
            fixture.note(expected, Err::<(), _>(refused));
        }
    })
    .await;
}

#[tokio::test]
async fn detections_grow_and_are_resolved() {
    over_all_routes(async |fixture| {
        let detections = fixture.client.detections();
        let delta = async |token: &str| {
            let request = ListDeltaDetectionsRequest { delta_token: token.to_owned() };
            detections.list_delta_detections(request).await.expect("a delta")
        };
        let latest = delta("latest").await;
        assert!(latest.created_detections.is_empty());
        assert!(delta(&latest.next_delta_token).await.created_detections.is_empty());
        let all = async || {
            let mut items = detections.list_detections(ListDetectionsRequest::default()).items();
            let mut times = Vec::new();
            while let Some(item) = items.next().await {
                times.push(item.expect("a detection").occur_time);
            }
            times
        };
        let before = all().await;
        assert!(before.is_sorted() && before.last() <= Some(&Some(fixture.now())));
        fixture.clock.advance(Duration::from_secs(3 * 3600));
        assert_eq!(all().await.len(), before.len() + 3);
        let news = delta(&latest.next_delta_token).await;
        assert_eq!(news.created_detections.len(), 3);
        assert!(delta(&news.next_delta_token).await.created_detections.is_empty());
        let request = ListDetectionsRequest { start_time: before[50], ..Default::default() };
        let since = detections.list_detections(request).await.expect("detections");
        assert_eq!(since.detections.len(), before.len() + 3 - 50);
        let request = ListDeltaDetectionsRequest { delta_token: "no token".into() };
        let refused = detections.list_delta_detections(request).await;
        assert!(fixture.note("no token", refused).is_none());

        let uuid = "de7ec760-0000-4000-8000-000000000001";
        let groups = fixture.client.detection_groups();
        let group = groups.get_detection_group(uuid).await.expect("a group");
        assert!(!group.resolved && group.resolved_count < group.group_size);
        let (detection_group_uuid, note) = (uuid.to_owned(), "known".to_owned());
        let request = ResolveDetectionGroupRequest { detection_group_uuid, note };
        fixture.note("resolved", groups.resolve_detection_group(request).await);
        let group = groups.get_detection_group(uuid).await.expect("a group");
        assert!(group.resolved && group.resolved_count == group.group_size);
        for uuid in &group.detection_occurence_uuids {
            let detection = detections.get_detection(uuid.as_str()).await.expect("a detection");
            assert!(detection.resolved && detection.note == "known");
        }
        type Search = SearchDetectionGroups;
        let search = async |filter| {
            let call = groups.search_detection_groups(SearchDetectionGroupsRequest::default());
            call.filter(filter).await.expect("groups").detection_groups.len()
        };
        let wanted = Search::RESOLVED.eq(true).and(Search::DEVICE_UUID.ne("\"none\""));
        assert_eq!(wanted.to_string(), r#"resolved eq 1 and device.uuid ne "\"none\"""#);
        assert_eq!(search(wanted.clone()).await, 1);
        let all = groups.list_detection_groups(ListDetectionGroupsRequest::default());
        let all = all.await.expect("groups").detection_groups.len();
        assert_eq!(search(wanted.or(Search::GROUP_SIZE.gt(0_u32))).await, all);
        let request =
            SearchDetectionGroupsRequest { filter: "a eq 1".into(), ..Default::default() };
        assert!(fixture.note("no member", groups.search_detection_groups(request).await).is_none());
    })
    .await;
}

#[tokio::test]
async fn the_quarantine_is_filtered_downloaded_and_purged() {
    over_all_routes(async |fixture| {
        let objects = fixture.client.quarantined_objects();
        let malware = || {
            Some(QuarantineFilter {
                quarantine_reason: QuarantineReason::Malware.into(),
                ..Default::default()
            })
        };
        let count = async |filter: Option<QuarantineFilter>| {
            let request = GetQuarantinedObjectsCountRequest { filter };
            objects.get_quarantined_objects_count(request).await.expect("a count").object_count
        };
        assert_eq!((count(None).await, count(malware()).await), (3, 2));
        let subject = QuarantineFilter { email_subject: "WON".into(), ..Default::default() };
        assert_eq!(count(Some(subject)).await, 1);
        let request = DownloadQuarantinedObjectsRequest { filter: malware(), ..Default::default() };
        let body = objects.download_quarantined_objects(request).await;
        let body = fixture.note("downloaded", body).expect("an archive");
        assert!(body.content_type == "application/zip" && body.data.starts_with(b"PK"));
        let request = PurgeQuarantinedObjectsRequest { filter: malware(), ..Default::default() };
        fixture.note("purged", objects.purge_quarantined_objects(request).await);
        assert_eq!((count(None).await, count(malware()).await), (1, 0));
        let restore = |uuid: &str| BatchRestoreQuarantinedObjectsRequest {
            object_uuids: vec![uuid.to_owned()],
            ..Default::default()
        };
        let request = restore("9a8a0000-0000-4000-8000-000000000001");
        let gone = objects.batch_restore_quarantined_objects(request).await;
        assert!(fixture.note("gone", gone).is_none());
        let request = restore("9a8a0000-0000-4000-8000-000000000002");
        fixture.note("restored", objects.batch_restore_quarantined_objects(request).await);
        assert_eq!(count(None).await, 0);
    })
    .await;
}

#[tokio::test]
async fn rules_executables_users_and_roles_have_their_verbs() {
    over_all_routes(async |fixture| {
        let rules = fixture.client.edr_rules();
        let uuid = "ed200000-0000-4000-8000-000000000001";
        fixture.note("disabled", rules.disable_edr_rule(uuid).await);
        assert!(!rules.get_edr_rule(uuid).await.expect("a rule").enabled);
        fixture.note("enabled", rules.enable_edr_rule(uuid).await);
        assert!(rules.get_edr_rule(uuid).await.expect("a rule").enabled);
        let total = async |include_total_size| {
            let request = ListEdrRulesRequest { include_total_size, ..Default::default() };
            rules.list_edr_rules(request).await.expect("rules").total_size
        };
        assert_eq!((total(true).await, total(false).await), (3, 0));

        let update = |xml: &str| UpdateEdrRuleDefinitionRequest {
            rule_uuid: uuid.to_owned(),
            xml_definition: xml.to_owned(),
        };
        let xml = "<rule><description><name>new &amp; named</name></description></rule>";
        let changed = rules.update_edr_rule_definition(update(xml)).await;
        fixture.note("changed", changed);
        assert_eq!(rules.get_edr_rule(uuid).await.expect("a rule").display_name, "new & named");
        let refused = rules.update_edr_rule_definition(update("<rule>")).await;
        assert!(fixture.note("no XML", refused).is_none());

        let executables = fixture.client.executables();
        let uuid = "e8ec0000-0000-4000-8000-000000000001";
        fixture.note("blocked", executables.block_executable(uuid).await);
        assert!(executables.get_executable(uuid).await.expect("an executable").is_blocked);
        fixture.note("unblocked", executables.unblock_executable(uuid).await);
        assert!(!executables.get_executable(uuid).await.expect("an executable").is_blocked);

        let users = fixture.client.users();
        let request = ListUsersRequest { email: "PETER".into(), ..Default::default() };
        let found = users.list_users(request).await.expect("users");
        assert_eq!((found.total_size, found.users.len()), (1, 1));
        let active = |active_product| ListUsersRequest {
            active_product: Some(active_product),
            ..Default::default()
        };
        let id = found.users[0].active_product_ids.first().copied().unwrap_or_default();
        let product = ActiveUserProduct { id, ..Default::default() };
        assert!(users.list_users(active(product)).await.expect("users").total_size > 0);
        let product = ActiveUserProduct { id: 9999, ..Default::default() };
        assert_eq!(users.list_users(active(product)).await.expect("users").total_size, 0);
        let product = ActiveUserProduct { name: "x".into(), ..Default::default() };
        assert!(fixture.note("no names", users.list_users(active(product)).await).is_none());

        let provider = fixture.client.identity_provider();
        let scope = |uuid: &str| Scope { asset_group_uuid: uuid.to_owned(), ..Scope::default() };
        let role = |scopes| Some(ScopedRole { role_name: "reader".into(), scopes });
        let subject = found.users[0].uuid.clone();
        let assign = AssignRoleRequest {
            subject_reference: subject.clone(),
            subject_type: SubjectType::User.into(),
            role: role(vec![scope(ALL), scope(SHOPS)]),
        };
        fixture.note("assigned", provider.assign_role(assign).await);
        let revoke = RevokeRoleRequest {
            subject_reference: subject.clone(),
            subject_type: SubjectType::User.into(),
            role: role(vec![scope(ALL)]),
        };
        fixture.note("revoked", provider.revoke_role(revoke).await);
        let request = ListRolesRequest { subject_reference: subject, ..Default::default() };
        let roles = provider.list_roles(request).await.expect("roles").assignments;
        let scopes: Vec<_> = roles[0].roles.iter().map(|role| role.scopes.len()).collect();
        assert_eq!(scopes, [0, 1]);
    })
    .await;
}

#[tokio::test]
async fn what_is_inside_a_policy_goes_with_it() {
    over_all_routes(async |fixture| {
        let (policies, sets) =
            (fixture.client.policies(), fixture.client.network_access_configurator());
        let all = policies.list_policies(ListPoliciesRequest::default()).await.expect("policies");
        let custom = all.policies.iter().find(|policy| !policy.built_in).expect("one").uuid.clone();
        let list = ListIpSetsRequest { policy_uuid: custom.clone(), ..Default::default() };
        let found = sets.list_ip_sets(list.clone()).await.expect("sets").ip_sets;
        assert_eq!(found.len(), 2);
        for (index, mut set) in found.into_iter().enumerate() {
            set.display_name.push('!');
            let (policy_uuid, ip_set_uuid) = (custom.clone(), set.uuid.clone());
            let fixed = set.built_in || set.read_only;
            let request = UpdateIpSetRequest { policy_uuid, ip_set_uuid, ip_set: Some(set) };
            let renamed = sets.update_ip_set(request).await;
            assert_eq!(fixture.note(&format!("set {index}"), renamed).is_none(), fixed);
        }
        fixture.note("deleted", policies.delete_policy(custom.as_str()).await);
        assert!(fixture.note("no policy", sets.list_ip_sets(list).await).is_none());
    })
    .await;
}

#[tokio::test]
async fn a_strict_emulator_refuses_what_no_eset_understands() {
    let task = || DeviceTask {
        display_name: "scan".into(),
        action: Some(Action::new("OnDemandScn")),
        triggers: vec![Trigger::manual(Some(eset_protect::wkt::Timestamp::default()))],
        ..Default::default()
    };
    over_all_routes_with(
        |builder| builder.strict(true),
        async |fixture| {
            let refused = fixture.client.device_tasks().create_task(task()).await;
            let error = refused.expect_err("it is wrong");
            assert_eq!(error.code(), Code::InvalidArgument);
            let details: Vec<_> =
                error.details().iter().map(|it| serde_json::to_string(it).expect("JSON")).collect();
            for field in ["task.action.name", "task.targets", "expire_time", "OnDemandScan"] {
                assert!(details.concat().contains(field), "{field}: {details:?}");
            }
            fixture.note("refused", Err::<(), _>(error));
        },
    )
    .await;
}

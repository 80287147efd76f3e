//! Creating, reading, changing and deleting tasks.

use std::time::Duration;

use eset_protect::automation::v1::{
    Action, CreateTaskRequest, CreateTaskResponse, DeleteTaskRequest, DeviceTask, DeviceTaskSource,
    DeviceTaskTargets, GetTaskRequest, ListTasksRequest, Trigger, UpdateTaskTargetsRequest,
    UpdateTaskTriggersRequest,
};
use eset_protect::proto::eset::dotnod::os_integration::v1::KillProcessByPidRequest;
use eset_protect::proto::eset_protect::v1::UnknownAny;
use eset_protect::proto::google::rpc::ResourceInfo;
use eset_protect::wkt::Any;
use eset_protect::wkt::Timestamp;
use tonic::Code;

use crate::fixture::*;

type RunCommand = eset_protect::proto::era::common::data_definition::task::os::RunCommand;

#[tokio::test]
async fn a_task_needs_an_action_and_a_trigger() {
    let mut fixture = fixture().await;
    let reply = fixture.tasks.create_task(CreateTaskRequest { task: None }).await;
    assert_eq!(wrong_fields(reply), ["task"]);
    let fields = wrong_fields(create(&mut fixture, DeviceTask::default()).await);
    assert_eq!(fields, ["task.action", "task.triggers"]);
    let mut nameless = task("a", &[]);
    nameless.action = Some(Action::default());
    nameless.triggers = vec![Trigger { kind: None }];
    let fields = wrong_fields(create(&mut fixture, nameless).await);
    assert_eq!(fields, ["task.action.name", "task.triggers[0].manual"]);
    let fields = wrong_fields(create(&mut fixture, task("a", &["d", ""])).await);
    assert_eq!(fields, ["task.targets.devices_uuids[1]"]);
    assert!(list(&mut fixture).await.is_empty(), "a refused task leaves nothing");
}

#[tokio::test]
async fn params_of_known_types_are_checked_and_others_kept_untouched() {
    let mut fixture = fixture().await;
    let with = |name: &str, params| DeviceTask {
        action: Some(Action { name: name.to_owned(), params }),
        ..task("a", &[])
    };
    let command = |line: &str| {
        Some(Any::pack(&RunCommand { command_line: Some(line.into()), ..Default::default() }))
    };
    let kill = |sha1: &str| {
        let sha1 = sha1.to_owned();
        Some(Any::pack(&KillProcessByPidRequest {
            executable_hash_sha1: sha1,
            ..Default::default()
        }))
    };
    for params in [None, command("")] {
        let fields = wrong_fields(create(&mut fixture, with("RunCommand", params)).await);
        assert_eq!(fields, ["task.action.params.commandLine"]);
    }
    for params in [None, kill("")] {
        let fields = wrong_fields(create(&mut fixture, with("KillProcessByPid", params)).await);
        assert_eq!(fields, ["task.action.params.executable_hash_sha1"]);
    }
    let mut broken = command("x");
    broken.as_mut().unwrap().value = vec![0xff].into();
    let fields = wrong_fields(create(&mut fixture, with("RunCommand", broken)).await);
    assert_eq!(fields, ["task.action.params"]);

    let mut extra = command("dir").unwrap();
    extra.value = [&extra.value[..], &[0xf8, 0x3f, 0x01]].concat().into();
    let unknown =
        Any::pack(&UnknownAny { type_url: "x/New".into(), json: r#"{"a":1e999}"#.into() });
    let nonsense = Any { type_url: "x/Y".into(), value: vec![0xff, 0xff].into() };
    for params in [command("dir"), kill("00"), Some(extra), Some(unknown), Some(nonsense)] {
        let created = fixture.create(with("RunCommand", params.clone())).await;
        let action = get(&mut fixture, &created.uuid).await.unwrap().action.unwrap();
        assert_eq!(action.params, params);
    }
}

#[tokio::test]
async fn the_server_sets_what_is_its_own() {
    let mut fixture = fixture().await;
    let mut sent = task("a", &["d"]);
    sent.uuid = "mine".into();
    sent.version_id = 7;
    sent.create_time = Some(Timestamp { seconds: 1, nanos: 0 });
    sent.update_time = sent.create_time;
    sent.source = DeviceTaskSource::ExternalAutomation.into();
    if let Some(eset_protect::automation::v1::trigger::Kind::Manual(manual)) =
        &mut sent.triggers[0].kind
    {
        manual.create_time = sent.create_time;
    }
    let made = fixture.create(sent).await;
    let now = Some(fixture.now());
    assert!(!made.uuid.is_empty() && made.uuid != "mine");
    assert_eq!((made.version_id, made.create_time, made.update_time), (1, now, now));
    assert_eq!(made.source(), DeviceTaskSource::Unspecified);
    assert!(!made.asset_group_uuid.is_empty());
    let month = fixture.clock_plus(30);
    assert_eq!(made.triggers, [trigger_at(now, Some(month))]);
    assert_eq!(get(&mut fixture, &made.uuid).await.unwrap(), made);
}

#[tokio::test]
async fn tasks_of_one_template_are_apart_until_its_founder_is_deleted() {
    let mut fixture = fixture().await;
    let founder = fixture.create(task("weekly", &["a"])).await;
    let second = fixture.create(task("weekly", &["b"])).await;
    let third = fixture.create(task("weekly", &["c"])).await;
    let mut other = task("weekly", &["a"]);
    other.description = "another template".into();
    let other = fixture.create(other).await;
    assert_ne!(founder.uuid, second.uuid);
    assert_eq!(second.targets.as_ref().unwrap().devices_uuids, ["b"]);

    delete(&mut fixture, &second.uuid).await.unwrap();
    assert_eq!(uuids(&mut fixture).await, [&*founder.uuid, &third.uuid, &other.uuid]);
    delete(&mut fixture, &founder.uuid).await.unwrap();
    assert_eq!(uuids(&mut fixture).await, [&*other.uuid]);

    // The template is gone too, so the next task starts a new one.
    let again = fixture.create(task("weekly", &[])).await;
    let member = fixture.create(task("weekly", &[])).await;
    delete(&mut fixture, &member.uuid).await.unwrap();
    assert_eq!(uuids(&mut fixture).await, [&*other.uuid, &again.uuid]);
}

#[tokio::test]
async fn changes_count_versions() {
    let mut fixture = fixture().await;
    let made = fixture.create(task("a", &["d"])).await;
    fixture.clock.advance(Duration::from_secs(5));
    let targets = DeviceTaskTargets {
        devices_uuids: vec!["e".into()],
        device_groups_uuids: vec!["g".into()],
    };
    let request =
        UpdateTaskTargetsRequest { task_uuid: made.uuid.clone(), targets: Some(targets.clone()) };
    fixture.tasks.update_task_targets(request).await.unwrap();
    let changed = get(&mut fixture, &made.uuid).await.unwrap();
    assert_eq!((changed.version_id, changed.update_time), (2, Some(fixture.now())));
    assert_eq!((changed.create_time, changed.targets), (made.create_time, Some(targets)));

    fixture.clock.advance(Duration::from_secs(5));
    let request = UpdateTaskTriggersRequest {
        task_uuid: made.uuid.clone(),
        triggers: vec![manual(None), manual(None)],
    };
    fixture.tasks.update_task_triggers(request).await.unwrap();
    let changed = get(&mut fixture, &made.uuid).await.unwrap();
    assert_eq!((changed.version_id, changed.update_time), (3, Some(fixture.now())));
    assert_eq!(changed.triggers.len(), 2);

    let request = UpdateTaskTriggersRequest { task_uuid: made.uuid.clone(), triggers: vec![] };
    assert_eq!(wrong_fields(fixture.tasks.update_task_triggers(request).await), ["triggers"]);
    let request = UpdateTaskTargetsRequest { task_uuid: made.uuid.clone(), targets: None };
    assert_eq!(wrong_fields(fixture.tasks.update_task_targets(request).await), ["targets"]);
    assert_eq!(get(&mut fixture, &made.uuid).await.unwrap().version_id, 3);
}

#[tokio::test]
async fn identifiers_are_checked_and_unknown_ones_not_found() {
    let mut fixture = fixture().await;
    for uuid in [String::new(), "x".repeat(101)] {
        assert_eq!(
            wrong_fields(get(&mut fixture, &uuid).await.map(tonic::Response::new)),
            ["task_uuid"]
        );
        assert_eq!(delete(&mut fixture, &uuid).await.unwrap_err().code(), Code::InvalidArgument);
        let request = UpdateTaskTriggersRequest { task_uuid: uuid, triggers: vec![manual(None)] };
        assert_eq!(code(fixture.tasks.update_task_triggers(request).await), Code::InvalidArgument);
    }
    let long = "ž".repeat(100);
    let status = get(&mut fixture, &long).await.unwrap_err();
    assert_eq!(status.code(), Code::NotFound);
    let info: ResourceInfo = detail(&status);
    assert_eq!(info.resource_name, long);
    assert_eq!(info.resource_type, "eset.dotnod.automation.v1.DeviceTask");
    assert_eq!(delete(&mut fixture, "x").await.unwrap_err().code(), Code::NotFound);
}

#[tokio::test]
async fn too_much_is_refused_and_changes_nothing() {
    let mut fixture = fixture_with(|builder| builder.max_bytes(20_000)).await;
    let many: Vec<String> = (0..10_001).map(|n| n.to_string()).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert_eq!(code(create(&mut fixture, task("a", &many)).await), Code::ResourceExhausted);
    let crowded = DeviceTask { triggers: vec![manual(None); 101], ..task("a", &[]) };
    assert_eq!(wrong_fields(create(&mut fixture, crowded).await), ["task.triggers"]);
    // Within the limit for targets, but its runs do not fit into the store.
    assert_eq!(code(create(&mut fixture, task("a", &many[..1000])).await), Code::ResourceExhausted);
    assert!(list(&mut fixture).await.is_empty());
    let mut made = 0;
    while create(&mut fixture, task("a", &["d"])).await.is_ok() {
        made += 1;
        assert!(made < 1000, "the store never fills");
    }
    let first = uuids(&mut fixture).await.remove(0);
    delete(&mut fixture, &first).await.unwrap();
    assert!(list(&mut fixture).await.is_empty());
}

#[tokio::test]
async fn the_seed_has_pages_of_tasks_of_several_kinds() {
    let mut fixture = fixture_with(|builder| builder.seed(true)).await;
    let request = ListTasksRequest { page_size: 1000, ..Default::default() };
    let tasks = fixture.tasks.list_tasks(request).await.unwrap().into_inner().tasks;
    assert!((200..1000).contains(&tasks.len()), "{}", tasks.len());
    let kinds: std::collections::BTreeSet<_> =
        tasks.iter().map(|task| task.action.as_ref().unwrap().name.as_str()).collect();
    assert!(kinds.len() >= 6, "{kinds:?}");
    assert!(tasks.is_sorted_by_key(|task| task.create_time));
    let mut seen = std::collections::BTreeSet::new();
    for task in tasks {
        seen.extend(fixture.statuses(&task.uuid).await.into_iter().map(i32::from));
    }
    // Finished, failed, and the last one's are in progress.
    assert!(seen.contains(&3) && seen.contains(&4) && (seen.contains(&1) || seen.contains(&2)));
}

async fn create(fixture: &mut Fixture, task: DeviceTask) -> Reply<CreateTaskResponse> {
    fixture.tasks.create_task(CreateTaskRequest { task: Some(task) }).await
}

async fn get(fixture: &mut Fixture, uuid: &str) -> Result<DeviceTask, tonic::Status> {
    let request = GetTaskRequest { task_uuid: uuid.to_owned() };
    Ok(fixture.tasks.get_task(request).await?.into_inner().task.unwrap())
}

async fn delete(fixture: &mut Fixture, uuid: &str) -> Result<(), tonic::Status> {
    fixture.tasks.delete_task(DeleteTaskRequest { task_uuid: uuid.to_owned() }).await.map(drop)
}

async fn list(fixture: &mut Fixture) -> Vec<DeviceTask> {
    fixture.tasks.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner().tasks
}

async fn uuids(fixture: &mut Fixture) -> Vec<String> {
    list(fixture).await.into_iter().map(|task| task.uuid).collect()
}

fn trigger_at(create_time: Option<Timestamp>, expire_time: Option<Timestamp>) -> Trigger {
    use eset_protect::automation::v1::{ManualTrigger, trigger::Kind};
    Trigger { kind: Some(Kind::Manual(ManualTrigger { create_time, expire_time })) }
}

impl Fixture {
    fn clock_plus(&self, days: u64) -> Timestamp {
        self.at(Duration::from_secs(days * 86_400))
    }
}

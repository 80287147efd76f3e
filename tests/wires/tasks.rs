//! Device tasks.

use std::time::Duration;

use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskTargets, ListTaskRunsRequest, ListTasksRequest, Trigger,
    UpdateTaskTargetsRequest, UpdateTaskTriggersRequest,
};
use eset_protect::params::{
    KillProcessByPidRequest, OnDemandScan, RunCommand, on_demand_scan::ScanProfile,
};
use eset_protect::wkt::Any;

use crate::{Fixture, over_all_routes};

const DEVICE: &str = "123e4567-e89b-12d3-a456-426614174000";

pub fn task(name: &str, action: Action) -> DeviceTask {
    DeviceTask {
        display_name: name.to_owned(),
        action: Some(action),
        targets: Some(DeviceTaskTargets::devices([DEVICE])),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    }
}

pub fn scan() -> Action {
    Action::on_demand_scan(OnDemandScan {
        scan_profile: Some(ScanProfile::Custom.into()),
        custom_profile_name: Some("Zoë's 🔍 \"profile\" \u{1}".to_owned()),
        scan_targets: vec![String::new(), "eset://AllTargets".to_owned()],
        ..Default::default()
    })
}

async fn create(fixture: &mut Fixture, task: DeviceTask) -> DeviceTask {
    let created = fixture.client.device_tasks().create_task(task).await;
    fixture.note("created", created).expect("a task")
}

#[tokio::test]
async fn a_task_is_created_read_changed_and_deleted() {
    over_all_routes(async |fixture| {
        let created = create(fixture, task("Scan", scan())).await;
        let tasks = fixture.client.device_tasks();
        let read = tasks.get_task(created.uuid.as_str()).await;
        let read = fixture.note("read", read).expect("a task");
        assert_eq!(read, created);
        let params = read.action.and_then(|action| action.params).expect("params");
        assert_eq!(params.unpack::<OnDemandScan>().expect("a scan").scan_targets.len(), 2);

        fixture.clock.advance(Duration::from_millis(1500));
        let targets = UpdateTaskTargetsRequest {
            task_uuid: created.uuid.clone(),
            targets: Some(DeviceTaskTargets::groups(["a group / with ? # % marks"])),
        };
        fixture.note("targets", tasks.update_task_targets(targets).await);
        let triggers = UpdateTaskTriggersRequest {
            task_uuid: created.uuid.clone(),
            triggers: vec![Trigger::manual("2031-01-01T00:00:00.000000001Z".parse().ok())],
        };
        fixture.note("triggers", tasks.update_task_triggers(triggers).await);
        fixture.note("changed", tasks.get_task(created.uuid.as_str()).await);
        fixture.note("deleted", tasks.delete_task(created.uuid.as_str()).await);
        fixture.note("gone", tasks.get_task(created.uuid.as_str()).await);
        fixture.note("gone again", tasks.delete_task(created.uuid).await);
    })
    .await;
}

#[tokio::test]
async fn runs_progress_and_survive_their_task() {
    over_all_routes(async |fixture| {
        let created =
            create(fixture, task("Run", Action::run_command(RunCommand::new("ls")))).await;
        let tasks = fixture.client.device_tasks();
        let runs = ListTaskRunsRequest { task_uuid: created.uuid.clone(), ..Default::default() };
        for step in [0, 1, 10, 100, 1000] {
            fixture.clock.advance(Duration::from_secs(step));
            let listed = tasks.list_task_runs(runs.clone()).await;
            fixture.note(&format!("runs after {step} s more"), listed);
        }
        let last = ListTaskRunsRequest { list_only_last_runs: true, ..runs.clone() };
        fixture.note("last", tasks.list_task_runs(last).await);
        let device = ListTaskRunsRequest { device_uuid: "another".to_owned(), ..runs.clone() };
        fixture.note("of another device", tasks.list_task_runs(device).await);
        fixture.note("deleted", tasks.delete_task(created.uuid).await);
        fixture.note("runs remain", tasks.list_task_runs(runs).await);
    })
    .await;
}

#[tokio::test]
async fn lists_go_over_all_pages_while_tasks_come_and_go() {
    over_all_routes(async |fixture| {
        let tasks = fixture.client.device_tasks();
        let request = ListTasksRequest { page_size: 40, ..Default::default() };
        let mut pages = tasks.list_tasks(request).pages();
        let mut count = 0;
        while let Some(page) = pages.next().await {
            let page = fixture.note("page", page).expect("a page");
            count += page.tasks.len();
            let first = page.tasks.first().expect("a task on every page").uuid.clone();
            fixture.note("deleted", tasks.delete_task(first).await);
        }
        assert!(count > 40, "the seed has several pages");
        let mut left = tasks.list_tasks(ListTasksRequest::default()).items();
        let mut names = Vec::new();
        while let Some(task) = left.next().await {
            names.push(task.expect("a task").display_name);
        }
        fixture.say(format!("left {names:?}"));
    })
    .await;
}

#[tokio::test]
async fn page_sizes_and_foreign_tokens() {
    over_all_routes(async |fixture| {
        let tasks = fixture.client.device_tasks();
        for page_size in [0, 1, 1000, 1001, u32::MAX] {
            let request = ListTasksRequest { page_size, ..Default::default() };
            let listed = tasks.list_tasks(request).await.map(|page| page.tasks.len());
            fixture.note(&format!("size {page_size}"), listed);
        }
        for page_token in ["nonsense", "a b&c=d", "💥", &"x".repeat(200)] {
            let request =
                ListTasksRequest { page_token: page_token.to_owned(), ..Default::default() };
            fixture.note(page_token, tasks.list_tasks(request).await);
        }
    })
    .await;
}

#[tokio::test]
async fn params_that_nobody_here_knows_lose_nothing() {
    over_all_routes(async |fixture| {
        for json in [
            r#"{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","scanProfile":"Quantum","powerActions":{"postpone":"Never","x/y":[1.00]},"limit":12345678901234567890123.0e-2}"#,
            r#"{"@type":"type.googleapis.com/some.v9.Thing","a":{"b":[1e400,-0.0]},"z":"\u0000"}"#,
            r#"{"@type":"type.googleapis.com/google.protobuf.Duration","value":"1.500s"}"#,
            r#"{"@type":"type.googleapis.com/google.protobuf.Any","value":{"@type":"x/y.Z","n":1}}"#,
        ] {
            let params: Any = serde_json::from_str(json).expect("an Any");
            let action = Action { name: "Newer".to_owned(), params: Some(params.clone()) };
            let created = create(fixture, task(json, action)).await;
            let read = fixture.client.device_tasks().get_task(created.uuid).await;
            let read = fixture.note("read", read).expect("a task");
            let kept = read.action.and_then(|action| action.params).expect("params");
            assert_eq!(kept, params, "the same bytes");
            assert_eq!(serde_json::to_string(&kept).expect("JSON"), json);
        }
    })
    .await;
}

#[tokio::test]
async fn what_is_wrong_with_a_task_is_told_by_field() {
    over_all_routes(async |fixture| {
        let good = task("Good", scan());
        let kill = Action::kill_process_by_pid(KillProcessByPidRequest::default());
        let run = Action::run_command(RunCommand::default());
        for (what, wrong) in [
            ("no triggers", DeviceTask { triggers: vec![], ..good.clone() }),
            ("no action", DeviceTask { action: None, ..good.clone() }),
            ("no name", DeviceTask { action: Some(Action::new("")), ..good.clone() }),
            ("no hash", DeviceTask { action: Some(kill), ..good.clone() }),
            ("no command", DeviceTask { action: Some(run), ..good.clone() }),
        ] {
            assert!(
                fixture
                    .note(what, fixture.client.device_tasks().create_task(wrong).await)
                    .is_none()
            );
        }
        let nothing = eset_protect::automation::v1::CreateTaskRequest::default();
        fixture.note("no task", fixture.client.device_tasks().create_task(nothing).await);
    })
    .await;
}

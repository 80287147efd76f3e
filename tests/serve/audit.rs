//! The log of calls that change something.

use std::collections::HashMap;
use std::fs;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::automation::v1::{
    Action, DeviceTask, DeviceTaskTargets, ListTasksRequest, Trigger,
};
use eset_protect::emulator::{Auth, ConnectionLimits, Emulator, Fault};
use eset_protect::params::RunCommand;
use eset_protect::serve::{Access, AuditLog, Bridge, Caller, Identity, Rules, TokenHash};
use eset_protect::{Client, Error, Wire};
use serde_json::Value;
use tokio::sync::oneshot;
use tonic::Code;

use crate::calls::Silent;
use crate::support::directory::Directory;
use crate::{WIRES, builder, client, emulator};

const DEVICE: &str = "123e4567-e89b-12d3-a456-426614174000";
pub(super) const SECRET: &str = "hunter2-token";

pub(super) fn access(upstream: &str, wire: Wire, rules: Rules) -> Access {
    access_to(client(upstream, wire), rules)
}

fn access_to(upstream: Client, rules: Rules) -> Access {
    let caller = Caller::new("soar", Identity::Token(TokenHash::of(SECRET)));
    let access = Access::new().tenant("acme", upstream);
    access.caller(caller.tenant("acme").rules(rules)).unwrap()
}

pub(super) fn device_task() -> DeviceTask {
    // The commands of a task may have secrets.
    DeviceTask {
        display_name: "hunter2".into(),
        action: Some(Action::run_command(RunCommand {
            command_line: Some("login hunter2".into()),
            ..Default::default()
        })),
        targets: Some(DeviceTaskTargets::devices([DEVICE])),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    }
}

pub(super) async fn create(client: &Client, task: DeviceTask) -> Result<DeviceTask, Error> {
    let call = client.device_tasks().create_task(task);
    call.metadata("authorization", &format!("Bearer {SECRET}")).await
}

async fn list(client: &Client) -> Result<usize, Error> {
    let call = client.device_tasks().list_tasks(ListTasksRequest::default());
    let page = call.metadata("authorization", &format!("Bearer {SECRET}")).await;
    page.map(|page| page.tasks.len())
}

pub(super) fn lines(path: &std::path::Path) -> Vec<Value> {
    let text = fs::read_to_string(path).unwrap();
    assert!(!text.contains(SECRET) && !text.contains("hunter2"), "{text}");
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn each_write_has_a_line_before_and_after() {
    for (front, upstream) in WIRES.into_iter().flat_map(|front| WIRES.map(|wire| (front, wire))) {
        let emulator = emulator().await;
        let directory = Directory::new();
        let path = directory.join("audit.jsonl");
        let log = AuditLog::open(&path).unwrap();
        let rules = Rules::new().deny("DeviceTasks/DeleteTask".parse().unwrap());
        let bridge = Bridge::new(access(&emulator.endpoint(), upstream, rules)).audit(log.clone());
        let bridge = bridge.start().await.unwrap();
        let client = client(&bridge.endpoint(), front);
        list(&client).await.unwrap();
        assert_eq!(lines(&path).len(), 0, "reads are not logged");

        let task = create(&client, device_task()).await.unwrap();
        log.reopen().await.unwrap();
        let found = lines(&path);
        let of = |event: &str| found.iter().filter(|line| line["event"] == event).count();
        assert_eq!((found.len(), of("begin"), of("end")), (2, 1, 1), "{found:?}");
        let (begin, end) = (&found[0], &found[1]);
        for line in &found {
            assert_eq!(line["caller"], "soar");
            assert_eq!(line["tenant"], "acme");
            assert_eq!(line["rpc"], "eset.dotnod.automation.v1.DeviceTasks/CreateTask");
            assert_eq!(line["target"], "POST /v1/device_tasks");
            assert_eq!(line["call"], begin["call"]);
        }
        assert_eq!(begin["uuids"], serde_json::json!([DEVICE]));
        assert_eq!((&end["code"], &end["may_have_run"]), (&"OK".into(), &true.into()));

        // The same failure, and one that nobody knows the effect of.
        create(&client, DeviceTask::default()).await.unwrap_err();
        emulator.faults().push_for("CreateTask", Fault::status(Code::Internal, "no", Vec::new()));
        create(&client, device_task()).await.unwrap_err();
        let delete = client.device_tasks().delete_task(task.uuid.as_str());
        let delete = delete.metadata("authorization", &format!("Bearer {SECRET}")).await;
        assert!(delete.unwrap_err().is_permission_denied());
        bridge.shutdown().await;
        let found = lines(&path);
        let ends = found.iter().filter(|line| line["event"] == "end");
        let ends: Vec<_> = ends.map(|line| (&line["code"], &line["may_have_run"])).collect();
        let expected = [
            (&"OK".into(), &true.into()),
            (&"INVALID_ARGUMENT".into(), &false.into()),
            (&"INTERNAL".into(), &true.into()),
        ];
        assert_eq!(ends, expected, "{found:?}");
        let last = found.last().unwrap();
        assert_eq!(last["event"], "refused");
        assert_eq!(last["rpc"], "eset.dotnod.automation.v1.DeviceTasks/DeleteTask");
    }
}

#[tokio::test]
async fn a_failed_login_of_the_tenant_is_logged_as_the_caller_got_it() {
    let emulator = Emulator::builder().auth(Auth::new().account("ada", "secret"));
    let emulator = emulator.build().unwrap().start().await.unwrap();
    for (front, upstream) in WIRES.into_iter().flat_map(|front| WIRES.map(|wire| (front, wire))) {
        let upstream = builder(&emulator.endpoint(), upstream).login("ada", "guess");
        let directory = Directory::new();
        let path = directory.join("audit.jsonl");
        let bridge = Bridge::new(access_to(upstream.connect_lazy().unwrap(), Rules::new()));
        let bridge = bridge.audit(AuditLog::open(&path).unwrap()).start().await.unwrap();
        let error = create(&client(&bridge.endpoint(), front), device_task()).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        bridge.shutdown().await;
        let found = lines(&path);
        let end = found.last().unwrap();
        assert_eq!((&end["code"], &end["may_have_run"]), (&"UNAVAILABLE".into(), &false.into()));
    }
}

#[tokio::test]
async fn a_cancelled_write_has_an_end() {
    for front in WIRES {
        let (arrived, mut has_arrived) = oneshot::channel();
        let (dropped, is_dropped) = oneshot::channel();
        let silent = Silent(Mutex::new(vec![(arrived, dropped)]));
        let upstream = Client::builder("http://silent").transport(silent).connect_lazy().unwrap();
        let directory = Directory::new();
        let path = directory.join("audit.jsonl");
        let log = AuditLog::open(&path).unwrap();
        let bridge =
            Bridge::new(access_to(upstream, Rules::new())).audit(log).start().await.unwrap();
        let client = client(&bridge.endpoint(), front);
        tokio::select! {
            ended = create(&client, device_task()) => panic!("the upstream never answers: {ended:?}"),
            arrived = &mut has_arrived => arrived.unwrap(),
        }
        // The sender is dropped with the upstream call.
        assert!(is_dropped.await.is_err());
        bridge.shutdown().await;
        let found = lines(&path);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!(
            (&found[1]["code"], &found[1]["may_have_run"]),
            (&"CANCELLED".into(), &true.into())
        );
    }
}

/// Also those of the same connection, which HTTP/2 serves beside it.
#[tokio::test]
async fn a_server_that_stops_ends_the_calls_that_it_breaks_off() {
    const CALLS: usize = 20;
    for front in WIRES {
        let (arrive, mut arrived): (Vec<_>, Vec<_>) =
            (0..CALLS).map(|_| oneshot::channel()).unzip();
        let silent = arrive.into_iter().map(|arrive| (arrive, oneshot::channel().0)).collect();
        let upstream = Client::builder("http://silent").transport(Silent(Mutex::new(silent)));
        let directory = Directory::new();
        let path = directory.join("audit.jsonl");
        let mut limits = ConnectionLimits::default();
        limits.drain_time = Duration::ZERO;
        let bridge = Bridge::new(access_to(upstream.connect_lazy().unwrap(), Rules::new()));
        let bridge = bridge.audit(AuditLog::open(&path).unwrap()).connection_limits(limits);
        let bridge = bridge.worker_threads(2).start().await.unwrap();
        let client = client(&bridge.endpoint(), front);
        let calls =
            futures_util::future::join_all((0..CALLS).map(|_| create(&client, device_task())));
        let (ended, ()) = tokio::join!(calls, async {
            futures_util::future::join_all(&mut arrived).await;
            bridge.shutdown().await;
        });
        assert!(ended.iter().all(Result::is_err), "the upstream never answers: {ended:?}");
        let found = lines(&path);
        let of = |event: &str| found.iter().filter(|line| line["event"] == event).count();
        assert_eq!((of("begin"), of("end")), (CALLS, CALLS), "{front:?}");
        let ends = found.iter().filter(|line| line["event"] == "end");
        for end in ends {
            assert_eq!((&end["code"], &end["may_have_run"]), (&"CANCELLED".into(), &true.into()));
        }
    }
}

/// A full disk stops writes and not reads, and both sides are told.
#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_full_disk_stops_writes_alone() {
    let emulator = emulator().await;
    let notices = Arc::new(Mutex::new(Vec::new()));
    let told = Arc::clone(&notices);
    let directory = Directory::new();
    let path = directory.join("audit.jsonl");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let log = AuditLog::open(&path).unwrap();
    let bridge = Bridge::new(access(&emulator.endpoint(), Wire::Grpc, Rules::new()));
    let bridge = bridge.on_notice(move |notice| told.lock().unwrap().push(notice.to_owned()));
    let bridge = bridge.audit(log.clone()).start().await.unwrap();
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        let before = emulator.log().len();
        let error = create(&client, device_task()).await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable, "{error}");
        let expected =
            "the server's audit log cannot be written, so the call was not sent: No space";
        assert!(error.message().starts_with(expected), "{error}");
        assert_eq!(emulator.log().len(), before);
        list(&client).await.unwrap();
    }
    // There is room again.
    fs::remove_file(&path).unwrap();
    log.reopen().await.unwrap();
    create(&client(&bridge.endpoint(), Wire::Grpc), device_task()).await.unwrap();
    bridge.shutdown().await;
    assert_eq!(lines(&path).len(), 2);
    let notices = notices.lock().unwrap();
    assert_eq!(notices.len(), 2, "{notices:?}");
    assert!(notices[0].contains("calls that change something are refused"), "{notices:?}");
    assert!(notices[1].ends_with("is written again"), "{notices:?}");
}

#[tokio::test]
async fn a_dry_run_is_checked_logged_and_not_sent() {
    let emulator = emulator().await;
    for (front, upstream) in WIRES.into_iter().flat_map(|front| WIRES.map(|wire| (front, wire))) {
        let directory = Directory::new();
        let path = directory.join("audit.jsonl");
        let rules = Rules::new().dry_run("*/*".parse().unwrap());
        let bridge = Bridge::new(access(&emulator.endpoint(), upstream, rules));
        let bridge = bridge.audit(AuditLog::open(&path).unwrap()).start().await.unwrap();
        let client = client(&bridge.endpoint(), front);
        let before = emulator.log().len();
        let error = create(&client, device_task()).await.unwrap_err();
        // Over REST both are 400.
        let code =
            if front == Wire::Grpc { Code::FailedPrecondition } else { Code::InvalidArgument };
        assert_eq!(error.code(), code, "{error}");
        let expected = "dry run: valid, and not sent to the tenant \"acme\": POST /v1/device_tasks";
        assert_eq!(error.message(), expected);
        let detail: eset_protect::proto::google::rpc::PreconditionFailure = error.detail().unwrap();
        assert_eq!(detail.violations[0].r#type, "DRY_RUN");
        let incomplete = DeviceTask { triggers: Vec::new(), ..device_task() };
        let error = create(&client, incomplete).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert!(error.message().contains("triggers"), "{error}");
        let delete = client.device_tasks().delete_task("");
        let delete = delete.metadata("authorization", &format!("Bearer {SECRET}")).await;
        assert!(!delete.unwrap_err().message().contains("dry run"));
        assert_eq!(emulator.log().len(), before);
        list(&client).await.unwrap();
        let events: HashMap<_, _> = lines(&path)
            .into_iter()
            .map(|line| (line["event"].to_string(), line["uuids"].clone()))
            .collect();
        assert!(events.len() == 1 && events["\"dry_run\""].is_array(), "{events:?}");
    }
}

//! Data from one wire that the other cannot represent.

use eset_protect::automation::v1::{Action, DeviceTask, ListTasksRequest, Trigger};
use eset_protect::emulator::{Emulator, Running};
use eset_protect::params::{KillProcessByPidRequest, RunCommand};
use eset_protect::proto::eset_protect::v1::{UnknownAny, UnknownMember, UnknownMembers};
use eset_protect::wkt::{Any, TypeRegistry};
use eset_protect::{Client, Error, Wire};
use prost::{Message, Name};
use tonic::Code;

async fn emulator() -> Running {
    Emulator::builder().build().expect("an emulator").start().await.expect("an emulator")
}

async fn client(emulator: &Running, wire: Wire) -> Client {
    Client::builder(&emulator.endpoint()).wire(wire).connect().await.expect("a client")
}

fn any(type_url: &str, value: impl AsRef<[u8]>) -> Any {
    Any { type_url: type_url.to_owned(), value: value.as_ref().to_vec().into() }
}

fn task(name: &str, params: Any) -> DeviceTask {
    DeviceTask {
        display_name: name.to_owned(),
        action: Some(Action { name: "Action".to_owned(), params: Some(params) }),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    }
}

async fn list(client: &Client) -> Vec<DeviceTask> {
    let request = ListTasksRequest { page_size: 2, ..Default::default() };
    let mut items = client.device_tasks().list_tasks(request).items();
    let mut tasks = Vec::new();
    while let Some(task) = items.next().await {
        tasks.push(task.expect("a task"));
    }
    tasks
}

/// Whatever a gRPC client has stored, anyone can list it over REST and gets the same data.
#[tokio::test]
async fn a_list_over_rest_is_whole_whatever_came_over_grpc() {
    let emulator = emulator().await;
    let (grpc, rest) = (client(&emulator, Wire::Grpc).await, client(&emulator, Wire::Rest).await);
    let mut deep = Any::default();
    for _ in 0..150 {
        deep = Any::pack(&Action { name: String::new(), params: Some(deep) });
    }
    let url = RunCommand::type_url();
    let run = RunCommand::new("dir").encode_to_vec();
    let broken = UnknownAny { type_url: Action::type_url(), json: "{".to_owned() };
    let cases = [
        any("example.com/not.Registered", [8, 1]),
        any("example.com/not.Registered", []),
        any("", [8, 1]),
        any("example.com/", [8, 1]),
        any("google.protobuf.Struct", [0xff]),
        any("google.protobuf.StringValue", [10, 1, 0xff]),
        any("google.protobuf.Timestamp", [8, 0xff, 0xff, 0xff, 0xff, 0xff, 0x3f]),
        any("google.protobuf.FieldMask", [10, 1, b'A']),
        Any::pack(&Action { name: String::new(), params: Some(any("x.Y", [8, 1])) }),
        Any::pack(&broken),
        any("google.protobuf.BoolValue", [8, 1]),
        deep,
    ];
    for (index, params) in cases.iter().enumerate() {
        let task = task(&index.to_string(), params.clone());
        grpc.device_tasks().create_task(task).await.expect("it is stored");
    }
    let (over_grpc, over_rest) = (list(&grpc).await, list(&rest).await);
    assert_eq!(over_grpc.len(), cases.len());
    assert_eq!(over_rest, over_grpc);
    for (task, params) in over_rest.into_iter().zip(cases) {
        assert_eq!(task.action.and_then(|action| action.params), Some(params));
    }

    // A request is refused before it is sent.
    let wrong = any(&url, [&run[..], &[0xff]].concat());
    for params in [any("example.com/not.Registered", run), wrong] {
        let url = params.type_url.clone();
        let error = rest.device_tasks().create_task(task("last", params)).await.unwrap_err();
        let message = error.to_string();
        assert!(message.contains("`task.action.params`") && message.contains(&url), "{message}");
        assert!(!error.may_have_executed());
    }
    assert_eq!(list(&grpc).await.len(), over_grpc.len());
}

/// The rules for typed params apply in every form, and the checked form is stored.
#[tokio::test]
async fn params_are_checked_in_every_form() {
    let emulator = emulator().await;
    let (grpc, rest) = (client(&emulator, Wire::Grpc).await, client(&emulator, Wire::Rest).await);
    let kill = KillProcessByPidRequest { pid: 4, ..Default::default() };
    let hashed = KillProcessByPidRequest { executable_hash_sha1: "ab".repeat(20), ..kill.clone() };
    let unread = |hash: &str| {
        let type_url = KillProcessByPidRequest::type_url();
        Any::pack(&UnknownAny { type_url, json: format!(r#"{{"pid":4{hash}}}"#) })
    };
    let carried = |pointer: &str, json: &str| {
        let member = UnknownMember { pointer: pointer.to_owned(), json: json.to_owned() };
        let mut value = kill.encode_to_vec();
        let members = UnknownMembers { members: vec![member] };
        prost::encoding::message::encode(19_777, &members, &mut value);
        any(&KillProcessByPidRequest::type_url(), value)
    };
    let hash = format!("{:?}", "ab".repeat(20));
    for client in [&grpc, &rest] {
        for params in [
            Any::pack(&kill),
            unread(""),
            carried("/executableHashSha1", "\"\""),
            carried("/executableHashSha1", "null"),
            carried("/added", &hash),
        ] {
            let error: Error =
                client.device_tasks().create_task(task("kill", params)).await.unwrap_err();
            assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        }
        for params in [
            Any::pack(&hashed),
            unread(&format!(r#","executableHashSha1":{hash}"#)),
            carried("/executableHashSha1", &hash),
        ] {
            let created = client.device_tasks().create_task(task("kill", params)).await;
            let created = created.expect("it is created").action;
            assert_eq!(created.and_then(|action| action.params), Some(Any::pack(&hashed)));
        }
    }
}

/// A registry of the client's counts over REST as nothing is needed for over gRPC.
#[tokio::test]
async fn a_type_of_ones_own_passes_over_all_routes() {
    use added_service::proto::example::greeter::v1::Greeting;

    let emulator = emulator().await;
    let registry = added_service::types::register(TypeRegistry::default());
    let greeting = Greeting { int32_value: 7, ..Default::default() };
    for wire in [Wire::Grpc, Wire::Rest] {
        let with = Client::builder(&emulator.endpoint()).wire(wire).type_registry(registry.clone());
        let with = with.connect().await.expect("a client");
        let request = task(&format!("{wire:?}"), Any::pack(&greeting));
        let created = with.device_tasks().create_task(request).await.expect("a task");
        // Whoever wrote it, on whichever wire, both read it.
        for other in [Wire::Grpc, Wire::Rest] {
            let other =
                Client::builder(&emulator.endpoint()).wire(other).type_registry(registry.clone());
            let other = other.connect().await.expect("a client");
            let read = other.device_tasks().get_task(created.uuid.as_str()).await.expect("a task");
            let params = read.action.and_then(|action| action.params).expect("params");
            let unpacked = other.type_registry().scope(|| params.unpack::<Greeting>());
            assert_eq!(unpacked.expect("a greeting"), greeting);
        }
    }
    // Without it, nothing that could not be read is sent over REST.
    let without = client(&emulator, Wire::Rest).await;
    let error = without.device_tasks().create_task(task("refused", Any::pack(&greeting))).await;
    assert!(error.expect_err("no JSON").to_string().contains("add the type to a TypeRegistry"));
}

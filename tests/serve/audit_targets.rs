//! The audit log names what the upstream changes, whatever the bytes of the request look like.

use std::path::Path;

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::{
    Action, CreateTaskRequest, DeleteTaskRequest, DeviceTask, DeviceTaskTargets, ListTasksRequest,
};
use eset_protect::serve::{Access, AuditLog, Bridge, Caller, Identity, RunningBridge};
use eset_protect::wkt::Any;
use http::{HeaderMap, Request, Version};
use proptest::prelude::*;
use prost::Message;
use serde_json::Value;

use crate::support::directory::Directory;
use crate::{WIRES, client, emulator, send};

const DELETE: &str = "DeleteTask";
const ONE: &str = "123e4567-e89b-12d3-a456-426614174001";
const OTHER: &str = "123e4567-e89b-12d3-a456-426614174002";

/// Returns a field with a length in front.
fn field(number: u8, value: &[u8]) -> Vec<u8> {
    [&[number << 3 | 2, u8::try_from(value.len()).unwrap()], value].concat()
}

async fn audited(upstream: &str, wire: Wire, path: &Path) -> RunningBridge {
    let own = Caller::new("own", Identity::OwnToken).tenant("acme");
    let access = Access::new().tenant("acme", client(upstream, wire)).caller(own).unwrap();
    Bridge::new(access).audit(AuditLog::open(path).unwrap()).start().await.unwrap()
}

/// Makes a call with this message, and returns the head of the response.
async fn call(bridge: &RunningBridge, method: &str, message: &[u8]) -> HeaderMap {
    let length = u32::try_from(message.len()).unwrap().to_be_bytes();
    let body = Bytes::from([&[0][..], &length, message].concat());
    let endpoint = bridge.endpoint();
    let path = format!("{endpoint}/eset.dotnod.automation.v1.DeviceTasks/{method}");
    let request = Request::post(path).version(Version::HTTP_2);
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    let request = request.header("authorization", "Bearer one-of-many");
    send(request.body(body).unwrap()).await.headers().clone()
}

fn begun(path: &Path) -> Value {
    let text = std::fs::read_to_string(path).unwrap();
    let mut lines = text.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    lines.rfind(|line| line["event"] == "begin").unwrap()
}

#[tokio::test]
async fn the_target_is_the_one_that_the_upstream_understands() {
    let emulator = emulator().await;
    for wire in WIRES {
        let directory = Directory::new();
        let path = directory.join("audit.jsonl");
        let bridge = audited(&emulator.endpoint(), wire, &path).await;
        let (one, other) = (field(1, ONE.as_bytes()), field(1, OTHER.as_bytes()));

        call(&bridge, DELETE, &[one.clone(), other.clone()].concat()).await;
        let line = begun(&path);
        assert_eq!(line["target"], format!("DELETE /v1/device_tasks/{OTHER}"), "{wire:?}");
        if wire == Wire::Rest {
            let arrived = emulator.log().last().unwrap().path.clone();
            assert_eq!(arrived, format!("/v1/device_tasks/{OTHER}"));
        }

        // Other wire types are other fields for some servers, and a field without a number that this crate knows.
        for (message, uuids) in [
            (b"\x08A".to_vec(), None),
            (b"\x0dABCD".to_vec(), None),
            ([&other[..], b"\x08A"].concat(), Some(OTHER)),
            // Its length has more bytes than it needs.
            ([b"\x08A\x0a\xa4\x80\0", OTHER.as_bytes()].concat(), Some(OTHER)),
            (Vec::new(), None),
        ] {
            call(&bridge, DELETE, &message).await;
            let line = begun(&path);
            assert_eq!(line["target"], "unreadable", "{wire:?}: {message:?}");
            let expected = uuids.map_or(Value::Null, |uuid| serde_json::json!([uuid]));
            assert_eq!(line["uuids"], expected, "{wire:?}: {message:?}");
        }

        // A task with an action that no type here describes: no JSON, but a gRPC upstream may know it.
        let params = Some(Any { type_url: "unknown.example/x.Y".into(), value: "y".into() });
        let action = Some(Action { name: "y".into(), params });
        let targets = Some(DeviceTaskTargets::devices([ONE]));
        let task = Some(DeviceTask { action, targets, ..Default::default() });
        call(&bridge, "CreateTask", &CreateTaskRequest { task }.encode_to_vec()).await;
        let line = begun(&path);
        assert_eq!(line["target"], "unreadable", "{wire:?}: {line}");
        assert_eq!(line["uuids"], serde_json::json!([ONE]), "{wire:?}: {line}");
    }
}

#[tokio::test]
async fn a_caller_with_its_own_token_can_be_told_from_others() {
    let emulator = emulator().await;
    let directory = Directory::new();
    let path = directory.join("audit.jsonl");
    let bridge = audited(&emulator.endpoint(), Wire::Grpc, &path).await;
    call(&bridge, DELETE, &field(1, ONE.as_bytes())).await;
    let line = begun(&path);
    // printf %s one-of-many | sha256sum
    assert_eq!(line["token"], "d973bee09e977a65", "{line}");
    let peer = line["peer"].as_str().unwrap();
    let peer: std::net::SocketAddr = peer.parse().unwrap();
    assert!(peer.ip().is_loopback() && peer.port() != 0, "{line}");
    assert_eq!(line["caller"], "own");
}

/// A part of a request: what a list or a get has, or another field.
fn part() -> impl Strategy<Value = Vec<u8>> {
    let texts = prop_oneof![Just(""), Just(ONE), Just(OTHER), Just("é / ?"), Just(".")];
    prop_oneof![
        8 => (1_u8..6, texts).prop_map(|(number, text)| field(number, text.as_bytes())),
        1 => (1_u8..6, 0_u8..100).prop_map(|(number, value)| vec![number << 3, value]),
        1 => (1_u8..6).prop_map(|number| [&[number << 3 | 5][..], b"ABCD"].concat()),
    ]
}

/// What a REST upstream gets for any bytes is what it gets for the message that they are.
#[test]
fn any_encoding_of_a_message_is_the_same_request() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let emulator = runtime.block_on(emulator());
    let bridge = Bridge::to(client(&emulator.endpoint(), Wire::Rest));
    let bridge = runtime.block_on(bridge.start()).unwrap();
    let arrived = |method: &str, message: &[u8]| {
        let before = emulator.log().len();
        runtime.block_on(call(&bridge, method, message));
        emulator.log().get(before).map(|arrival| arrival.path.clone())
    };
    let parts = proptest::collection::vec(part(), 0..4);
    let mut runner = proptest::test_runner::TestRunner::new(crate::support::messages::config(100));
    let result = runner.run(&parts, |parts| {
        let message = parts.concat();
        let delete = DeleteTaskRequest::decode(&*message).map(|message| message.encode_to_vec());
        let list = ListTasksRequest::decode(&*message).map(|message| message.encode_to_vec());
        for (method, normal) in [(DELETE, delete), ("ListTasks", list)] {
            let expected = normal.ok().and_then(|normal| arrived(method, &normal));
            prop_assert_eq!(arrived(method, &message), expected, "{}: {:?}", method, message);
        }
        Ok(())
    });
    result.unwrap();
}

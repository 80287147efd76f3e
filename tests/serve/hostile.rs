//! Many tenants, and connections that mean no good.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use eset_protect::auth::{BoxFuture, StaticToken};
use eset_protect::automation::v1::{ListTasksRequest, ListTasksResponse};
use eset_protect::emulator::ConnectionLimits;
use eset_protect::serve::{Access, Bridge, Caller, Identity, TokenHash};
use eset_protect::transport::{Reply, Request as Attempt, Transport};
use eset_protect::{Client, Error, Wire};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic::Code;

use crate::support::scripted::Scripted;
use crate::{WIRES, client, emulator, exchange, send};

const TENANTS: usize = 1000;

/// An upstream that remembers the token and the mark of each call.
#[derive(Debug)]
struct Upstream(Arc<Mutex<Vec<[String; 2]>>>);

impl Transport for Upstream {
    fn send<'a>(&'a self, request: Attempt<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        let text = |name: &str| {
            let value = request.metadata().get(name);
            value.and_then(|value| value.to_str().ok()).unwrap_or_default().to_owned()
        };
        self.0.lock().unwrap().push([text("authorization"), text("x-mark")]);
        Box::pin(async { Ok(Reply::message(&ListTasksResponse::default())) })
    }
}

#[tokio::test]
async fn a_thousand_tenants_share_nothing() {
    let arrived: Vec<_> = (0..TENANTS).map(|_| Arc::default()).collect();
    let mut access = Access::new();
    for (number, arrived) in arrived.iter().enumerate() {
        let upstream = Client::builder("http://127.0.0.1")
            .credentials(StaticToken::new(format!("of-tenant-{number}")));
        let upstream = upstream.transport(Upstream(Arc::clone(arrived))).connect_lazy().unwrap();
        access = access.tenant(number.to_string(), upstream);
        let token = TokenHash::of(&format!("of-caller-{number}"));
        let caller = Caller::new(number.to_string(), Identity::Token(token));
        access = access.caller(caller.tenant(number.to_string())).unwrap();
    }
    let bridge = Bridge::new(access).start().await.unwrap();
    let clients = WIRES.map(|front| client(&bridge.endpoint(), front));
    let call = async |number: usize, tenant: usize| {
        let tasks = clients[number % 2].device_tasks();
        let call = tasks.list_tasks(ListTasksRequest::default());
        let call = call.metadata("authorization", &format!("Bearer of-caller-{number}"));
        let call = call.metadata("eset-protect-tenant", &tenant.to_string());
        call.metadata("x-mark", &number.to_string()).await.map_err(|error| error.code())
    };
    let numbers: Vec<_> = (0..TENANTS).collect();
    for part in numbers.chunks(100) {
        let calls = part.iter().map(async |number| {
            call(*number, *number).await.unwrap();
            let other = call(*number, (number + 1) % TENANTS).await;
            assert_eq!(other.unwrap_err(), tonic::Code::PermissionDenied);
        });
        futures_util::future::join_all(calls).await;
    }
    for (number, arrived) in arrived.iter().enumerate() {
        let expected = [format!("Bearer of-tenant-{number}"), number.to_string()];
        assert_eq!(*arrived.lock().unwrap(), [expected]);
    }
}

#[tokio::test]
async fn hostile_connections_lock_nobody_out() {
    let emulator = emulator().await;
    let mut limits = ConnectionLimits::default();
    limits.max_connections = 64;
    let bridge = Bridge::to(client(&emulator.endpoint(), Wire::Rest)).connection_limits(limits);
    let bridge = bridge.start().await.unwrap();
    let mut held = Vec::new();
    let beginnings: [&[u8]; 4] =
        [b"", b"G", b"GET /v1/device_tasks HTTP/1.1\r\nx: ", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"];
    for number in 0..300 {
        let mut stream = TcpStream::connect(bridge.local_addr()).await.unwrap();
        // It may be closed already.
        let _ = stream.write_all(beginnings[number % beginnings.len()]).await;
        held.push(stream);
    }
    for front in WIRES {
        let client = client(&bridge.endpoint(), front);
        client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
    }
    assert_eq!(emulator.log().len(), 2, "no upstream has heard of them");
}

/// Proxies in front of an upstream, such as nginx, decode a path and then resolve `..`, and the rules of the caller are
/// about another RPC.
#[tokio::test]
async fn a_value_with_dots_leads_to_no_other_path() {
    let upstream = Scripted::start([]).await;
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Rest)).start().await.unwrap();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    for (value, encoded) in [
        ("../../v2/policies/abc", "..%2F..%2Fv2%2Fpolicies%2Fabc"),
        ("x/../../y", "x%2f..%2f..%2fy"),
        ("..\\y", "..%5Cy"),
        ("x/..;/y", "x%2F..%3B%2Fy"),
    ] {
        let expected = format!("field `task_uuid`: {value:?} cannot be a segment of a path");
        let error = client.device_tasks().delete_task(value).await.unwrap_err();
        assert_eq!((error.code(), error.message()), (Code::InvalidArgument, &*expected));
        let request = Request::delete(format!("{}/v1/device_tasks/{encoded}", bridge.endpoint()));
        let answer = send(request.body(Bytes::new()).unwrap()).await;
        let body: serde_json::Value = serde_json::from_slice(answer.body()).unwrap();
        assert_eq!((answer.status().as_u16(), body["message"].as_str()), (400, Some(&*expected)));
    }
    assert!(upstream.seen().is_empty());
}

fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let [_, length @ ..] = u32::try_from(payload.len()).unwrap().to_be_bytes();
    [&length[..], &[kind, flags], &stream.to_be_bytes(), payload].concat()
}

/// The head of a gRPC request without its message.
fn head(stream: u32, path: &str) -> Vec<u8> {
    let text = |value: &str| [&[u8::try_from(value.len()).unwrap()], value.as_bytes()].concat();
    let pseudo = [&[0x83, 0x86, 0x04][..], &text(path), &[0x01], &text("localhost")].concat();
    let content_type = [&[0x0f, 0x10][..], &text("application/grpc")].concat();
    frame(1, 4, stream, &[pseudo, content_type].concat())
}

/// Sends a health check, this number of calls that are cancelled, and the rest of the check, all at once. Returns whether
/// the check is answered.
async fn cancel(address: SocketAddr, calls: u32) -> bool {
    let mut sent = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec();
    sent.extend(frame(4, 0, 0, &[]));
    sent.extend(head(1, "/grpc.health.v1.Health/Check"));
    for stream in (1..=calls).map(|number| 2 * number + 1) {
        sent.extend(head(stream, "/eset.dotnod.automation.v1.DeviceTasks/ListTasks"));
        sent.extend(frame(3, 0, stream, &[0, 0, 0, 8]));
    }
    sent.extend(frame(0, 1, 1, &[0; 5]));
    let (mut reader, mut writer) = TcpStream::connect(address).await.unwrap().into_split();
    // An error means that the server has had enough.
    let writing = tokio::spawn(async move {
        let _ = writer.write_all(&sent).await;
        writer
    });
    let mut start = [0; 9];
    let is_answered = loop {
        if reader.read_exact(&mut start).await.is_err() || start[3] == 7 {
            break false;
        }
        let length = u32::from_be_bytes([0, start[0], start[1], start[2]]);
        let mut payload = vec![0; length as usize];
        reader.read_exact(&mut payload).await.unwrap();
        // The end of the headers and of stream 1.
        if start[3..] == [1, 5, 0, 0, 0, 1] {
            break true;
        }
    };
    writing.abort();
    is_answered
}

/// A client may cancel its calls, and others on the same connection go on: a proxy may have put them there. Only a flood
/// of them is an attack (CVE-2023-44487).
#[tokio::test]
async fn calls_are_cancelled_without_harm() {
    let upstream = emulator().await;
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Rest)).start().await.unwrap();
    for address in [bridge.local_addr(), upstream.local_addr()] {
        for (calls, is_answered) in [(500, true), (50_000, false)] {
            let cancelled = tokio::time::timeout(Duration::from_secs(60), cancel(address, calls));
            assert_eq!(cancelled.await, Ok(is_answered), "{calls}");
        }
    }
    let before = upstream.log().len();
    let client = client(&bridge.endpoint(), Wire::Grpc);
    client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
    assert_eq!(upstream.log().split_off(before).len(), 1);
    let heard = upstream.log().into_iter().filter(|one| one.path.starts_with("/v1/"));
    assert_eq!(heard.count(), 1, "no upstream has heard of the others");
}

/// Sends PINGs, and more when they are answered, until the connection ends.
async fn flood(mut stream: TcpStream) {
    stream.write_all(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0").await.unwrap();
    let pings = b"\0\0\x08\x06\0\0\0\0\0abcdefgh".repeat(1000);
    let mut answers = vec![0; pings.len()];
    while stream.write_all(&pings).await.is_ok() && stream.read_exact(&mut answers).await.is_ok() {}
}

/// The answers to PINGs are no response that somebody reads.
#[tokio::test]
async fn a_flood_of_pings_keeps_no_connection_open() {
    let limited = async |set: fn(&mut ConnectionLimits)| {
        let mut limits = ConnectionLimits::default();
        set(&mut limits);
        Bridge::new(Access::new()).connection_limits(limits).start().await.unwrap()
    };
    let full = limited(|limits| limits.max_connections = 1).await;
    let stream = TcpStream::connect(full.local_addr()).await.unwrap();
    let flooding = tokio::spawn(flood(stream));
    let request = "GET / HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n";
    let answer = exchange(full.local_addr(), request);
    let answer = tokio::time::timeout(Duration::from_secs(10), answer).await;
    assert!(answer.is_ok_and(|text| text.starts_with("HTTP/1.1 200")), "there is no room");
    flooding.await.unwrap();

    let idle = limited(|limits| limits.idle_time = Duration::from_millis(100)).await;
    let stream = TcpStream::connect(idle.local_addr()).await.unwrap();
    let ended = tokio::time::timeout(Duration::from_secs(10), flood(stream)).await;
    assert!(ended.is_ok(), "the connection stays open");
}

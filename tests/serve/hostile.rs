//! Many tenants, and connections that mean no good.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::auth::{BoxFuture, StaticToken};
use eset_protect::automation::v1::{ListTasksRequest, ListTasksResponse};
use eset_protect::emulator::ConnectionLimits;
use eset_protect::serve::{Access, Bridge, Caller, Identity, TokenHash};
use eset_protect::transport::{Reply, Request as Attempt, Transport};
use eset_protect::{Client, Error, Wire};
use http::Request;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{WIRES, client, emulator, exchange};

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

    // Rapid reset (CVE-2023-44487).
    let stream = TcpStream::connect(bridge.local_addr()).await.unwrap();
    let (sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut sent = 0;
    // An error means that the bridge has had enough.
    while sent < 2000
        && let Ok(mut sender) = sender.clone().ready().await
    {
        let path = "http://x/eset.dotnod.automation.v1.DeviceTasks/ListTasks";
        let request = Request::post(path).header("content-type", "application/grpc");
        let request = request.body(()).unwrap();
        let Ok((_, mut body)) = sender.send_request(request, false) else { break };
        body.send_reset(h2::Reason::CANCEL);
        sent += 1;
        tokio::task::yield_now().await;
    }
    drop(sender);
    let ended = tokio::time::timeout(Duration::from_secs(10), connection).await.unwrap();
    assert!(sent < 2000 && ended.unwrap().is_err(), "{sent} resets are no attack");
    let client = client(&bridge.endpoint(), Wire::Grpc);
    client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
    assert_eq!(emulator.log().len(), 3, "no upstream has heard of them");
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

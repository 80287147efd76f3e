//! Limits of connections, and which of them are closed.

use std::time::Duration;

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::emulator::{ConnectionLimits, Fault, Running};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::*;

/// The preface of HTTP/2, with empty SETTINGS.
const HTTP2: &[u8] = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
/// HEADERS of a first stream that announce more headers, with `:method: GET`.
const UNFINISHED: &[u8] = b"\0\0\x01\x01\0\0\0\0\x01\x82";
const GOAWAY: u8 = 7;

async fn with_limits(set: impl FnOnce(&mut ConnectionLimits)) -> Fixture {
    let mut limits = ConnectionLimits::default();
    set(&mut limits);
    fixture_with(|builder| builder.connection_limits(limits)).await
}

async fn connect(running: &Running, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(running.local_addr()).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

/// Returns what arrives until the server closes the connection.
async fn until_closed(mut stream: TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    // A reset connection is closed too.
    let _ = stream.read_to_end(&mut bytes).await;
    bytes
}

/// Returns the types of HTTP/2 frames.
fn frames(mut bytes: &[u8]) -> Vec<u8> {
    let mut types = Vec::new();
    while let [a, b, c, kind, rest @ ..] = bytes {
        types.push(*kind);
        let length = usize::from(*a) << 16 | usize::from(*b) << 8 | usize::from(*c);
        bytes = rest.get(5 + length..).unwrap_or_default();
    }
    types
}

#[tokio::test]
async fn whoever_begins_and_does_not_go_on_is_closed() {
    let fixture = with_limits(|limits| {
        limits.head_time = Duration::from_millis(30);
        limits.idle_time = Duration::from_millis(30);
    })
    .await;
    for bytes in [
        &b""[..],
        b"GET",
        b"PRI * HTTP/2.0\r\n",
        b"GET /v1/device_tasks HTTP/1.1\r\n",
        b"GET /v1/device_tasks HTTP/1.1\r\nhost: localhost\r\nx-long: ",
    ] {
        until_closed(connect(&fixture.running, bytes).await).await;
    }
    for bytes in [HTTP2.to_vec(), [HTTP2, UNFINISHED].concat()] {
        let answer = until_closed(connect(&fixture.running, &bytes).await).await;
        assert!(frames(&answer).contains(&GOAWAY), "{answer:?}");
    }
    // Between requests, too.
    let request = b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n";
    let answer = until_closed(connect(&fixture.running, request).await).await;
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{answer:?}");
}

#[tokio::test]
async fn single_bytes_keep_nothing_open() {
    let fixture = with_limits(|limits| {
        limits.head_time = Duration::from_millis(30);
        limits.idle_time = Duration::from_millis(30);
    })
    .await;
    // PING, repeatedly.
    for (begin, drip) in [
        (HTTP2, &b"\0\0\x08\x06\0\0\0\0\0abcdefgh"[..]),
        (b"GET / HTTP/1.1\r\nx: ", b"x"),
        (b"GET / HTTP/1.1\r\nx: x", b"\r\nx: y"),
    ] {
        let (mut reader, mut writer) = connect(&fixture.running, begin).await.into_split();
        let written = async { while writer.write_all(drip).await.is_ok() {} };
        let read = async { while reader.read(&mut [0; 4096]).await.is_ok_and(|read| read > 0) {} };
        tokio::select! {
            () = written => {}
            () = read => {}
        }
    }
}

#[tokio::test]
async fn an_answer_that_nobody_reads_is_given_up() {
    let fixture = fixture_with(|builder| {
        let mut limits = ConnectionLimits::default();
        limits.idle_time = Duration::from_millis(100);
        builder.connection_limits(limits).seed(true)
    })
    .await;
    let stream = TcpStream::connect(fixture.running.local_addr()).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let ended = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    let uri = format!("{}/v1/device_tasks?pageSize=1000", fixture.running.endpoint());
    let request = http::Request::get(uri).body(()).unwrap();
    let (answer, _) = client.send_request(request, true).unwrap();
    let mut body = answer.await.unwrap().into_body();
    // The window is 65,535 bytes and is not opened again.
    let mut read = 0;
    while let Some(Ok(data)) = body.data().await {
        read += data.len();
    }
    assert_eq!(read, 65_535);
    let _ = ended.await.unwrap();
}

#[tokio::test]
async fn calls_that_wait_for_the_emulator_stay() {
    let mut fixture = with_limits(|limits| {
        limits.idle_time = Duration::from_millis(30);
        limits.head_time = Duration::from_millis(30);
    })
    .await;
    let mut health = HealthClient::new(channel(&fixture.running.endpoint()).await);
    let mut watched = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
    watched.message().await.unwrap().unwrap();
    let (fault, mut held) = Fault::hold();
    fixture.running.faults().push_for("ListTasks", fault);
    let mut tasks = fixture.tasks.clone();
    let call = tokio::spawn(async move { tasks.list_tasks(ListTasksRequest::default()).await });
    held.arrived(1).await;
    // Long enough that idle ones are closed, one after the other.
    for _ in 0..3 {
        until_closed(connect(&fixture.running, HTTP2).await).await;
    }
    held.release();
    call.await.unwrap().unwrap();
    let ended = tokio::time::timeout(Duration::ZERO, watched.message()).await;
    assert!(ended.is_err(), "{ended:?}");
    // A client whose idle connection was closed opens another one.
    until_closed(connect(&fixture.running, HTTP2).await).await;
    fixture.create(task("t", &[])).await;
}

#[tokio::test]
async fn a_new_connection_takes_the_place_of_the_one_idle_for_longest() {
    let fixture = with_limits(|limits| limits.max_connections = 3).await;
    drop((fixture.tasks, fixture.policies, fixture.assignments));
    let first = connect(&fixture.running, HTTP2).await;
    let second = connect(&fixture.running, b"").await;
    let mut clients = Vec::new();
    for _ in 0..5 {
        let mut health = HealthClient::new(channel(&fixture.running.endpoint()).await);
        health.check(HealthCheckRequest::default()).await.unwrap();
        clients.push(health);
    }
    assert!(frames(&until_closed(first).await).contains(&GOAWAY));
    assert_eq!(until_closed(second).await, b"");
}

#[tokio::test]
async fn whoever_only_watches_makes_room() {
    let fixture = with_limits(|limits| limits.max_connections = 3).await;
    drop((fixture.tasks, fixture.policies, fixture.assignments));
    let mut watches = Vec::new();
    for _ in 0..3 {
        let mut health = HealthClient::new(channel(&fixture.running.endpoint()).await);
        let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
        watch.message().await.unwrap().unwrap();
        watches.push(watch);
    }
    // One that leaves no room for its end (SETTINGS_INITIAL_WINDOW_SIZE), and one that only asks reflection.
    let stream = TcpStream::connect(fixture.running.local_addr()).await.unwrap();
    let mut silent = h2::client::Builder::new();
    let (client, connection) = silent.initial_window_size(0).handshake(stream).await.unwrap();
    let ended = tokio::spawn(connection);
    let ask = |path: &str| {
        let uri = format!("{}{path}", fixture.running.endpoint());
        http::Request::post(uri).header("content-type", "application/grpc").body(()).unwrap()
    };
    let mut client = client.ready().await.unwrap();
    let (answer, mut body) =
        client.send_request(ask("/grpc.health.v1.Health/Watch"), false).unwrap();
    body.send_data(bytes::Bytes::from_static(&[0; 5]), true).unwrap();
    let watching = answer.await.unwrap();
    let path = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
    let (answer, _asking) = client.send_request(ask(path), false).unwrap();
    let asking = answer.await.unwrap();
    for _ in 0..4 {
        let mut health = HealthClient::new(channel(&fixture.running.endpoint()).await);
        let mut watch = health.watch(HealthCheckRequest::default()).await.unwrap().into_inner();
        watch.message().await.unwrap().unwrap();
        watches.push(watch);
    }
    // Those that came first went first, and were told so.
    for watch in &mut watches[..3] {
        let error = watch.message().await.unwrap_err();
        assert_eq!(error.code(), tonic::Code::Unavailable, "{error}");
    }
    let _ = ended.await.unwrap();
    drop((watching, asking));
}

/// Some clients read the status of a stream that fails at once only from headers that end it ("Trailers-Only").
#[tokio::test]
async fn a_stream_that_fails_at_once_is_trailers_only() {
    let fixture = fixture().await;
    let stream = TcpStream::connect(fixture.running.local_addr()).await.unwrap();
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let mut client = client.ready().await.unwrap();
    for path in [
        "/grpc.health.v1.Health/Watch",
        "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    ] {
        let uri = format!("{}{path}", fixture.running.endpoint());
        let ask = http::Request::post(uri).header("content-type", "application/grpc");
        let ask = ask.header("grpc-encoding", "unknown").body(()).unwrap();
        let (answer, mut body) = client.send_request(ask, false).unwrap();
        body.send_data(bytes::Bytes::from_static(&[1, 0, 0, 0, 1, 0]), true).unwrap();
        let answer = answer.await.unwrap();
        assert_eq!(answer.headers()["grpc-status"], "12", "{path}");
        assert!(answer.body().is_end_stream(), "{path}");
    }
    connection.abort();
}

#[tokio::test]
async fn without_an_idle_one_a_new_connection_waits() {
    let fixture = with_limits(|limits| limits.max_connections = 2).await;
    drop((fixture.policies, fixture.assignments));
    let (fault, mut held) = Fault::hold();
    fixture.running.faults().push_for("ListTasks", fault);
    let (second, mut held_too) = Fault::hold();
    fixture.running.faults().push_for("ListTasks", second);
    let mut calls = Vec::new();
    for client in [fixture.tasks.clone(), {
        let channel = channel(&fixture.running.endpoint()).await;
        DeviceTasksClient::new(channel)
    }] {
        let mut client = client;
        calls.push(tokio::spawn(
            async move { client.list_tasks(ListTasksRequest::default()).await },
        ));
    }
    held.arrived(1).await;
    held_too.arrived(1).await;
    let mut third = connect(&fixture.running, b"GET / HTTP/1.1\r\nhost: localhost\r\n\r\n").await;
    held.release();
    held_too.release();
    for call in calls {
        call.await.unwrap().unwrap();
    }
    let mut answer = [0; 12];
    third.read_exact(&mut answer).await.unwrap();
    assert_eq!(&answer, b"HTTP/1.1 200");
}

#[cfg(target_os = "linux")]
mod descriptors {
    use super::*;
    use crate::child::Server;

    fn address(server: &Server) -> &str {
        server.endpoint.strip_prefix("http://").unwrap()
    }

    /// Returns the processor time of a process in clock ticks, a hundred per second.
    fn ticks(server: &Server) -> u64 {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", server.id())).unwrap();
        let fields: Vec<_> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }

    #[tokio::test]
    async fn idle_connections_lock_nobody_out() {
        let mut server = Server::start_after("ulimit -n 64", "");
        let mut idle = Vec::new();
        for number in 0..200 {
            let mut stream = TcpStream::connect(address(&server)).await.unwrap();
            // Connections with HTTP/2 do not respond when they are told to go.
            if number % 2 == 0 {
                stream.write_all(HTTP2).await.unwrap();
            }
            idle.push(stream);
        }
        let mut health = HealthClient::new(channel(&server.endpoint).await);
        health.check(HealthCheckRequest::default()).await.unwrap();
        let notice = server.next("notice=");
        assert!(notice.contains("new connections wait"), "{notice}");
    }

    #[tokio::test]
    async fn at_the_limit_it_rests_and_goes_on_as_soon_as_one_is_free() {
        let mut server = Server::start_after("ulimit -n 64", "");
        let call = |delay: u32| {
            format!(
                "GET /v1/device_tasks HTTP/1.1\r\nhost: localhost\r\nx-emulator-fault: delay={delay}\r\n\r\n"
            )
        };
        let mut soon = TcpStream::connect(address(&server)).await.unwrap();
        soon.write_all(call(1500).as_bytes()).await.unwrap();
        let mut busy = Vec::new();
        for _ in 0..100 {
            let mut stream = TcpStream::connect(address(&server)).await.unwrap();
            stream.write_all(call(600_000).as_bytes()).await.unwrap();
            busy.push(stream);
        }
        server.next("new connections wait");
        let before = ticks(&server);
        soon.read_exact(&mut [0; 12]).await.unwrap();
        let took = ticks(&server) - before;
        assert!(took < 40, "{took} ticks");
        drop(busy);
        let mut health = HealthClient::new(channel(&server.endpoint).await);
        health.check(HealthCheckRequest::default()).await.unwrap();
        server.next("new connections are taken again");
    }
}

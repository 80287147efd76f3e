//! What is answered before its body has arrived.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::ConnectionLimits;
use eset_protect::serve::{Access, Bridge};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::{Fixture, WIRES, builder, client, emulator, exchange};

/// Sends a head that announces a body, and returns what arrives until the server closes the connection.
async fn ask(address: SocketAddr, line: &str) -> String {
    let head = format!("{line} HTTP/1.1\r\nhost: localhost\r\ncontent-length: 1000000\r\n\r\n");
    exchange(address, &head).await
}

#[tokio::test]
async fn what_is_no_call_is_answered_without_its_body() {
    let fixture = Fixture::start(Wire::Grpc).await;
    for address in [fixture.bridge.local_addr(), fixture.emulator.local_addr()] {
        for (line, expected) in [
            ("POST /none", "HTTP/1.1 404"),
            ("PUT /v1/device_tasks", "HTTP/1.1 405"),
            ("GET /", "HTTP/1.1 200"),
            ("GET /openapi.json", "HTTP/1.1 200"),
        ] {
            let answer = ask(address, line).await;
            assert!(answer.starts_with(expected), "{line}: {answer}");
            assert!(answer.contains("connection: close\r\n"), "{line}: {answer}");
            assert_eq!(answer.contains("allow: GET, POST"), line.starts_with("PUT"), "{answer}");
        }
    }
}

#[tokio::test]
async fn whom_nobody_knows_is_answered_without_the_body() {
    let upstream = client("http://127.0.0.1:9", Wire::Rest);
    let bridge = Bridge::new(Access::new().tenant("default", upstream)).start().await.unwrap();
    let answer = ask(bridge.local_addr(), "POST /v1/device_tasks").await;
    assert!(answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(answer.contains("connection: close\r\n"), "{answer}");
}

/// Sends a request whole before it reads, as simple clients do, and returns the answer.
async fn ask_slowly(address: SocketAddr, head: &str, size: usize) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    let head = format!("{head}\r\nhost: localhost\r\ncontent-length: {size}\r\n\r\n");
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(&vec![b'x'; size]).await?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await?;
    Ok(answer)
}

#[tokio::test]
async fn whoever_sends_all_before_reading_is_answered() {
    const MEGABYTE: usize = 1_000_000;
    let fixture = Fixture::start(Wire::Grpc).await;
    let upstream = client("http://127.0.0.1:9", Wire::Rest);
    let closed = Bridge::new(Access::new().tenant("default", upstream)).start().await.unwrap();
    let (bridge, emulator) = (fixture.bridge.local_addr(), fixture.emulator.local_addr());
    let json = "content-type: application/json";
    let list = "/v1/device_tasks HTTP/1.1";
    for (address, head, megabytes, status) in [
        (closed.local_addr(), format!("POST {list}\r\n{json}"), 5, "401"),
        (closed.local_addr(), format!("POST {list}\r\n{json}"), 25, "401"),
        (bridge, format!("POST {list}\r\n{json}"), 17, "413"),
        (emulator, format!("POST {list}\r\n{json}"), 20, "413"),
        (bridge, "POST /none HTTP/1.1".to_owned(), 5, "404"),
        (emulator, "POST /none HTTP/1.1".to_owned(), 5, "404"),
        (bridge, format!("PUT {list}"), 5, "405"),
        (bridge, format!("POST {list}\r\norigin: http://other.example"), 5, "403"),
        (bridge, format!("POST {list}\r\ncontent-type: application/grpc+json"), 5, "415"),
        (bridge, format!("POST {list}\r\ncontent-type: application/grpc"), 5, "505"),
        // Not HTTP: hyper itself answers.
        (bridge, format!("POST {list}\r\n:"), 5, "400"),
    ] {
        let answer = ask_slowly(address, &head, megabytes * MEGABYTE).await;
        let answer = answer.unwrap_or_else(|error| panic!("{status} {head}: {error}"));
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}")), "{head}: {answer}");
        assert!(answer.contains("connection: close\r\n"), "{head}: {answer}");
    }
}

#[tokio::test]
async fn limits_may_be_longer_than_clocks_can_tell() {
    let emulator = emulator().await;
    let mut limits = ConnectionLimits::default();
    limits.idle_time = Duration::MAX;
    limits.head_time = Duration::MAX;
    limits.body_time = Duration::MAX;
    limits.drain_time = Duration::MAX;
    for upstream in WIRES {
        let upstream = builder(&emulator.endpoint(), upstream).first_byte_timeout(Duration::MAX);
        let bridge = Bridge::to(upstream.connect_lazy().unwrap()).connection_limits(limits);
        let bridge = bridge.start().await.unwrap();
        for front in WIRES {
            let client = client(&bridge.endpoint(), front);
            client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
        }
        bridge.shutdown().await;
    }
}

/// Sends a request that is refused, and goes on sending.
async fn send_on(address: SocketAddr) -> TcpStream {
    let mut stream = TcpStream::connect(address).await.unwrap();
    let head = "POST /none HTTP/1.1\r\nhost: localhost\r\ncontent-length: 9000000000\r\n\r\n";
    stream.write_all(head.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 404"), "{answer}");
    stream.write_all(b"more").await.unwrap();
    stream
}

#[tokio::test]
async fn whoever_goes_on_sending_is_cut_off() {
    let fixture = Fixture::start(Wire::Grpc).await;
    let mut stream = send_on(fixture.bridge.local_addr()).await;
    let (part, mut parts) = (vec![b'x'; 1 << 20], 0);
    while stream.write_all(&part).await.is_ok() {
        parts += 1;
        assert!(parts < 64, "more than {parts} MiB");
    }
}

#[tokio::test]
async fn whoever_goes_on_sending_takes_no_place_and_no_time() {
    let emulator = emulator().await;
    let mut limits = ConnectionLimits::default();
    limits.max_connections = 1;
    limits.drain_time = Duration::from_millis(50);
    let bridge = Bridge::to(client(&emulator.endpoint(), Wire::Grpc)).connection_limits(limits);
    let bridge = bridge.start().await.unwrap();
    let mut first = send_on(bridge.local_addr()).await;
    // It gives way.
    let mut second = send_on(bridge.local_addr()).await;
    let cut_off = async |stream: &mut TcpStream| while stream.write_all(b"more").await.is_ok() {};
    tokio::time::timeout(Duration::from_secs(1), cut_off(&mut first)).await.unwrap();
    let began = Instant::now();
    bridge.shutdown().await;
    assert!(began.elapsed() < Duration::from_secs(1), "{:?}", began.elapsed());
    tokio::time::timeout(Duration::from_secs(1), cut_off(&mut second)).await.unwrap();
}

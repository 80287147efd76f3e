//! What is answered before its body has arrived.

use std::net::SocketAddr;

use eset_protect::Wire;
use eset_protect::serve::{Access, Bridge};

use crate::{Fixture, client, exchange};

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

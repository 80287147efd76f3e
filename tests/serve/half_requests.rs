//! Health checks and reflection need no token, so nobody knows who sends half of one. It must not keep its place.

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::{ConnectionLimits, Emulator};
use eset_protect::serve::Bridge;
use eset_protect::{Client, Wire};
use h2::client::ResponseFuture;
use http::{HeaderMap, Request};
use tokio::net::TcpStream;
use tonic::Code;

use crate::{WIRES, client, emulator, send};

const PLACES: usize = 3;

const PATIENCE: Duration = Duration::from_secs(20);
/// The RPCs that need no token.
const OPEN: [&str; 4] = [
    "/grpc.health.v1.Health/Check",
    "/grpc.health.v1.Health/Watch",
    "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo",
    "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
];

/// Sends the head of a request, and this part of its body. Returns what keeps its place, and the response.
async fn begin(
    address: SocketAddr,
    path: &str,
    timeout: &str,
    part: &'static [u8],
) -> (impl Sized + use<>, ResponseFuture) {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::post(format!("http://localhost{path}"));
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    let request = request.header("grpc-timeout", timeout).body(()).unwrap();
    let (response, mut body) = sender.send_request(request, false).unwrap();
    body.send_data(Bytes::from_static(part), false).unwrap();
    ((sender, connection, body), response)
}

fn code_in(headers: &HeaderMap) -> Option<Code> {
    headers.get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()))
}

/// Returns the code of a response, in its head or its trailers.
async fn code_of(response: ResponseFuture) -> Option<Code> {
    let (head, mut body) = response.await.unwrap().into_parts();
    if let Some(code) = code_in(&head.headers) {
        return Some(code);
    }
    while let Some(data) = body.data().await {
        data.unwrap();
    }
    code_in(&body.trailers().await.unwrap()?)
}

async fn list(endpoint: &str) {
    for front in WIRES {
        let client: Client = client(endpoint, front);
        let list = client.device_tasks().list_tasks(ListTasksRequest::default());
        tokio::time::timeout(PATIENCE, list).await.expect("there is room").unwrap();
    }
}

/// A bridge and an emulator with these limits, and what ends with them.
async fn servers(limits: ConnectionLimits) -> ([(SocketAddr, String); 2], impl Sized) {
    let upstream = emulator().await;
    let limited = Emulator::builder().connection_limits(limits).build().unwrap();
    let limited = limited.start().await.unwrap();
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Grpc)).connection_limits(limits);
    let bridge = bridge.start().await.unwrap();
    let addresses =
        [(bridge.local_addr(), bridge.endpoint()), (limited.local_addr(), limited.endpoint())];
    (addresses, (upstream, bridge, limited))
}

#[tokio::test]
async fn half_a_request_without_a_token_ends_in_time() {
    let mut limits = ConnectionLimits::default();
    limits.body_time = Duration::from_millis(100);
    let (addresses, _servers) = servers(limits).await;
    for (address, _) in &addresses {
        for path in OPEN {
            for (timeout, part) in
                [("1H", b"".as_slice()), ("1H", b"\0\0\0\0\x05abcd"), ("1m", b"")]
            {
                let (_held, response) = begin(*address, path, timeout, part).await;
                let code = tokio::time::timeout(PATIENCE, code_of(response)).await;
                assert_eq!(code, Ok(Some(Code::DeadlineExceeded)), "{path} {timeout}");
            }
        }
    }
}

#[tokio::test]
async fn half_a_request_without_a_token_keeps_no_place() {
    let mut limits = ConnectionLimits::default();
    limits.max_connections = PLACES;
    limits.body_time = Duration::from_secs(3600);
    let (addresses, _servers) = servers(limits).await;
    for (address, endpoint) in &addresses {
        for path in OPEN {
            let halves = (0..PLACES).map(|_| begin(*address, path, "1H", b"\0\0\0\0\x05abcd"));
            let _halves = futures_util::future::join_all(halves).await;
            list(endpoint).await;
        }
    }
}

#[tokio::test]
async fn a_large_message_without_a_token_is_refused_before_it_arrives() {
    let (addresses, _servers) = servers(ConnectionLimits::default()).await;
    for (address, endpoint) in &addresses {
        for path in OPEN {
            // One byte over the limit, of which one is sent.
            let (_held, response) = begin(*address, path, "1H", b"\0\0\0\x10\x01a").await;
            let code = tokio::time::timeout(PATIENCE, code_of(response)).await;
            assert_eq!(code, Ok(Some(Code::OutOfRange)), "{path}");
            let request = Request::post(format!("{endpoint}{path}"));
            let request = request.header("content-type", "application/grpc-web");
            let answer = send(request.body(Bytes::from_static(b"\0\0\0\x10\x01a")).unwrap()).await;
            let status = format!("{:?}{:?}", answer.headers(), answer.body());
            assert!(status.contains("4097"), "{path}: {status}");
        }
    }
}

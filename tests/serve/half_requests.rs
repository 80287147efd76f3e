//! Health checks and reflection need no token, so nobody knows who sends half of one. It must not keep its place.

use std::net::SocketAddr;
use std::time::Duration;

use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::{ConnectionLimits, Emulator};
use eset_protect::serve::Bridge;
use eset_protect::{Client, Wire};
use http::Request;
use tokio::net::TcpStream;
use tonic::Code;

use crate::{WIRES, client, emulator};

const PLACES: usize = 3;

fn limits() -> ConnectionLimits {
    let mut limits = ConnectionLimits::default();
    limits.max_connections = PLACES;
    limits.body_time = Duration::from_millis(100);
    limits
}

/// Takes a place with a request without its message. Returns what keeps it, and the code in the head of the response.
async fn half(
    address: SocketAddr,
    path: &str,
    timeout: &str,
) -> (impl Sized + use<>, Option<Code>) {
    let stream = TcpStream::connect(address).await.unwrap();
    let (mut sender, connection) = h2::client::handshake(stream).await.unwrap();
    let connection = tokio::spawn(connection);
    let request = Request::post(format!("http://localhost{path}"));
    let request = request.header("content-type", "application/grpc").header("te", "trailers");
    let request = request.header("grpc-timeout", timeout).body(()).unwrap();
    let (response, body) = sender.send_request(request, false).unwrap();
    let head = response.await.unwrap();
    let code = head.headers().get("grpc-status").map(|code| Code::from_bytes(code.as_bytes()));
    ((sender, connection, body, head), code)
}

async fn list(endpoint: &str) {
    for front in WIRES {
        let client: Client = client(endpoint, front);
        let list = client.device_tasks().list_tasks(ListTasksRequest::default());
        tokio::time::timeout(Duration::from_secs(20), list).await.expect("there is room").unwrap();
    }
}

#[tokio::test]
async fn half_a_request_without_a_token_keeps_no_place() {
    let upstream = emulator().await;
    let limited = Emulator::builder().connection_limits(limits()).build().unwrap();
    let limited = limited.start().await.unwrap();
    let bridge = Bridge::to(client(&upstream.endpoint(), Wire::Grpc)).connection_limits(limits());
    let bridge = bridge.start().await.unwrap();
    let late = Some(Code::DeadlineExceeded);
    for (address, endpoint) in
        [(bridge.local_addr(), bridge.endpoint()), (limited.local_addr(), limited.endpoint())]
    {
        for (path, timeout, expected) in [
            ("/grpc.health.v1.Health/Check", "1H", late),
            ("/grpc.health.v1.Health/Watch", "1H", late),
            ("/grpc.health.v1.Health/Check", "1m", late),
            // It answers each of many messages.
            ("/grpc.reflection.v1.ServerReflection/ServerReflectionInfo", "1H", None),
        ] {
            let halves = (0..PLACES).map(|_| half(address, path, timeout));
            let halves = futures_util::future::join_all(halves);
            let halves = tokio::time::timeout(Duration::from_secs(20), halves).await;
            for (_, code) in &halves.unwrap_or_else(|_| panic!("{endpoint}{path}: no answer")) {
                assert_eq!(*code, expected, "{endpoint}{path}");
            }
            list(&endpoint).await;
        }
    }
}

//! A bridge: what it passes on, who may call, and its configuration. That each front over each upstream does what a
//! client does directly is tested in `wires`.

#![cfg(all(feature = "emulator", feature = "serve"))]

#[path = "../support/mod.rs"]
mod support;

mod access;
mod audit;
mod audit_file;
mod audit_targets;
mod bodies;
mod broken_upstreams;
mod browsers;
mod calls;
mod config;
mod connection_age;
mod fronts;
mod half_requests;
mod heads;
mod health;
mod hostile;
mod jwt;
mod large_errors;
mod lossless;
mod made_up_tokens;
mod message_size;
mod operations;
mod passing;
mod passing_back;
mod places;
mod redis;
mod server;
mod trace;

use std::net::SocketAddr;
use std::time::Duration;

use bytes::Bytes;
use eset_protect::emulator::{Emulator, Running};
use eset_protect::serve::{Bridge, RunningBridge};
use eset_protect::{Client, ClientBuilder, Wire};
use http::{Request, Response};
use http_body_util::{BodyExt, Full};
use hyper_util::rt::TokioExecutor;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

const WIRES: [Wire; 2] = [Wire::Grpc, Wire::Rest];

/// An emulator with a bridge in front of it.
struct Fixture {
    emulator: Running,
    bridge: RunningBridge,
}

async fn emulator() -> Running {
    let emulator = Emulator::builder().seed(true).build().expect("an emulator");
    emulator.start().await.expect("an emulator")
}

/// Configures a client that does not pause before it retries.
fn builder(endpoint: &str, wire: Wire) -> ClientBuilder {
    Client::builder(endpoint).wire(wire).jitter(|_| Duration::ZERO)
}

fn client(endpoint: &str, wire: Wire) -> Client {
    builder(endpoint, wire).connect_lazy().expect("a client")
}

impl Fixture {
    async fn start(upstream: Wire) -> Self {
        let emulator = emulator().await;
        let bridge = Bridge::to(client(&emulator.endpoint(), upstream));
        Self { emulator, bridge: bridge.start().await.expect("a bridge") }
    }
}

/// Sends this text, and returns what arrives until the server closes the connection.
async fn exchange(address: SocketAddr, text: &str) -> String {
    let mut stream = TcpStream::connect(address).await.unwrap();
    stream.write_all(text.as_bytes()).await.unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).await.unwrap();
    answer
}

/// Sends a request as a program without this crate does, over HTTP/1.1 unless it is for HTTP/2.
async fn send(request: Request<Bytes>) -> Response<Bytes> {
    let mut client = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
    let client = client.http2_only(request.version() == http::Version::HTTP_2).build_http();
    let response = client.request(request.map(Full::new)).await.expect("a response");
    let (head, body) = response.into_parts();
    Response::from_parts(head, body.collect().await.expect("a body").to_bytes())
}

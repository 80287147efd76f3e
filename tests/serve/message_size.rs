//! The limit of a message, of callers and of upstreams.

use std::convert::Infallible;
use std::fs;
use std::io::Read;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll};

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::{DeviceTask, ListTasksRequest, ListTasksResponse};
use eset_protect::emulator::Fault;
use eset_protect::serve::{AccessHandle, Config, RunningBridge};
use flate2::Compression;
use flate2::read::GzEncoder;
use http::{Request, StatusCode};
use http_body::{Body, Frame};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use tonic::Code;

use crate::support::directory::Directory;
use crate::support::scripted::h2::{H2Server, Reply};
use crate::{WIRES, builder, client, emulator, send};

const NAME: &str = "limits.max_message_size in the configuration file of the bridge";

fn config(directory: &Directory, endpoint: &str, upstream: Wire, size: usize) -> Config {
    let wire = if upstream == Wire::Rest { "rest" } else { "grpc" };
    let path = directory.join("serve.toml");
    let tenant = format!("[tenants.acme]\nendpoint = {endpoint:?}\nwire = {wire:?}\n");
    fs::write(&path, format!("{tenant}[limits]\nmax_message_size = {size}\n")).unwrap();
    Config::read(&path, None).unwrap()
}

async fn bridge(endpoint: &str, upstream: Wire, size: usize) -> (RunningBridge, AccessHandle) {
    let bridge = config(&Directory::new(), endpoint, upstream, size).into_bridge();
    let handle = bridge.access_handle();
    (bridge.start().await.unwrap(), handle)
}

fn named(size: usize) -> DeviceTask {
    DeviceTask { display_name: "x".repeat(size), ..Default::default() }
}

/// Creates a task with a name of this size over REST.
async fn create(endpoint: &str, size: usize) -> (StatusCode, String) {
    let task = format!(r#"{{"task": {{"displayName": "{}"}}}}"#, "x".repeat(size));
    let request = Request::post(format!("{endpoint}/v1/device_tasks"));
    let request = request.header("content-type", "application/json").body(task.into());
    let response = send(request.unwrap()).await;
    (response.status(), String::from_utf8_lossy(response.body()).into_owned())
}

/// Creates a task by a body that is only small as long as it is packed.
async fn create_packed(endpoint: &str, size: usize) -> (StatusCode, String) {
    let mut body = Vec::new();
    GzEncoder::new(&*vec![b' '; size], Compression::default()).read_to_end(&mut body).unwrap();
    let request = Request::post(format!("{endpoint}/v1/device_tasks"));
    let request = request.header("content-type", "application/json");
    let request = request.header("content-encoding", "gzip").body(body.into());
    let response = send(request.unwrap()).await;
    (response.status(), String::from_utf8_lossy(response.body()).into_owned())
}

async fn list(endpoint: &str) -> (StatusCode, Bytes) {
    let request = Request::get(format!("{endpoint}/v1/device_tasks")).body(Bytes::new());
    let response = send(request.unwrap()).await;
    (response.status(), response.into_body())
}

#[tokio::test]
async fn a_message_over_the_limit_of_the_file_is_refused_on_every_wire() {
    for upstream in WIRES {
        let emulator = emulator().await;
        let (bridge, handle) = bridge(&emulator.endpoint(), upstream, 2000).await;
        let endpoint = bridge.endpoint();
        let grpc = client(&endpoint, Wire::Grpc);
        let tasks = grpc.device_tasks();
        let error = tasks.create_task(named(3000)).await.unwrap_err();
        assert_eq!((error.code(), error.attempts()), (Code::ResourceExhausted, 1), "{error}");
        assert!(error.message().contains(NAME), "{error}");
        let (status, text) = create(&endpoint, 3000).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
        assert!(text.contains(NAME), "{text}");
        let (status, text) = create_packed(&endpoint, 3000).await;
        assert_eq!(status, StatusCode::PAYLOAD_TOO_LARGE, "{text}");
        assert!(text.contains(NAME), "{text}");
        assert!(emulator.log().is_empty(), "{upstream:?}");

        let error = tasks.list_tasks(ListTasksRequest::default()).await.unwrap_err();
        assert_eq!(error.code(), Code::Internal, "{error}");
        assert!(error.message().contains(NAME), "{error}");
        let (status, text) = list(&endpoint).await;
        assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR);
        assert!(String::from_utf8_lossy(&text).contains(NAME), "{text:?}");

        // The file is read again.
        let raised = config(&Directory::new(), &emulator.endpoint(), upstream, 1_000_000);
        handle.replace(raised.into_access()).unwrap();
        tasks.list_tasks(ListTasksRequest::default()).await.unwrap();
        let error = tasks.create_task(named(3000)).await.unwrap_err();
        assert_eq!(error.code(), Code::InvalidArgument, "{error}");
        assert_eq!(list(&endpoint).await.0, StatusCode::OK);
        assert!(create(&endpoint, 3000).await.1.contains("action"));
    }
}

/// A body that counts what the server takes of it.
#[derive(Clone, Default)]
struct Counted {
    taken: Arc<AtomicUsize>,
}

impl Body for Counted {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let size = 64 * 1024;
        if self.taken.load(Ordering::Relaxed) >= LARGE {
            return Poll::Ready(None);
        }
        self.taken.fetch_add(size, Ordering::Relaxed);
        Poll::Ready(Some(Ok(Frame::data(Bytes::from(vec![1; size])))))
    }
}

#[tokio::test]
async fn a_message_that_is_refused_is_taken_whole() {
    // Node's HTTP/2 loses the response if the stream is reset while it sends.
    let emulator = emulator().await;
    let (bridge, _) = bridge(&emulator.endpoint(), Wire::Rest, 2000).await;
    let body = Counted::default();
    let request = Request::post(format!(
        "{}/eset.dotnod.automation.v1.DeviceTasks/ListTasks",
        bridge.endpoint()
    ));
    let request = request.header("content-type", "application/grpc").body(body.clone()).unwrap();
    let client = Client::builder(TokioExecutor::new()).http2_only(true).build_http();
    let response = client.request(request).await.unwrap();
    assert_eq!(response.headers()["grpc-status"], "8");
    assert!(body.taken.load(Ordering::Relaxed) >= LARGE);
}

/// Larger than any limit has by default.
const LARGE: usize = 17 * 1024 * 1024;

#[tokio::test]
async fn a_raised_limit_lets_larger_messages_pass() {
    for upstream in WIRES {
        let emulator = emulator().await;
        let (bridge, _) = bridge(&emulator.endpoint(), upstream, 2 * LARGE).await;
        let endpoint = bridge.endpoint();
        let client = builder(&endpoint, Wire::Grpc).max_message_size(2 * LARGE);
        let client = client.connect_lazy().unwrap();
        let error = client.device_tasks().create_task(named(LARGE)).await.unwrap_err();
        let (_, text) = create(&endpoint, LARGE).await;
        for text in [error.message(), &text] {
            // The upstream has a limit of its own.
            assert!(text.contains("too large"), "{text}");
            assert!(!text.contains(NAME), "{text}");
        }
    }
    let answer = ListTasksResponse { tasks: vec![named(LARGE)], ..Default::default() };
    let json = serde_json::to_string(&answer).unwrap();
    let (emulator, scripted) =
        (emulator().await, H2Server::start(move |_| Reply::message(&answer)));
    let scripted = scripted.await;
    for (endpoint, upstream) in
        [(emulator.endpoint(), Wire::Rest), (scripted.endpoint(), Wire::Grpc)]
    {
        for _ in 0..2 {
            let fault = Fault::http(StatusCode::OK, "application/json", json.clone());
            emulator.faults().push_for("ListTasks", fault);
        }
        let (bridge, _) = bridge(&endpoint, upstream, 2 * LARGE).await;
        let client = builder(&bridge.endpoint(), Wire::Grpc).max_message_size(2 * LARGE);
        let client = client.connect_lazy().unwrap();
        let page = client.device_tasks().list_tasks(ListTasksRequest::default()).await.unwrap();
        assert_eq!(page.tasks[0].display_name.len(), LARGE);
        let (status, body) = list(&bridge.endpoint()).await;
        assert!(status == StatusCode::OK && body.len() > LARGE);
    }
}

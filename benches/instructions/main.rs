//! What a get costs the client's process, and what ProtoJSON costs, for `benches/instructions/count`, which counts
//! instructions with callgrind.
//!
//! `task ENDPOINT` creates a task at an emulator and prints its uuid. `MODE ENDPOINT list COUNT` lists a page of 1,000
//! tasks so often on one thread, through this crate (`grpc`, `rest`). `MODE ENDPOINT UUID COUNT` gets it so often on
//! one thread: `grpc` and `rest` through this crate, `tonic` by the bare stub, `alike` by the stub with the deadline and
//! the keep-alive of this crate, `google` by Google's `grpc`, `hyper` by hyper and a serde model by hand. `held MODE ENDPOINT UUID COUNT` has so many of them in flight at once.
//! `codec DIRECTION SIZE ROW COUNT` reads or writes JSON, see its module. The script takes the difference of two counts,
//! so that connecting and the start of the process cancel out.

mod codec;
mod google;
#[path = "../calls/model.rs"]
mod model;

use std::time::Duration;

use bytes::Bytes;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::{GetTaskRequest, ListTasksRequest};
use eset_protect::{Client, Wire};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::task::JoinSet;
use tonic::transport::Endpoint;

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
    // One thread, so that the count is the same each time.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.expect("a runtime");
    match arguments[..] {
        ["task", endpoint] => println!("{}", runtime.block_on(task(endpoint))),
        ["tasks", endpoint, count] => {
            for _ in 0..count.parse().expect("a count") {
                runtime.block_on(task(endpoint));
            }
        }
        ["codec", direction, size, row, count] => {
            codec::run(direction, size, row, count.parse().expect("a count"));
        }
        ["held", mode, endpoint, uuid, count] => {
            let count = count.parse().expect("a count");
            runtime.block_on(held(mode == "tonic", endpoint, uuid, count));
        }
        [mode, endpoint, uuid, count] => {
            let count = count.parse().expect("a count");
            runtime.block_on(call(mode, endpoint, uuid, count));
        }
        _ => panic!("expected task, held, codec or a mode with its arguments"),
    }
}

async fn task(endpoint: &str) -> String {
    let client = Client::connect(endpoint).await.expect("a client");
    client.device_tasks().create_task(model::task()).await.expect("a task").uuid
}

/// Has calls in flight that the server does not answer, until all of them are sent or wait for a stream.
async fn held(is_tonic: bool, endpoint: &str, uuid: &str, count: u32) {
    const FAULT: (&str, &str) = ("x-emulator-fault", "delay=600000");
    let client = Client::builder(endpoint).timeout(Duration::from_secs(600)).connect().await;
    let client = client.expect("a client");
    let stub = DeviceTasksClient::connect(endpoint.to_owned()).await.expect("a channel");
    let mut calls = JoinSet::new();
    for _ in 0..count {
        let (client, mut stub, uuid) = (client.clone(), stub.clone(), uuid.to_owned());
        if is_tonic {
            let mut request = tonic::Request::new(GetTaskRequest { task_uuid: uuid });
            request.metadata_mut().insert(FAULT.0, FAULT.1.parse().expect("metadata"));
            calls.spawn(async move { drop(stub.get_task(request).await) });
        } else {
            let call = client.device_tasks().get_task(uuid).metadata(FAULT.0, FAULT.1);
            calls.spawn(async move { drop(call.await) });
        }
    }
    tokio::time::sleep(Duration::from_secs(2) + Duration::from_millis(4) * count).await;
    assert_eq!(calls.len(), count as usize);
    assert!(calls.try_join_next().is_none(), "a call has ended");
}

async fn call(mode: &str, endpoint: &str, uuid: &str, count: usize) {
    match mode {
        "grpc" | "rest" => {
            let wire = if mode == "rest" { Wire::Rest } else { Wire::Grpc };
            let client = Client::builder(endpoint).wire(wire).connect().await.expect("a client");
            for _ in 0..count {
                if uuid == "list" {
                    let request = ListTasksRequest { page_size: 1000, ..Default::default() };
                    let page = client.device_tasks().list_tasks(request).send().await;
                    assert_eq!(page.expect("a page").get_ref().tasks.len(), 1000);
                    continue;
                }
                let task = client.device_tasks().get_task(uuid).await.expect("a task");
                assert_eq!(task.uuid, uuid);
            }
        }
        "tonic" | "alike" => {
            let is_alike = mode == "alike";
            let endpoint = Endpoint::from_shared(endpoint.to_owned()).expect("an endpoint");
            let endpoint = match is_alike {
                true => endpoint.http2_keep_alive_interval(Duration::from_secs(330)),
                false => endpoint,
            };
            let channel = endpoint.connect().await.expect("a channel");
            let mut stub = DeviceTasksClient::new(channel);
            for _ in 0..count {
                let request = GetTaskRequest { task_uuid: uuid.to_owned() };
                let mut request = tonic::Request::new(request);
                if is_alike {
                    request.set_timeout(Duration::from_secs(60));
                }
                let response = stub.get_task(request).await.expect("a task").into_inner();
                assert_eq!(response.task.expect("a task").uuid, uuid);
            }
        }
        "google" => {
            let channel = google::connect(endpoint);
            for _ in 0..count {
                let response = google::get_task(&channel, uuid).await;
                assert_eq!(response.task.expect("a task").uuid, uuid);
            }
        }
        "hyper" => {
            let mut connector = HttpConnector::new();
            connector.set_nodelay(true);
            let http = hyper_util::client::legacy::Client::builder(TokioExecutor::new());
            let http = http.build::<_, Full<Bytes>>(connector);
            for _ in 0..count {
                let uri = format!("{endpoint}/v1/device_tasks/{uuid}").parse().expect("an address");
                let response = http.get(uri).await.expect("an answer");
                let body = response.into_body().collect().await.expect("a body").to_bytes();
                let answer: model::Answer = serde_json::from_slice(&body).expect("JSON");
                assert_eq!(answer.task.uuid, uuid);
            }
        }
        other => panic!("expected grpc, rest, tonic, alike, google or hyper, found {other}"),
    }
}

//! A call through the whole client beside the same call by the bare library, against the emulator on
//! loopback: the cost of our layers.
//!
//! Each row makes a number of calls at once, and its time is that of the batch. Compare ratios within a group.

mod model;

use std::hint::black_box;
use std::time::Duration;

use bytes::Bytes;
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use eset_protect::automation::v1::GetTaskRequest;
use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::emulator::{Emulator, Running};
use eset_protect::{Client, Wire};
use http_body_util::{BodyExt, Full};
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tonic::transport::{Channel, Endpoint};

const CONCURRENCY: [usize; 3] = [1, 16, 64];

type Http = hyper_util::client::legacy::Client<HttpConnector, Full<Bytes>>;

struct World {
    emulator: Running,
    grpc: Client,
    rest: Client,
    stub: DeviceTasksClient<Channel>,
    http: Http,
    uuid: String,
}

async fn world() -> World {
    let emulator = Emulator::builder().build().expect("an emulator");
    let emulator = emulator.start().await.expect("an emulator");
    let endpoint = emulator.endpoint();
    let grpc = Client::connect(&endpoint).await.expect("a client");
    let rest = Client::builder(&endpoint).wire(Wire::Rest).connect().await.expect("a client");
    let channel = Endpoint::from_shared(endpoint).expect("an endpoint").connect().await;
    let created = grpc.device_tasks().create_task(model::task()).await.expect("a task");
    let mut connector = HttpConnector::new();
    connector.set_nodelay(true);
    World {
        emulator,
        grpc,
        rest,
        stub: DeviceTasksClient::new(channel.expect("a channel")),
        http: hyper_util::client::legacy::Client::builder(TokioExecutor::new()).build(connector),
        uuid: created.uuid,
    }
}

async fn by_client(client: Client, uuid: String) {
    let task = client.device_tasks().get_task(uuid.as_str()).await.expect("a task");
    assert_eq!(black_box(task).uuid, uuid);
}

async fn by_stub(mut stub: DeviceTasksClient<Channel>, uuid: String) {
    let request = GetTaskRequest { task_uuid: uuid.clone() };
    let response = stub.get_task(request).await.expect("a task").into_inner();
    assert_eq!(black_box(response).task.expect("a task").uuid, uuid);
}

async fn by_hyper(http: Http, endpoint: String, uuid: String) {
    let uri = format!("{endpoint}/v1/device_tasks/{uuid}").parse().expect("an address");
    let response = http.get(uri).await.expect("an answer");
    let body = response.into_body().collect().await.expect("a body").to_bytes();
    let answer: model::Answer = serde_json::from_slice(&body).expect("JSON");
    assert_eq!(black_box(answer).task.uuid, uuid);
}

/// Runs a number of futures at once.
async fn batch<F: Future<Output = ()> + Send + 'static>(size: usize, call: impl Fn() -> F) {
    if size == 1 {
        return call().await;
    }
    let mut calls = JoinSet::new();
    for _ in 0..size {
        calls.spawn(call());
    }
    while let Some(done) = calls.join_next().await {
        done.expect("a call");
    }
}

fn calls(criterion: &mut Criterion) {
    let runtime = Runtime::new().expect("a runtime");
    let world = runtime.block_on(world());
    let endpoint = world.emulator.endpoint();
    for size in CONCURRENCY {
        let mut group = criterion.benchmark_group(format!("call/grpc/{size}"));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function("ours", |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| batch(size, || by_client(world.grpc.clone(), world.uuid.clone())));
        });
        group.bench_function("tonic", |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| batch(size, || by_stub(world.stub.clone(), world.uuid.clone())));
        });
        group.finish();

        let mut group = criterion.benchmark_group(format!("call/rest/{size}"));
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function("ours", |bencher| {
            bencher
                .to_async(&runtime)
                .iter(|| batch(size, || by_client(world.rest.clone(), world.uuid.clone())));
        });
        group.bench_function("hyper", |bencher| {
            bencher.to_async(&runtime).iter(|| {
                batch(size, || by_hyper(world.http.clone(), endpoint.clone(), world.uuid.clone()))
            });
        });
        group.finish();
    }
    runtime.block_on(world.emulator.shutdown());
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_secs(1))
        .measurement_time(Duration::from_secs(4));
    targets = calls
}
criterion_main!(benches);

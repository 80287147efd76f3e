//! Compares ways to read and write messages, as binary and as JSON.
//!
//! All rows of a group do the same work on the same bytes: compare them with each other, never with numbers
//! of another run. `benches/README.md` explains how to read them.

mod by_hand;
#[cfg(feature = "policies-as-code")]
mod container;
mod data;
mod rivals;

use std::hint::black_box;
use std::time::Duration;

use criterion::measurement::WallTime;
use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use eset_protect::JsonMessage;
use eset_protect::automation::v1::{DeviceTask, ListTasksResponse};
use eset_protect::policy_management::v2::CreatePolicyRequest;
use eset_protect::protojson::{Reader, Writer};
use prost::Message;
use serde::Serialize;
use serde::de::DeserializeOwned;

use rivals::Reflected;

/// The names of the cases.
const TASK: &str = "task";
const LIST: &str = "list";
const POLICY: &str = "policy";

fn codec(criterion: &mut Criterion) {
    let task = data::task(7);
    case::<DeviceTask, by_hand::DeviceTask>(
        criterion,
        TASK,
        "eset.dotnod.automation.v1.DeviceTask",
        &task,
    );
    let list = ListTasksResponse {
        tasks: (0..1000).map(data::task).collect(),
        next_page_token: "eyJvZmZzZXQiOjEwMDB9".into(),
    };
    case::<ListTasksResponse, by_hand::ListTasksResponse>(
        criterion,
        LIST,
        "eset.dotnod.automation.v1.ListTasksResponse",
        &list,
    );
    let policy = CreatePolicyRequest { policy: Some(data::policy(200_000)) };
    case::<CreatePolicyRequest, by_hand::CreatePolicyRequest>(
        criterion,
        POLICY,
        "eset.dotnod.policy_management.v2.CreatePolicyRequest",
        &policy,
    );
    #[cfg(feature = "policies-as-code")]
    container::container(criterion);
}

/// Measures a message in both forms and both directions. `H` is its hand-written model.
fn case<M, H>(criterion: &mut Criterion, size: &str, full_name: &str, message: &M)
where
    M: JsonMessage + PartialEq,
    H: Serialize + DeserializeOwned,
{
    let binary = message.encode_to_vec();
    let json = serde_json::to_vec(message).expect("every message has a JSON form");
    let value: serde_json::Value = serde_json::from_slice(&json).expect("what was written is JSON");
    let hand: H = serde_json::from_slice(&json).expect("the model by hand reads it");
    let reflected = Reflected::new(full_name);
    let dynamic = reflected.read_binary(&binary);

    // All rows must agree.
    assert!(M::decode(&*binary).expect("binary") == *message);
    assert!(serde_json::from_slice::<M>(&json).expect("JSON") == *message);
    assert_eq!(to_value(&serde_json::to_vec(&hand).expect("by hand")), value);
    assert_eq!(serde_json::to_value(&dynamic).expect("reflected"), value);
    assert_eq!(serde_json::to_value(reflected.read_json(&json)).expect("reflected"), value);

    let mut group = group(criterion, &format!("binary/decode/{size}"), &binary);
    group.bench_function("ours", |b| b.iter(|| M::decode(black_box(&*binary))));
    group.bench_function("prost-reflect", |b| {
        b.iter(|| reflected.read_binary(black_box(&binary)));
    });
    group.finish();

    let mut group = self::group(criterion, &format!("binary/encode/{size}"), &binary);
    group.bench_function("ours", |b| b.iter(|| black_box(message).encode_to_vec()));
    group.bench_function("prost-reflect", |b| b.iter(|| black_box(&dynamic).encode_to_vec()));
    group.finish();

    let mut group = self::group(criterion, &format!("json/decode/{size}"), &json);
    group.bench_function("ours", |b| b.iter(|| serde_json::from_slice::<M>(black_box(&json))));
    let reader = Reader::new();
    group.bench_function("ours-reader", |b| b.iter(|| reader.read::<M>(black_box(&json))));
    group.bench_function("by-hand", |b| b.iter(|| serde_json::from_slice::<H>(black_box(&json))));
    group.bench_function("value", |b| b.iter(|| to_value(black_box(&json))));
    group.bench_function("prost-reflect", |b| b.iter(|| reflected.read_json(black_box(&json))));
    group.finish();

    let mut group = self::group(criterion, &format!("json/encode/{size}"), &json);
    group.bench_function("ours", |b| b.iter(|| serde_json::to_vec(black_box(message))));
    let writer = Writer::new();
    group.bench_function("ours-writer", |b| b.iter(|| writer.write(black_box(message))));
    group.bench_function("by-hand", |b| b.iter(|| serde_json::to_vec(black_box(&hand))));
    group.bench_function("value", |b| b.iter(|| serde_json::to_vec(black_box(&value))));
    group.bench_function("prost-reflect", |b| b.iter(|| serde_json::to_vec(black_box(&dynamic))));
    group.finish();
}

fn group<'a>(
    criterion: &'a mut Criterion,
    name: &str,
    bytes: &[u8],
) -> BenchmarkGroup<'a, WallTime> {
    let mut group = criterion.benchmark_group(name);
    group.throughput(Throughput::Bytes(bytes.len() as u64));
    group
}

fn to_value(json: &[u8]) -> serde_json::Value {
    serde_json::from_slice(json).expect("JSON")
}

criterion_group! {
    name = benches;
    config = Criterion::default()
        .warm_up_time(Duration::from_millis(500))
        .measurement_time(Duration::from_secs(2))
        .sample_size(50);
    targets = codec
}
criterion_main!(benches);

//! ProtoJSON beside hand-written serde models of the same JSON, for the count of instructions.

#[path = "../codec/by_hand.rs"]
mod by_hand;
#[path = "../codec/data.rs"]
mod data;

use std::borrow::Cow;
use std::hint::black_box;

use eset_protect::automation::v1::ListTasksResponse;
use eset_protect::policy_management::v2::CreatePolicyRequest;
use eset_protect::protojson::{Reader, Writer};
use serde::Serialize;
use serde::de::DeserializeOwned;

const SETTINGS: usize = 200_000;

/// Reads or writes a message so often: `task`, `list` of 1,000 tasks, or `policy`.
pub fn run(direction: &str, size: &str, row: &str, count: usize) {
    match size {
        _ if row == "base64" => base64(direction, count),
        "task" => rows::<_, by_hand::DeviceTask>(&data::task(7), direction, row, count),
        "list" => {
            let tasks = (0..1000).map(data::task).collect();
            let list = ListTasksResponse { tasks, next_page_token: "eyJvZmZzZXQiOjEwMDB9".into() };
            rows::<_, by_hand::ListTasksResponse>(&list, direction, row, count);
        }
        "policy" => {
            let policy = CreatePolicyRequest { policy: Some(data::policy(SETTINGS)) };
            rows::<_, by_hand::CreatePolicyRequest>(&policy, direction, row, count);
        }
        other => panic!("expected task, list or policy, found {other}"),
    }
}

fn rows<M, H>(message: &M, direction: &str, row: &str, count: usize)
where
    M: Serialize + DeserializeOwned,
    H: Serialize + DeserializeOwned,
{
    let json = &serde_json::to_vec(message).expect("JSON");
    let hand: &H = &serde_json::from_slice(json).expect("the model by hand reads it");
    let (reader, writer) = (Reader::new(), Writer::new());
    match (direction, row) {
        ("decode", "ours") => repeat(count, || serde_json::from_slice::<M>(black_box(json))),
        ("decode", "reader") => repeat(count, || reader.read::<M>(black_box(json))),
        ("decode", "by-hand") => repeat(count, || serde_json::from_slice::<H>(black_box(json))),
        ("encode", "ours") => repeat(count, || serde_json::to_vec(black_box(message))),
        ("encode", "writer") => repeat(count, || writer.write(black_box(message))),
        ("encode", "by-hand") => repeat(count, || serde_json::to_vec(black_box(hand))),
        other => panic!("no such row: {other:?}"),
    }
}

/// Vectorized base64 and one scan of the JSON string.
fn base64(direction: &str, count: usize) {
    let settings = &vec![0x5A; SETTINGS];
    let text = base64_simd::STANDARD.encode_to_string(settings);
    let json = &serde_json::to_vec(&text).expect("JSON");
    match direction {
        "decode" => repeat(count, || {
            let text: Cow<'_, str> = serde_json::from_slice(black_box(json))?;
            Ok(base64_simd::STANDARD.decode_to_vec(&*text).expect("base64"))
        }),
        _ => repeat(count, || {
            serde_json::to_vec(&base64_simd::STANDARD.encode_to_string(black_box(settings)))
        }),
    }
}

fn repeat<T>(count: usize, once: impl Fn() -> Result<T, serde_json::Error>) {
    for _ in 0..count {
        black_box(once().expect("JSON"));
    }
}

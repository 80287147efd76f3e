//! ProtoJSON beside hand-written serde models of the same JSON and other implementations.

#[path = "../codec/by_hand.rs"]
mod by_hand;
#[path = "../codec/data.rs"]
mod data;
#[path = "../codec/rivals.rs"]
mod rivals;
#[allow(warnings)]
mod buffas {
    include!(concat!(env!("OUT_DIR"), "/buffa.rs"));
}

use bytes::Bytes;
use std::borrow::Cow;
use std::hint::black_box;

use buffas::eset::dotnod::{automation::v1 as automation, policy_management::v2 as policies};
use eset_protect::JsonMessage;
use eset_protect::automation::v1::{DeviceTask, ListTasksResponse};
use eset_protect::policy_management::v2::CreatePolicyRequest;
use eset_protect::protojson::{Reader, Writer};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

const SETTINGS: usize = 200_000;

/// Reads or writes a message so often: `task`, `policy`, or a list of so many tasks.
///
/// The rows that end with `bytes` are for a bridge: from JSON to the binary form, or back. `value-bytes` is the common
/// way to do that, by `serde_json::Value`.
pub fn run(direction: &str, size: &str, row: &str, count: usize) {
    match size {
        _ if row == "base64" => base64(direction, count),
        "task" => rows::<DeviceTask, by_hand::DeviceTask, automation::DeviceTask>(
            &data::task(7),
            "eset.dotnod.automation.v1.DeviceTask",
        )(direction, row, count),
        "policy" => {
            rows::<CreatePolicyRequest, by_hand::CreatePolicyRequest, policies::CreatePolicyRequest>(
                &CreatePolicyRequest { policy: Some(data::policy(SETTINGS)) },
                "eset.dotnod.policy_management.v2.CreatePolicyRequest",
            )(direction, row, count)
        }
        size => {
            let tasks =
                (0..size.parse().expect("task, policy or a length")).map(data::task).collect();
            let list = ListTasksResponse { tasks, next_page_token: "eyJvZmZzZXQiOjEwMDB9".into() };
            rows::<_, by_hand::ListTasksResponse, automation::ListTasksResponse>(
                &list,
                "eset.dotnod.automation.v1.ListTasksResponse",
            )(direction, row, count);
        }
    }
}

/// Measures a message; `H` is its hand-written model and `B` its type of buffa.
fn rows<M, H, B>(message: &M, full_name: &str) -> impl FnOnce(&str, &str, usize)
where
    M: JsonMessage,
    H: Serialize + DeserializeOwned,
    B: buffa::Message + Serialize + DeserializeOwned,
{
    let mut registry = buffa::type_registry::TypeRegistry::new();
    buffas::Era::Common::DataDefinition::Task::ESS::register_types(&mut registry);
    buffa::type_registry::set_type_registry(registry);
    let reflected = rivals::Reflected::new(full_name);
    let json = serde_json::to_vec(message).expect("JSON");
    let binary = Bytes::from(message.encode_to_vec());
    let message = M::decode(&*binary).expect("binary");
    let hand: H = serde_json::from_slice(&json).expect("the model by hand reads it");
    let buffa: B = serde_json::from_slice(&json).expect("buffa reads it");
    let dynamic = reflected.read_binary(&binary);
    let (reader, writer) = (Reader::new(), Writer::new());
    move |direction, row, count| {
        let json = &*json;
        match (direction, row) {
            ("decode", "ours") => repeat(count, || serde_json::from_slice::<M>(black_box(json))),
            ("decode", "reader") => repeat(count, || reader.read::<M>(black_box(json))),
            ("decode", "by-hand") => repeat(count, || serde_json::from_slice::<H>(black_box(json))),
            ("decode", "buffa") => repeat(count, || serde_json::from_slice::<B>(black_box(json))),
            ("decode", "prost-reflect") => {
                repeat(count, || Ok(reflected.read_json(black_box(json))))
            }
            ("decode", "ours-bytes") => {
                repeat(count, || {
                    reader.read::<M>(black_box(json)).map(|read| read.encode_to_vec())
                });
            }
            ("decode", "value-bytes") => repeat(count, || {
                let value: Value = serde_json::from_slice(black_box(json))?;
                serde_json::from_value::<M>(value).map(|read| read.encode_to_vec())
            }),
            ("encode", "ours") => repeat(count, || serde_json::to_vec(black_box(&message))),
            ("encode", "writer") => repeat(count, || writer.write(black_box(&message))),
            ("encode", "by-hand") => repeat(count, || serde_json::to_vec(black_box(&hand))),
            ("encode", "buffa") => repeat(count, || serde_json::to_vec(black_box(&buffa))),
            ("encode", "prost-reflect") => {
                repeat(count, || serde_json::to_vec(black_box(&dynamic)))
            }
            ("encode", "ours-bytes") => {
                repeat(count, || writer.write(&received::<M>(&binary)));
            }
            ("encode", "value-bytes") => repeat(count, || {
                let value = serde_json::to_value(received::<M>(&binary))?;
                serde_json::to_vec(&value)
            }),
            other => panic!("no such row: {other:?}"),
        }
    }
}

/// Decodes a message as servers do: out of a buffer that it may share.
fn received<M: JsonMessage>(binary: &Bytes) -> M {
    M::decode(black_box(binary.clone())).expect("binary")
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

//! Broken input for both decoders, for every message type: the result is a useful error or a message, never a
//! panic, a stack overflow, or more memory than the input justifies.
//!
//! A panic fails a test by itself. Everything runs on threads with the default stack of Rust's and tokio's
//! threads, so an overflow would kill the test binary.

use std::time::{Duration, Instant};

#[path = "../../fuzz/json.rs"]
mod of_any_bytes;

use crate::support::messages::tape::Tape;
use crate::support::messages::{all_types, config, oracle_json, random};
use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::{Any, Registered, TypeRegistry};
use proptest::prelude::{TestCaseError, any};
use proptest::test_runner::TestRunner;
use prost::Message;
use prost_reflect::{DynamicMessage, MessageDescriptor};

fn on_a_small_stack(run: impl FnOnce() + Send + 'static) {
    let thread = std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap();
    if let Err(panic) = thread.join() {
        std::panic::resume_unwind(panic);
    }
}

fn known(descriptor: &MessageDescriptor) -> Registered {
    TypeRegistry::default().get(descriptor.full_name()).expect("a known type")
}

fn check(holds: bool, problem: impl Fn() -> String) -> Result<(), TestCaseError> {
    if holds { Ok(()) } else { Err(TestCaseError::fail(problem())) }
}

/// Tries JSON text with both decoders.
fn try_json(descriptor: &MessageDescriptor, json: &str) -> Result<(), TestCaseError> {
    let strict = Reader::new().strict(true).scope(|| known(descriptor).to_binary(json));
    match known(descriptor).to_binary(json) {
        Ok(binary) => {
            // The message read from JSON is valid for every decoder.
            let dynamic = DynamicMessage::decode(descriptor.clone(), binary.as_slice());
            check(dynamic.is_ok(), || format!("{dynamic:?} from {json}"))?;
            try_binary(descriptor, &binary)
        }
        Err(error) => {
            check(!error.to_string().is_empty(), || json.to_owned())?;
            check(strict.is_err(), || format!("strict reads what is refused: {json}"))
        }
    }
}

/// Tries bytes with both decoders. The JSON written for them can be read again.
fn try_binary(descriptor: &MessageDescriptor, binary: &[u8]) -> Result<(), TestCaseError> {
    match known(descriptor).to_json(binary) {
        Ok(json) => {
            let again = known(descriptor).to_binary(&json);
            check(again.is_ok(), || format!("{again:?} from {json}"))
        }
        Err(error) => check(!error.to_string().is_empty(), || format!("{binary:02x?}")),
    }
}

/// 1 GB as a varint.
const GIGABYTE: &[u8] = &[0x80, 0x80, 0x80, 0x80, 0x04];

/// Breaks the input in one to four places.
fn mutate(input: &mut Vec<u8>, dictionary: &[&[u8]], tape: &mut Tape) {
    for _ in 0..=tape.below(4) {
        let at = usize::from(tape.byte()) * input.len() / 256;
        let end = (at + 1 + tape.below(16)).min(input.len());
        match tape.below(6) {
            0 if at < input.len() => input[at] ^= 1 << tape.below(8),
            1 => drop(input.drain(at..end)),
            2 => {
                let token = tape.pick(dictionary);
                drop(input.splice(at..at, token.iter().copied()));
            }
            3 => input.truncate(at),
            4 => {
                let piece = input[at..end].to_vec();
                let to = usize::from(tape.byte()) * input.len() / 256;
                drop(input.splice(to..to, piece));
            }
            _ => {
                // Deep nesting, closed or not.
                let token = tape.pick(dictionary);
                let times = tape.pick(&[2, 60, 130, 5000]);
                drop(input.splice(at..at, token.repeat(times)));
            }
        }
    }
}

fn for_every_type(
    cases: u32,
    property: impl Fn(&DynamicMessage, &MessageDescriptor, &mut Tape) -> Result<(), TestCaseError>
    + Send
    + 'static,
) {
    on_a_small_stack(move || {
        for descriptor in all_types() {
            let bytes = || proptest::collection::vec(any::<u8>(), 0..120);
            let result = TestRunner::new(config(cases)).run(&(bytes(), bytes()), |(one, two)| {
                let message = random::message(&descriptor, &mut Tape::new(&one));
                property(&message, &descriptor, &mut Tape::new(&two))
            });
            if let Err(failure) = result {
                let failure: String = failure.to_string().chars().take(3000).collect();
                panic!("{}: {failure}", descriptor.full_name());
            }
        }
    });
}

#[test]
fn broken_json_of_every_type() {
    const TOKENS: &[&[u8]] = &[
        b"[",
        b"]",
        b"{",
        b"}",
        b"\"",
        b"\\",
        b"\\ud800",
        b",",
        b":",
        b"null",
        b"1e999",
        b"-0",
        b"1e-9",
        b"{\"a\":",
        b"{\"@type\":\"google.protobuf.Any\",\"value\":",
        b"\"@type\":\"x.Y\",",
        b"{\"value\":",
        b"\"@type\":\"google.rpc.Status\",",
        b"[{},",
        b"\"\":1,",
        b"\xff",
        b"\x00",
        b"\"uuid\":null,",
        b"99999999999999999999999",
    ];
    for_every_type(120, |message, descriptor, tape| {
        let mut json = oracle_json(message).to_string().into_bytes();
        mutate(&mut json, TOKENS, tape);
        // Bytes that are not UTF-8 reach only these readers.
        if ["google.protobuf", "eset.dotnod.policy_management.v2"]
            .contains(&descriptor.package_name())
        {
            of_any_bytes::check(&json);
        }
        try_json(descriptor, &String::from_utf8_lossy(&json))
    });
}

#[test]
fn broken_bytes_of_every_type() {
    const TOKENS: &[&[u8]] = &[
        &[0x0a],
        &[0x12],
        &[0x1a],
        &[0x2a],
        &[0x0b],
        &[0x0c],
        &[0x00],
        &[0xff],
        &[0x80],
        &[0x0a, 0x02],
        GIGABYTE,
        &[0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x01],
        // The extra field of unknown members: empty, and with one at "/a".
        &[0x8a, 0xd4, 0x09, 0x00],
        b"\x8a\xd4\x09\x09\x0a\x07\x0a\x02/a\x12\x011",
        b"\x0a\x22type.googleapis.com/google.rpc.Any",
    ];
    for_every_type(120, |message, descriptor, tape| {
        let mut binary = prost_reflect::prost::Message::encode_to_vec(message);
        mutate(&mut binary, TOKENS, tape);
        try_binary(descriptor, &binary)
    });
}

#[test]
fn noise_at_every_type() {
    for_every_type(30, |_, descriptor, tape| {
        let mut noise = Vec::new();
        while !tape.is_empty() {
            noise.push(tape.byte());
        }
        try_binary(descriptor, &noise)?;
        try_json(descriptor, &String::from_utf8_lossy(&noise))
    });
}

/// A length of 1 GB in front of every field of every type. prost compares a length with the remaining bytes
/// before it allocates memory, so the error comes at once. A decoder that trusted the length would allocate 1
/// GB several thousand times, which no machine does in this time.
#[test]
fn huge_lengths_are_errors_at_once() {
    on_a_small_stack(|| {
        let start = Instant::now();
        let mut tried = 0;
        for descriptor in all_types() {
            for number in (1..=20_u32).chain([19_777]) {
                let mut bytes = Vec::new();
                prost::encoding::encode_varint(u64::from(number << 3 | 2), &mut bytes);
                bytes.extend_from_slice(GIGABYTE);
                for rest in [&[][..], &[0; 64]] {
                    let bytes = [&bytes, rest].concat();
                    assert!(known(&descriptor).to_json(&bytes).is_err());
                    let value = bytes.clone().into();
                    let name = descriptor.full_name().to_owned();
                    let any = Any { type_url: name, value };
                    assert!(Writer::new().strict(true).write(&any).is_err());
                    let json = serde_json::to_string(&any).unwrap();
                    assert_eq!(serde_json::from_str::<Any>(&json).unwrap(), any);
                    tried += 2;
                }
            }
            // An undeclared field is skipped by its length, which is an error too.
            let unknown = Any { type_url: "x.Y".to_owned(), value: GIGABYTE.into() };
            assert!(unknown.unknown_members().is_err());
        }
        assert!(tried > 1000, "{tried}");
        assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    });
}

/// Messages and `Any`s nested as deeply as bytes can express.
#[test]
fn deep_bytes_are_errors() {
    on_a_small_stack(|| {
        let wrap = |any: &Any| Any {
            type_url: "type.googleapis.com/google.protobuf.Any".to_owned(),
            value: any.encode_to_vec().into(),
        };
        let mut any = Any::default();
        for depth in 0..2000 {
            match Writer::new().strict(true).write(&any) {
                Ok(json) => assert!(depth <= 100 && json.len() > depth, "{depth}"),
                Err(error) => assert!(depth >= 100 && error.to_string().contains("nested")),
            }
            if [99, 110, 1999].contains(&depth) {
                let json = serde_json::to_string(&any).unwrap();
                assert_eq!(serde_json::from_str::<Any>(&json).unwrap(), any);
            }
            any = wrap(&any);
        }
        // ListValue → Value → ListValue …
        let mut list = Vec::new();
        for _ in 0..20_000 {
            for number in [6, 1] {
                let mut outer = vec![number << 3 | 2];
                prost::encoding::encode_varint(list.len() as u64, &mut outer);
                outer.append(&mut list);
                list = outer;
            }
            if list.len() > 60_000 {
                break;
            }
        }
        let list_value = TypeRegistry::default().get("google.protobuf.ListValue").unwrap();
        assert!(list_value.to_json(&list).unwrap_err().to_string().contains("recursion"));
        // Groups, which no type here has, are skipped within limits.
        let groups = [0x0b; 100_000].to_vec();
        for descriptor in all_types() {
            assert!(known(&descriptor).to_json(&groups).is_err());
        }
        assert!(Any { type_url: String::new(), value: groups.into() }.unknown_members().is_err());
    });
}

//! Random messages of any type, from its descriptor.

use std::collections::HashMap;

use prost_reflect::prost::Message;
use prost_reflect::{
    DynamicMessage, FieldDescriptor, Kind, MapKey, MessageDescriptor, ReflectMessage, Value,
};

use super::tape::Tape;
use super::{POOL, all_types};

/// The maximum nesting of `Any`s.
const MAX_ANY_DEPTH: u32 = 3;
/// The maximum nesting of other messages and dynamic values.
const MAX_DEPTH: u32 = 8;

/// Returns a message of this type with a JSON form for the oracle and for us.
pub fn message(descriptor: &MessageDescriptor, tape: &mut Tape) -> DynamicMessage {
    build(descriptor, tape, 0, 0)
}

fn build(descriptor: &MessageDescriptor, tape: &mut Tape, depth: u32, anys: u32) -> DynamicMessage {
    match descriptor.full_name() {
        "google.protobuf.Any" => any(descriptor, tape, depth, anys),
        "google.protobuf.Timestamp" => {
            let seconds = timestamp_seconds(tape);
            parts(descriptor, seconds, i32::try_from(nanos(tape)).unwrap())
        }
        "google.protobuf.Duration" => duration(descriptor, tape),
        "google.protobuf.FieldMask" => field_mask(descriptor, tape),
        "google.protobuf.Value" => dynamic(descriptor, tape, depth, anys),
        _ => fields(descriptor, tape, depth, anys),
    }
}

fn fields(
    descriptor: &MessageDescriptor,
    tape: &mut Tape,
    depth: u32,
    anys: u32,
) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    for field in descriptor.fields() {
        if tape.is_empty() {
            break;
        }
        // A oneof keeps the last member that is set; `optional` fields and messages may be set to
        // their default.
        if tape.below(4) > 0 && depth < MAX_DEPTH {
            let value = field_value(&field, tape, depth, anys);
            message.set_field(&field, value);
        }
    }
    message
}

fn field_value(field: &FieldDescriptor, tape: &mut Tape, depth: u32, anys: u32) -> Value {
    let kind = field.kind();
    if field.is_map() {
        let entry = kind.as_message().unwrap();
        let value_kind = entry.map_entry_value_field().kind();
        let mut map = HashMap::new();
        for _ in 0..tape.below(4) {
            map.insert(MapKey::String(text(tape)), value(&value_kind, tape, depth, anys));
        }
        return Value::Map(map);
    }
    if field.is_list() {
        return Value::List((0..tape.below(4)).map(|_| value(&kind, tape, depth, anys)).collect());
    }
    value(&kind, tape, depth, anys)
}

fn value(kind: &Kind, tape: &mut Tape, depth: u32, anys: u32) -> Value {
    match kind {
        Kind::Bool => Value::Bool(tape.one_in(2)),
        Kind::Int32 => Value::I32(tape.pick(&[0, 1, -1, i32::MIN, i32::MAX, 404])),
        Kind::Uint32 => Value::U32(tape.pick(&[0, 1, u32::MAX, 1 << 31, 1000])),
        Kind::Int64 => {
            let any = tape.u64().cast_signed();
            Value::I64(tape.pick(&[0, any, -1, i64::MIN, i64::MAX, (1 << 53) + 1]))
        }
        Kind::Uint64 => {
            let any = tape.u64();
            Value::U64(tape.pick(&[0, any, u64::MAX, 1 << 63, (1 << 53) + 1]))
        }
        Kind::Float => {
            Value::F32(tape.pick(&[0.0, 1.5, -0.1, 1e38, f32::MIN_POSITIVE, 16_777_217.0]))
        }
        Kind::Double => {
            let any = f64::from_bits(tape.u64());
            let any = if any.is_finite() { any } else { 0.1 };
            Value::F64(tape.pick(&[0.0, any, 1.5, -1e-300, f64::MAX, f64::MIN_POSITIVE, 1e21]))
        }
        Kind::String => Value::String(text(tape)),
        Kind::Bytes => {
            let length = tape.below(20);
            Value::Bytes((0..length).map(|_| tape.byte()).collect())
        }
        Kind::Enum(enumeration) => {
            let known = tape.below(enumeration.values().len() + 3);
            Value::EnumNumber(match enumeration.values().nth(known) {
                Some(value) => value.number(),
                None => tape.pick(&[i32::MAX, -1, i32::MIN, 77]),
            })
        }
        Kind::Message(message) => Value::Message(build(message, tape, depth + 1, anys)),
        other => panic!("no message of the set has a field of {other:?}"),
    }
}

/// Returns text with everything that JSON must escape or must not change.
fn text(tape: &mut Tape) -> String {
    const PIECES: &[&str] = &[
        "",
        "a",
        "type",
        "@type",
        "0",
        "\u{0}",
        "\u{1f}",
        "\u{7f}",
        "\"",
        "\\",
        "/",
        "~",
        "~1",
        "ä",
        "\u{2028}",
        "\u{feff}",
        "\u{fffd}",
        "\u{ffff}",
        "😀",
        "\u{10ffff}",
        "e\u{301}",
        "\n",
        "C:\\",
        "null",
        " ",
        "field `x`: ",
    ];
    (0..tape.below(5)).map(|_| tape.pick(PIECES)).collect()
}

fn parts(descriptor: &MessageDescriptor, seconds: i64, nanos: i32) -> DynamicMessage {
    let mut message = DynamicMessage::new(descriptor.clone());
    message.set_field_by_name("seconds", Value::I64(seconds));
    message.set_field_by_name("nanos", Value::I32(nanos));
    message
}

fn timestamp_seconds(tape: &mut Tape) -> i64 {
    const MIN: i64 = -62_135_596_800;
    const MAX: i64 = 253_402_300_799;
    let any = MIN + i64::try_from(tape.u64() % (MAX - MIN).unsigned_abs()).unwrap();
    // The last ones: leap days of 2000, 2024 and 1600, and the second before the epoch.
    tape.pick(&[0, any, any, MIN, MAX, 951_782_400, 1_709_164_800, -11_670_998_400, -1])
}

fn nanos(tape: &mut Tape) -> u32 {
    let any = u32::try_from(tape.u64() % 1_000_000_000).unwrap();
    tape.pick(&[0, any, 1, 999_999_999, 500_000_000, 1000, 123_456_000])
}

fn duration(descriptor: &MessageDescriptor, tape: &mut Tape) -> DynamicMessage {
    let any = i64::try_from(tape.u64() % 315_576_000_000).unwrap();
    let seconds = tape.pick(&[0, any, 1, 315_575_999_999]);
    let nanos = i32::try_from(nanos(tape)).unwrap();
    let sign = tape.pick(&[1, -1]);
    parts(descriptor, seconds * i64::from(sign), nanos * sign)
}

fn field_mask(descriptor: &MessageDescriptor, tape: &mut Tape) -> DynamicMessage {
    const PATHS: &[&str] = &["a", "display_name", "targets.devices_uuids", "a1.b_c.d"];
    let paths = (0..tape.below(4)).map(|_| Value::String(tape.pick(PATHS).to_owned())).collect();
    let mut message = DynamicMessage::new(descriptor.clone());
    message.set_field_by_name("paths", Value::List(paths));
    message
}

/// `google.protobuf.Value`: exactly one kind is set.
fn dynamic(
    descriptor: &MessageDescriptor,
    tape: &mut Tape,
    depth: u32,
    anys: u32,
) -> DynamicMessage {
    let kinds: Vec<_> = descriptor.fields().collect();
    // The last two kinds are nested.
    let most = if depth < MAX_DEPTH { kinds.len() } else { kinds.len() - 2 };
    let field = &kinds[tape.below(most)];
    let value = match field.kind() {
        Kind::Enum(_) => Value::EnumNumber(0),
        kind => value(&kind, tape, depth, anys),
    };
    let mut message = DynamicMessage::new(descriptor.clone());
    message.set_field(field, value);
    message
}

fn any(descriptor: &MessageDescriptor, tape: &mut Tape, depth: u32, anys: u32) -> DynamicMessage {
    let types = all_types();
    let mut inner = loop {
        let inner = types[tape.below(types.len())].clone();
        // See the list of differences in `codecs/properties.rs`.
        if inner.full_name() != "eset_protect.v1.UnknownAny" {
            break inner;
        }
    };
    if anys >= MAX_ANY_DEPTH {
        inner = POOL.get_message_by_name("google.protobuf.Empty").unwrap();
    }
    let message = build(&inner, tape, depth + 1, anys + 1);
    let prefix = tape.pick(&["type.googleapis.com/", "example.com/a/b/", "/"]);
    let mut any = DynamicMessage::new(descriptor.clone());
    let type_url = format!("{prefix}{}", message.descriptor().full_name());
    any.set_field_by_name("type_url", Value::String(type_url));
    any.set_field_by_name("value", Value::Bytes(message.encode_to_vec().into()));
    any
}

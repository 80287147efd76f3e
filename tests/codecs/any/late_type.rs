//! `@type` may come last. The members before it are buffered, each byte once.

use eset_protect::codegen::buffered;

use super::*;

/// Reads `json` and counts the bytes buffered meanwhile.
fn buffered_for(json: &str) -> (Any, usize) {
    let before = buffered();
    let any = read(json);
    (any, buffered() - before)
}

const ANY: &str = "type.googleapis.com/google.protobuf.Any";

fn nested(depth: usize, payload: &str, is_late: impl Fn(usize) -> bool) -> String {
    let mut json = shutdown(&format!(r#","added":{payload}"#));
    for level in 0..depth {
        json = match is_late(level) {
            true => format!(r#"{{"value":{json},"@type":"{ANY}"}}"#),
            false => format!(r#"{{"@type":"{ANY}","value":{json}}}"#),
        };
    }
    json
}

#[test]
fn each_byte_is_buffered_once_however_deep() {
    let payload = format!("{:?}", "x".repeat(100_000));
    let (first, none) = buffered_for(&nested(90, &payload, |_| false));
    assert_eq!(none, 0, "nothing is buffered if `@type` comes first");
    for is_late in [|_| true, |level| level % 2 == 0, |level| level == 0, |level| level == 89] {
        let json = nested(90, &payload, is_late);
        let (any, bytes) = buffered_for(&json);
        assert_eq!(any, first);
        assert!((payload.len()..=json.len()).contains(&bytes), "{bytes} of {}", json.len());
    }
}

#[test]
fn a_late_type_is_found_however_it_is_spelled() {
    let plain = r#"{"@type":"google.rpc.Status","code":1,"details":[{"@type":"x.Y","a":"\"}{,@type"},
        {"@type":"google.rpc.Status","details":[{"@type":"google.protobuf.Empty"},{}]}]}"#;
    let late = r#"{"code":1,"details":[{"a":"\"}{,@type", "\u0040type" : "x.Y" },
        {"details":[{"@\u0074ype":"google.protobuf.Empty"} , { } ],"@type":"google.rpc.Status"}],
        "@type":"google.rpc.Status"}"#;
    assert_eq!(read(late), read(plain));
}

#[test]
fn a_wrong_type_inside_is_still_an_error() {
    for inner in [
        r#"{"a":1,"@type":{"b":1,"@type":2}}"#,
        r#"{"a":1,"@type":"x.Y","@type":"x.Y"}"#,
        r#"{"@type":"x.Y","a":1,"@type":"x.Y"}"#,
    ] {
        let json = format!(r#"{{"value":{inner},"@type":"{ANY}"}}"#);
        assert!(serde_json::from_str::<Any>(&json).is_err(), "{json}");
    }
}

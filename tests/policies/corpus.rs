//! The corpus of the fuzz target: real containers of each kind, and damaged ones.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use base64_simd::STANDARD;

use crate::damaged::{archive, lzma, member};
use crate::public;

#[path = "../../fuzz/container.rs"]
mod of_any_bytes;

/// Makes the corpus. Each file is small, so that the fuzzer is fast.
fn corpus() -> BTreeMap<&'static str, Vec<u8>> {
    let wrap = |bytes: &[u8]| STANDARD.encode_to_string(bytes).into_bytes();
    let quoted = |bytes: &[u8]| format!("\"{}\"", STANDARD.encode_to_string(bytes)).into_bytes();
    let lines = |bytes: &[u8]| {
        let text = STANDARD.encode_to_string(bytes);
        let lines: Vec<_> = text.as_bytes().chunks(76).collect();
        lines.join(&b"\r\n"[..])
    };
    let plain =
        br#"{"policy":{"format":"1","data":{"a":{"ce_flags":"4","ce_type":"9","ce_value":"1"}}}}"#;
    let array = br#"{"policy":{"format":"1","data":{"l":{"ce_array":"1","ce_flags":"0","ce_array_order":"1;2","1":{"ce_value":"x"}}}}}"#;
    let odd = br#" {"policy":{"data":{"`":{"ce_value":1.50},"g":{"ce_flags":"0","x.y":[1,{"z":null}]},"e":{}}}} "#;
    let packed = lzma("value");
    let one = archive(&[member("m.lzma", &packed)]);
    let two =
        archive(&[member("m.lzma/", &packed), member("n.txt", b"odd"), member("n.lzma", &packed)]);
    let cut = |bytes: &[u8], length: usize| bytes[..length].to_vec();
    let changed = |bytes: &[u8], at: usize, to: &[u8]| {
        let mut bytes = bytes.to_vec();
        bytes[at..at + to.len()].copy_from_slice(to);
        bytes
    };
    let size = one.len() - packed.len() - packed.len() % 2 - 12;
    let body = one.len() - packed.len() - packed.len() % 2;
    let export = |header: &str, end: &str| {
        let data = STANDARD.encode_to_string(plain);
        format!("{header}{data}eset.local.products.endpoint{end}").into_bytes()
    };
    let deep = format!(r#"{{"policy":{{"data":{}1{}}}}}"#, r#"{"a":"#.repeat(120), "}".repeat(120));
    BTreeMap::from([
        ("public", public().into_bytes()),
        ("public-twice", wrap(public().as_bytes())),
        ("plain", plain.to_vec()),
        ("array", array.to_vec()),
        ("odd", odd.to_vec()),
        ("zeros", [&plain[..], b"\0\0\0"].concat()),
        ("deep", deep.into_bytes()),
        ("layer", wrap(plain)),
        ("layer-quoted", quoted(plain)),
        ("layer-lines", lines(array)),
        (
            "layer-unpadded",
            wrap(b"{\"policy\":{\"data\":{}}} ").into_iter().filter(|b| *b != b'=').collect(),
        ),
        ("layers-five", wrap(&quoted(&wrap(&quoted(&wrap(plain)))))),
        ("layers-six", wrap(&wrap(&wrap(&wrap(&wrap(&wrap(b"{}"))))))),
        ("archive", one.clone()),
        ("archive-wrapped", wrap(&one)),
        ("archive-three-members", two),
        ("archive-empty", archive(&[])),
        ("archive-cut", cut(&one, one.len() - 20)),
        ("archive-header-cut", cut(&one, body - 30)),
        ("archive-size-wrong", changed(&one, size, b"9999999999")),
        ("archive-size-no-number", changed(&one, size, b"-1        ")),
        ("archive-header-end-wrong", changed(&one, body - 2, b"xx")),
        ("lzma-properties-wrong", changed(&one, body, b"\xff")),
        ("lzma-dictionary-huge", changed(&one, body + 1, b"\xff\xff\xff\xff")),
        ("lzma-size-huge", changed(&one, body + 5, b"\xff\xff\xff\xff\xff\xff\xff\x7f")),
        ("lzma-damaged", changed(&one, body + 20, b"\0\0\0")),
        ("base64-cut", cut(&wrap(plain), 41)),
        ("base64-wrong", changed(&wrap(plain), 40, b"\xff")),
        ("json-cut", cut(plain, 60)),
        ("json-followed", [&plain[..], b"x"].concat()),
        ("export", export("ESET\nheader\n", "\n")),
        ("export-windows", export("\u{feff}ESET\r\nheader\r\n", "\r\n")),
        ("empty", Vec::new()),
    ])
}

/// `RENEW_CORPUS=1` writes the files.
#[test]
fn the_corpus_of_the_fuzz_target_holds() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus/container");
    let corpus = corpus();
    for (name, bytes) in &corpus {
        assert!(bytes.len() < 2048, "{name}: {} bytes", bytes.len());
        if std::env::var_os("RENEW_CORPUS").is_some() {
            fs::write(folder.join(name), bytes).unwrap();
        }
        assert!(fs::read(folder.join(name)).unwrap() == *bytes, "{name} is not what is made here");
    }
    // Also what fuzzing added.
    for entry in fs::read_dir(folder).unwrap() {
        of_any_bytes::check(&fs::read(entry.unwrap().path()).unwrap());
    }
}

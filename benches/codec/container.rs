//! The container of a policy's settings: 200 kB of `data` as JSON alone, and 200 kB of settings of which half are
//! compressed.

use std::hint::black_box;
use std::io::Write;

use base64_simd::STANDARD;
use criterion::Criterion;
use eset_protect::policy::Container;
use lzma_rust2::{LzmaOptions, LzmaWriter};

const BYTES: usize = 200_000;

pub fn container(criterion: &mut Criterion) {
    for (name, data) in [("json", json()), ("archive", archive())] {
        let container = Container::decode(data.clone()).expect("a container");
        let contents = container.contents();
        assert!(contents.unread.is_empty() && contents.settings.len() > 100);
        assert_eq!(container.encode(), data.as_bytes());

        let mut group = super::group(criterion, &format!("container/{name}"), data.as_bytes());
        group.bench_function("decode", |b| b.iter(|| Container::decode(black_box(data.clone()))));
        group.bench_function("read", |b| {
            b.iter(|| Container::decode(black_box(data.clone())).expect("a container").contents());
        });
        group.bench_function("encode", |b| b.iter(|| black_box(&container).encode()));
        group.finish();
    }
}

/// Settings of the given size in JSON.
fn settings(bytes: usize) -> String {
    let mut groups = Vec::new();
    let mut length = 0;
    while length < bytes {
        let number = groups.len().wrapping_mul(2_654_435_761) % 1_000_003;
        let leaf = format!(r#"{{"ce_flags":"4","ce_type":"9","ce_value":"{number}"}}"#);
        let group =
            format!(r#""group{}":{{"ce_flags":"0","setting{number}":{leaf}}}"#, groups.len());
        length += group.len() + 1;
        groups.push(group);
    }
    format!(r#"{{"policy":{{"format":"1","data":{{{}}}}}}}"#, groups.join(","))
}

fn json() -> String {
    STANDARD.encode_to_string(settings(BYTES * 3 / 4))
}

/// As many bytes of settings, half of them compressed.
fn archive() -> String {
    let text = settings(BYTES / 2);
    let size = u64::try_from(text.len()).ok();
    let options = LzmaOptions::with_preset(6);
    let mut writer = LzmaWriter::new_use_header(Vec::new(), &options, size).expect("options");
    writer.write_all(text.as_bytes()).expect("memory");
    let body = writer.finish().expect("memory");
    let size = body.len();
    let head =
        format!("{:<16}{:<12}{:<6}{:<6}{:<8}{size:<10}`\n", "endpoint.lzma", 0, 0, 0, 100_644);
    STANDARD.encode_to_string([text.as_bytes(), b"!<arch>\n", head.as_bytes(), &body].concat())
}

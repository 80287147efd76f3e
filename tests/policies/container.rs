//! What was read is written again, byte for byte.

use std::time::{Duration, Instant};

use base64_simd::{STANDARD, STANDARD_NO_PAD};
use eset_protect::policy::Container;
use fastrand::Rng;

use crate::public;

/// A container, and the number of its layers and members.
struct Generated {
    bytes: Vec<u8>,
    layers: usize,
    members: Vec<(String, usize)>,
}

const SPACES: [&str; 6] = ["", "", "", " ", "\n", "\r\n\t"];

fn generate(rng: &mut Rng) -> Generated {
    let name = |rng: &mut Rng| "aZ_.é\\u0041".chars().cycle().take(rng.usize(1..12)).collect();
    let mut bytes = rng.choice(SPACES).unwrap().as_bytes().to_vec();
    let name: String = name(rng);
    let name = name.replace('\\', "\\\\");
    let number = ["1", "1.50", "-0", "12345678901234567890", "1e400"];
    let number = rng.choice(number).unwrap();
    bytes.extend(
        format!(r#"{{"policy": {{"format":"1","{name}":{number},"data":{{"x":{{"ce_value":"{}"}}}}}} }}"#,
            "v".repeat(rng.usize(0..40)))
        .bytes(),
    );
    bytes.extend(rng.choice(SPACES).unwrap().bytes());
    let mut members = Vec::new();
    if rng.bool() {
        bytes.extend(b"!<arch>\n");
        let always_pads = rng.u8(..) > 40;
        for index in 0..rng.usize(0..4) {
            let name = format!("{}{index}.lzma", "n".repeat(rng.usize(0..8)));
            let size = rng.usize(0..50);
            let shown = if rng.bool() { format!("{name}/") } else { name.clone() };
            let date = rng.u32(..);
            bytes.extend(format!("{shown:<16}{date:<12}{:<6}{:>6}{:<8o}", 0, "", 0o644).bytes());
            bytes.extend(
                if rng.bool() { format!("{size:<10}`\n") } else { format!("{size:>10}`\n") }
                    .bytes(),
            );
            bytes.extend((0..size).map(|_| rng.u8(128..)));
            if size % 2 == 1 && always_pads {
                bytes.push(rng.choice(*b"\n\0 ").unwrap());
            }
            members.push((name, size));
        }
    }
    bytes.resize(bytes.len() + rng.choice([0, 0, 0, 1, 7]).unwrap(), 0);
    let layers = rng.usize(0..6);
    for _ in 0..layers {
        let mut text = match rng.u8(..) % 4 {
            0 => STANDARD_NO_PAD.encode_to_string(&bytes),
            _ => STANDARD.encode_to_string(&bytes),
        };
        if rng.u8(..8) == 0 {
            text.push('=');
        }
        text = match rng.u8(..) % 8 {
            0 => text.replace('/', "\\/"),
            1 => {
                let width = rng.usize(1..100);
                let end = rng.choice(["\n", "\r\n"]).unwrap();
                let lines = text.as_bytes().chunks(width);
                lines.map(|line| str::from_utf8(line).unwrap()).collect::<Vec<_>>().join(end)
            }
            2 => {
                text.insert_str(rng.usize(0..text.len()), " \n");
                text
            }
            _ => text,
        };
        if text.contains('\\') || (rng.bool() && !text.contains('\n')) {
            text = format!("\"{text}\"");
        }
        let (before, after) = (rng.choice(SPACES).unwrap(), rng.choice(SPACES).unwrap());
        bytes = format!("{before}{text}{after}").into_bytes();
    }
    Generated { bytes, layers, members }
}

#[test]
fn every_container_is_written_as_it_was() {
    for seed in 0..100_000 {
        let Generated { bytes, layers, members } = generate(&mut Rng::with_seed(seed));
        let show = || format!("seed {seed}: {}", String::from_utf8_lossy(&bytes));
        let container =
            Container::decode(bytes.clone()).unwrap_or_else(|error| panic!("{error}: {}", show()));
        assert_eq!(container.layers(), layers, "{}", show());
        assert_eq!(container.members().collect::<Vec<_>>(), members, "{}", show());
        assert_eq!(container.encode(), bytes, "{}", show());
    }
}

#[test]
fn the_public_example_is_written_as_it_was() {
    let data = public();
    let container = Container::decode(data.clone()).unwrap();
    assert_eq!((container.layers(), container.json().len()), (1, 784));
    assert_eq!(container.encode(), data.into_bytes());
}

/// The issue of speed is measured in `benches`; this holds that nothing is quadratic, without optimization.
#[test]
fn an_empty_container_can_be_read() {
    let empty = Container::empty();
    let read = Container::decode(empty.encode()).unwrap();
    assert_eq!((read.json(), read.layers()), (empty.json(), 0));
    let contents = read.contents();
    assert!(contents.settings.is_empty() && contents.unread.is_empty());
}

#[test]
fn a_large_container_takes_little_time() {
    let value = "x".repeat(150_000);
    let json = format!(r#"{{"policy":{{"format":"1","data":{{"x":{{"ce_value":"{value}"}}}}}}}}"#);
    let data = STANDARD.encode_to_string(json);
    let start = Instant::now();
    for _ in 0..10 {
        assert_eq!(Container::decode(data.clone()).unwrap().encode(), data.as_bytes());
    }
    assert!(start.elapsed() < Duration::from_secs(5), "{:?}", start.elapsed());
}

//! Damaged and hostile containers: an error with the place, little memory, never a panic.

use base64_simd::STANDARD;
use eset_protect::policy::{Container, ContainerProblem, NewSetting, SettingPath};
use fastrand::Rng;

const JSON: &str = r#"{"policy":{"format":"1","data":{"a":{"ce_value":"1"}}}}"#;

pub fn member(name: &str, body: &[u8]) -> Vec<u8> {
    let mut member =
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, body.len()).into_bytes();
    member.extend(body);
    member.resize(member.len().next_multiple_of(2), b'\n');
    member
}

pub fn archive(members: &[Vec<u8>]) -> Vec<u8> {
    [JSON.as_bytes(), b"!<arch>\n", &members.concat()].concat()
}

/// Compresses by setting a value in a member that is compressed already.
pub fn lzma(value: &str) -> Vec<u8> {
    // liblzma's `{"a":{"ce_value":""}}`, as Python's lzma module writes it.
    const EMPTY: &[u8] = b"\x5d\x00\x00\x80\x00\xff\xff\xff\xff\xff\xff\xff\xff\x00\x3d\x88\x88\x22\x37\x2c\xff\x37\x74\x3d\xa0\x7f\x6e\x38\x9f\x53\x8a\xb6\x2b\xf2\x1f\xfc\x19\x76\xfe\x7f\xfc\x4c\x8e\x40";
    let mut container = Container::decode(archive(&[member("m.lzma", EMPTY)])).unwrap();
    container.set(&"`m.lzma`:a".parse().unwrap(), value).unwrap();
    let size = container.members().next().unwrap().1;
    let bytes = container.encode();
    let start = JSON.len() + 8 + 60;
    bytes[start..start + size].to_vec()
}

fn problem(bytes: impl Into<bytes::Bytes>) -> (ContainerProblem, usize, usize, String) {
    let error = Container::decode(bytes).unwrap_err();
    let text = error.to_string();
    (error.problem, error.layer, error.offset, text)
}

#[test]
fn errors_name_the_layer_and_the_byte() {
    let wrap = |inner: &[u8]| STANDARD.encode_to_string(inner).into_bytes();
    let cut = &JSON.as_bytes()[..20];
    assert_eq!(problem(cut).0, ContainerProblem::Cut);
    let (kind, layer, offset, text) = problem(wrap(&wrap(cut)));
    assert_eq!((kind, layer, offset), (ContainerProblem::Cut, 2, 20));
    assert_eq!(text, "inside 2 layers of base64, byte 20: the data ends early");
    let (kind, layer, offset, _) = problem(wrap(b"eyJ\xff"));
    assert_eq!((kind, layer, offset), (ContainerProblem::NotBase64, 1, 3));
    assert_eq!(problem("").0, ContainerProblem::Empty);
    assert_eq!(problem("\"\"").0, ContainerProblem::Empty);
    let (kind, _, offset, _) = problem(format!("{JSON}x"));
    assert_eq!((kind, offset), (ContainerProblem::TrailingData, JSON.len()));
    let whole = archive(&[member("m.lzma", b"abc")]);
    for length in JSON.len() + 9..whole.len() - 1 {
        let (kind, _, offset, _) = problem(whole[..length].to_vec());
        match kind {
            ContainerProblem::BadHeader => assert_eq!(offset, JSON.len() + 8),
            ContainerProblem::Cut => assert_eq!(offset, length),
            other => panic!("{other:?}"),
        }
    }
    let mut wrong_size = whole;
    wrong_size[JSON.len() + 8 + 48] = b'9';
    assert_eq!(problem(wrong_size).0, ContainerProblem::Cut);
}

#[test]
fn a_thousand_layers_are_refused_early() {
    let mut layers = JSON.to_owned();
    for _ in 0..20 {
        layers = STANDARD.encode_to_string(layers);
    }
    let (kind, layer, ..) = problem(layers);
    assert_eq!((kind, layer), (ContainerProblem::TooManyLayers, 5));
    assert_eq!(problem("\"".repeat(100_000)).0, ContainerProblem::NotBase64);
    let deep = format!(r#"{{"policy":{{"format":"1","data":{}"#, r#"{"a":"#.repeat(100_000));
    assert_eq!(problem(deep.clone()).0, ContainerProblem::Cut);
    let closed = format!("{deep}1{}", "}".repeat(100_002));
    let contents = Container::decode(closed).unwrap().contents();
    assert_eq!(contents.unread[0].problem, ContainerProblem::TooDeep);
}

#[test]
fn a_bomb_is_refused() {
    // 17 MiB without saying so, and, by its header, 8 EiB.
    let large = include_bytes!("fixtures/bomb.lzma").to_vec();
    let mut claimed = lzma("x");
    claimed[5..13].copy_from_slice(&(u64::MAX >> 1).to_le_bytes());
    let mut dictionary = lzma("x");
    dictionary[1..5].copy_from_slice(&u32::MAX.to_le_bytes());
    let bombs = [("l.lzma", large), ("c.lzma", claimed), ("d.lzma", dictionary)];
    let members = bombs.map(|(name, body)| member(name, &body));
    let bytes = archive(&members);
    let container = Container::decode(bytes.clone()).unwrap();
    let contents = container.contents();
    let unread: Vec<_> =
        contents.unread.iter().map(|e| (e.member.as_deref(), &e.problem)).collect();
    let too_large = ContainerProblem::TooLarge(16 << 20);
    assert_eq!(unread[..2], [(Some("l.lzma"), &too_large), (Some("c.lzma"), &too_large)]);
    // A dictionary of 4 GiB is not allocated; the rest is shown and kept.
    assert_eq!(unread.len(), 2);
    let paths: Vec<_> = contents.settings.iter().map(|s| s.path.to_string()).collect();
    assert_eq!(paths, ["a", "`d.lzma`:a"]);
    assert_eq!(container.encode(), bytes);
}

#[test]
fn damaged_members_are_named_and_kept() {
    let good = lzma("value of a setting");
    for length in 0..good.len() {
        let bytes = archive(&[member("m.lzma", &good[..length])]);
        let container = Container::decode(bytes.clone()).unwrap();
        let contents = container.contents();
        let error = contents.unread.first().unwrap_or_else(|| panic!("cut at {length}"));
        assert_eq!(
            (error.member.as_deref(), &error.problem),
            (Some("m.lzma"), &ContainerProblem::Cut)
        );
        assert!(error.offset <= length, "{error}");
        assert_eq!(contents.settings.len(), 1);
        assert_eq!(container.encode(), bytes);
    }
}

/// Broken in one to four places: read or refused.
#[test]
fn noise_never_panics() {
    let whole = archive(&[member("m.lzma", &lzma("value")), member("n.lzma", &lzma("x"))]);
    let path: SettingPath = "`m.lzma`:a".parse().unwrap();
    let new = NewSetting { value: "1".into(), kind: "1".into(), flags: "1".into() };
    for seed in 0..20_000 {
        let mut rng = Rng::with_seed(seed);
        let mut bytes = whole.clone();
        for _ in 0..rng.usize(1..5) {
            let at = rng.usize(0..bytes.len());
            match rng.u8(..4) {
                0 => bytes[at] ^= 1 << rng.u8(..8),
                1 => bytes.truncate(at.max(1)),
                2 => drop(bytes.drain(at..(at + 8).min(bytes.len()))),
                _ => bytes.insert(at, rng.u8(..)),
            }
            if bytes.is_empty() {
                bytes.push(b'{');
            }
        }
        let wrapped = STANDARD.encode_to_string(&bytes).into_bytes();
        for bytes in [bytes, wrapped] {
            match Container::decode(bytes.clone()) {
                Ok(mut container) => {
                    assert_eq!(container.encode(), bytes);
                    let _ = container.contents();
                    if container.set(&path, "other").is_ok() {
                        Container::decode(container.encode()).unwrap().get(&path).unwrap();
                    }
                    let _ = container.insert(&"x.y".parse().unwrap(), &new);
                    Container::decode(container.encode()).unwrap();
                }
                Err(error) => assert!(error.offset <= bytes.len(), "{error}"),
            }
        }
    }
}

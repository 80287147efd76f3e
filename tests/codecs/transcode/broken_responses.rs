//! Responses that are not JSON, or almost: each is read or refused, never a panic.

use eset_protect::automation::v1::GetTaskRequest;
use eset_protect::rpc::device_tasks::GetTask;
use eset_protect::transcode::Encoded;

use super::codec::Codec;
use super::random::Random;

/// What a program writes that does not escape its text, and what breaks off.
const PIECES: &[&[u8]] = &[
    b"\\",
    "\\Ü".as_bytes(),
    b"\\u",
    b"\\ud83d",
    b"\\udca9",
    b"\\u00",
    b"\"",
    b"\xc3",
    b"\0",
    b"{",
    b"]",
];

#[test]
fn a_backslash_that_escapes_nothing_is_an_error() {
    let request = GetTaskRequest { task_uuid: "t".into() };
    let get = Encoded::request::<GetTask>(&request).unwrap();
    for body in [
        &br#"{"task":{"displayName":"C:\"#[..],
        r#"{"task":{"displayName":"C:\Übung"}}"#.as_bytes(),
        r#"{"task":{"displayName":"\u12Ü"}}"#.as_bytes(),
        r#"{"task":{"displayName":"\ud83d\Ü"}}"#.as_bytes(),
        r#"\"#.as_bytes(),
        br#"{"task":{"displayName":"\u"#,
        b"{\"task\":{\"displayName\":\"\xff\\",
    ] {
        let error = get.response::<GetTask>(body).unwrap_err();
        assert!(!error.to_string().is_empty(), "{}", body.escape_ascii());
    }
}

/// Puts a piece into the text, or cuts it, a few times.
fn break_it(body: &mut Vec<u8>, random: &mut Random) {
    for _ in 0..=random.below(3) {
        let at = random.below(body.len() as u64 + 1) as usize;
        match random.below(4) {
            0 => body.truncate(at),
            _ => {
                let piece = PIECES[random.below(PIECES.len() as u64) as usize];
                drop(body.splice(at..at, piece.iter().copied()));
            }
        }
    }
}

/// Breaks the body of a response, which is read or refused.
pub(super) fn try_broken(codec: &Codec, sent: &Encoded, mut body: Vec<u8>, random: &mut Random) {
    break_it(&mut body, random);
    if let Err(error) = (codec.response)(sent, &body) {
        assert!(!error.to_string().is_empty());
    }
}

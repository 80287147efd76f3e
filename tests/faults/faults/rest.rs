//! Broken HTTP/1.1 connections.

use std::time::Duration;

use crate::fault::{Api, Begin, Fault, Scene, Setting, fault};
use crate::support::scripted::{Answer, Step, head, ok};

use super::TASK;

pub const JSON: (&str, &str) = ("content-type", "application/json");

pub fn always(otherwise: Answer) -> Setting {
    Setting::new(Api::Http1 { script: vec![], otherwise }, true)
}

/// Gives these responses to the first requests and good ones to the others.
pub fn script(script: Vec<Answer>) -> Setting {
    Setting::new(Api::Http1 { script, otherwise: ok(TASK) }, true)
}

pub fn once(answer: Answer) -> Setting {
    script(vec![answer])
}

/// Sends these bytes, then resets the connection.
pub fn reset_after(bytes: Vec<u8>) -> Answer {
    Answer::Steps(vec![Step::Say(bytes), Step::Kill])
}

/// Sends these bytes, then nothing.
fn silent_after(scene: &Scene, bytes: Vec<u8>) -> Setting {
    always(Answer::Steps(vec![Step::Say(bytes), Step::Then(scene.timer.silence())]))
}

fn headers() -> Vec<u8> {
    head("200 OK", &[JSON], Some(TASK.len()))
}

/// Returns the headers and the start of the body.
fn half() -> Vec<u8> {
    [headers(), TASK.as_bytes()[..10].to_vec()].concat()
}

/// Returns a response byte by byte, with this pause before each.
fn trickle(scene: &Scene, bytes: impl IntoIterator<Item = u8>, pause: Duration) -> Setting {
    let pause = Step::Then(scene.timer.takes(pause));
    let steps = bytes.into_iter().flat_map(|byte| [pause.clone(), Step::Say(vec![byte])]);
    always(Answer::Steps(steps.collect()))
}

pub fn faults() -> Vec<Fault> {
    vec![
        fault(
            "connection refused, always",
            "Nothing was sent, so a retry is safe: five attempts, with 0.25, 0.5, 1 and 2 s between them.",
            |_| Setting { is_seen: false, ..Setting::new(Api::Nobody, true) },
        ),
        fault(
            "accepts, reads nothing, says nothing",
            "The deadline applies. The bytes were sent, so it may have run.",
            |_| always(ok(TASK)).begin(Begin::Silent),
        ),
        fault(
            "reads the request, says nothing",
            "The deadline applies. One attempt may use all of it unless `attempt_timeout` is shorter.",
            |scene| silent_after(scene, vec![]),
        ),
        fault("connection reset with the request unread, once", "Idempotent: retried.", |_| {
            always(ok(TASK)).begin(Begin::ResetUnread(1))
        })
        .create("Part of it was sent, so it may have run: not retried."),
        fault(
            "connection reset with the request unread, always",
            "Idempotent: five attempts.",
            |_| always(ok(TASK)).begin(Begin::ResetUnread(usize::MAX)),
        )
        .create("It may have run: not retried."),
        fault("connection reset after the request, once", "Idempotent: retried.", |_| {
            once(reset_after(vec![])).begin(Begin::WithoutLinger)
        })
        .create("It may have run: not retried."),
        fault("connection closed after the request, once", "Idempotent: retried.", |_| {
            once(Answer::Close(vec![]))
        })
        .create("It may have run: not retried."),
        fault("connection reset after the headers, once", "Idempotent: retried.", |_| {
            once(reset_after(headers())).begin(Begin::WithoutLinger)
        })
        .create("It may have run: not retried."),
        fault("connection reset in the middle of the body, once", "Idempotent: retried.", |_| {
            once(reset_after(half())).begin(Begin::WithoutLinger)
        })
        .create("It may have run: not retried."),
        fault(
            "connection closed in the middle of the body (truncated), once",
            "Half a response is not a response. Idempotent: retried.",
            |_| once(Answer::Close(half())),
        )
        .create("It may have run: not retried."),
        fault(
            "connection closed in the middle of a chunk, once",
            "Half a response is not a response. Idempotent: retried.",
            |_| {
                let mut bytes = head("200 OK", &[JSON, ("transfer-encoding", "chunked")], None);
                bytes.extend_from_slice(b"20\r\n{\"task\":");
                once(Answer::Close(bytes))
            },
        )
        .create("It may have run: not retried."),
        fault(
            "half of the headers, then nothing",
            "The deadline applies until the last byte.",
            |scene| silent_after(scene, b"HTTP/1.1 200 OK\r\ncontent-".to_vec()),
        ),
        fault("headers, then nothing", "The deadline applies until the last byte.", |scene| {
            silent_after(scene, headers())
        }),
        fault(
            "half of the body, then nothing",
            "The deadline applies until the last byte.",
            |scene| silent_after(scene, half()),
        ),
        fault("slow: a byte a second, whole after 115 s", "Slow is not broken.", |scene| {
            trickle(scene, [headers(), TASK.into()].concat(), Duration::from_secs(1))
        }),
        fault(
            "slow: a byte a second of headers, for ever",
            "Bytes that trickle in do not extend the deadline.",
            |scene| {
                trickle(
                    scene,
                    b"HTTP/1.1 200 OK\r\nx: ".iter().copied().chain([b'x'; 400]),
                    Duration::from_secs(1),
                )
            },
        ),
        fault(
            "slow: a byte a second of body, for ever",
            "Bytes that trickle in do not extend the deadline.",
            |scene| {
                let head = head("200 OK", &[JSON], Some(4000));
                trickle(scene, head.into_iter().chain([b' '; 400]), Duration::from_secs(1))
            },
        ),
    ]
}

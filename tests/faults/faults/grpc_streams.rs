//! Broken connections and streams with gRPC.

use std::time::Duration;

use crate::fault::{Api, Begin, Fault, Scene, Setting, fault};
use crate::support::scripted::frames::{Act, Last, code, grpc, grpc_head};
use crate::support::scripted::h2::frame;

use super::message;

pub fn always(otherwise: Vec<Act>) -> Setting {
    Setting::new(Api::Http2 { script: vec![], otherwise }, false)
}

/// Applies this to the first request and answers the others.
pub fn once(acts: Vec<Act>) -> Setting {
    Setting::new(Api::Http2 { script: vec![acts], otherwise: grpc(&message()) }, false)
}

fn data(bytes: usize) -> Act {
    Act::Data(frame(&message())[..bytes].to_vec())
}

/// Returns a response byte by byte, one per second, and its end.
fn trickle(scene: &Scene, pauses: usize) -> Vec<Act> {
    let bytes = frame(&message());
    let mut acts = vec![grpc_head()];
    for number in 0..pauses {
        acts.push(Act::Then(scene.timer.takes(Duration::from_secs(1))));
        acts.extend(bytes.get(number).map(|byte| Act::Data(vec![*byte])));
    }
    acts.push(Act::Trailers(vec![("grpc-status", "0".to_owned())]));
    acts
}

pub fn faults() -> Vec<Fault> {
    let mut faults = connections();
    faults.extend(going_away());
    faults.extend(resets());
    faults
}

fn connections() -> Vec<Fault> {
    vec![
        fault(
            "connection refused, always",
            "Nothing was sent, so a retry is safe: five attempts, with 0.25, 0.5, 1 and 2 s between them.",
            |_| Setting { is_seen: false, ..Setting::new(Api::Nobody, false) },
        ),
        fault(
            "accepts, reads nothing, says nothing",
            "The deadline applies. No request is sent before the server speaks HTTP/2, so it did not run. (tokio's clock is not driven here; by it, `connect_timeout` would end the attempt after 10 s, and it would be retried.)",
            |_| always(vec![]).begin(Begin::Silent),
        ),
        fault(
            "connection reset before the first byte of HTTP/2, once",
            "Nothing is sent before the server's preface, so only the connection failed: retried.",
            |_| always(grpc(&message())).begin(Begin::ResetUnread(1)),
        ),
        fault(
            "connection reset before the first byte of HTTP/2, always",
            "Nothing was sent, so a retry is safe: five attempts.",
            |_| always(grpc(&message())).begin(Begin::ResetUnread(usize::MAX)),
        ),
        fault(
            "reads the request, says nothing",
            "The deadline applies. One attempt may use all of it unless `attempt_timeout` is shorter.",
            |scene| always(vec![Act::Then(scene.timer.silence())]),
        ),
        fault(
            "connection reset with the head of the request, once",
            "Idempotent: retried.",
            |_| once(vec![Act::AtOnce, Act::Kill]).begin(Begin::WithoutLinger),
        )
        .create("Part of it was sent, so it may have run: not retried."),
        fault(
            "connection reset with the head of the request, always",
            "Idempotent: five attempts.",
            |_| always(vec![Act::AtOnce, Act::Kill]).begin(Begin::WithoutLinger),
        )
        .create("It may have run: not retried."),
        fault("connection reset after the request, once", "Idempotent: retried.", |_| {
            once(vec![Act::Kill]).begin(Begin::WithoutLinger)
        })
        .create("It may have run: not retried."),
        fault("connection closed after the request, once", "Idempotent: retried.", |_| {
            once(vec![Act::Close])
        })
        .create("It may have run: not retried."),
        fault("connection reset after the headers, once", "Idempotent: retried.", |_| {
            once(vec![grpc_head(), Act::Kill]).begin(Begin::WithoutLinger)
        })
        .create("It may have run: not retried."),
        fault(
            "connection reset in the middle of the message, once",
            "Idempotent: retried.",
            |_| once(vec![grpc_head(), data(7), Act::Kill]).begin(Begin::WithoutLinger),
        )
        .create("It may have run: not retried."),
        fault(
            "connection closed in place of the trailers, once",
            "Without `grpc-status`, the outcome is unknown. Idempotent: retried.",
            |_| once(vec![grpc_head(), Act::Data(frame(&message())), Act::Close]),
        )
        .create("The message arrived, the status did not: it may have run."),
        fault("headers, then nothing", "The deadline applies until the last byte.", |scene| {
            always(vec![grpc_head(), Act::Then(scene.timer.silence())])
        }),
        fault(
            "half of the message, then nothing",
            "The deadline applies until the last byte.",
            |scene| always(vec![grpc_head(), data(7), Act::Then(scene.timer.silence())]),
        ),
        fault("the trailers never come", "The deadline applies until the last trailer.", |scene| {
            always(vec![
                grpc_head(),
                Act::Data(frame(&message())),
                Act::Then(scene.timer.silence()),
            ])
        }),
        fault("slow: a byte a second, whole after 30 s", "Slow is not broken.", |scene| {
            always(trickle(scene, 30))
        }),
        fault(
            "slow: a byte a second, for ever",
            "Bytes that trickle in do not extend the deadline.",
            |scene| {
                let mut acts = vec![grpc_head(), Act::Data(vec![0, 0, 1, 0, 0])];
                for _ in 0..200 {
                    acts.push(Act::Then(scene.timer.takes(Duration::from_secs(1))));
                    acts.push(Act::Data(vec![0]));
                }
                always(acts)
            },
        ),
    ]
}

fn going_away() -> Vec<Fault> {
    let away = |last, reason| vec![Act::GoAway(last, reason), Act::Close];
    vec![
        fault(
            "GOAWAY (NO_ERROR) that leaves the stream out, once",
            "Certainly not processed: sent again immediately on a new connection, which does not count as a retry (gRFC A6).",
            move |_| once(away(Last::Before, code::NO_ERROR)).unprocessed(1),
        ),
        fault(
            "GOAWAY (ENHANCE_YOUR_CALM) that leaves the stream out, once",
            "Whatever the reason, the stream was not processed.",
            move |_| once(away(Last::Before, code::ENHANCE_YOUR_CALM)).unprocessed(1),
        ),
        fault(
            "GOAWAY (NO_ERROR) that leaves the stream out, always",
            "Retried once immediately, then by the policy.",
            move |_| always(away(Last::Before, code::NO_ERROR)).unprocessed(usize::MAX),
        ),
        fault(
            "GOAWAY (NO_ERROR) that counts the stream, then the response",
            "A graceful shutdown: calls in progress are answered.",
            |_| {
                let mut acts = vec![Act::GoAway(Last::This, code::NO_ERROR)];
                acts.extend(grpc(&message()));
                once(acts)
            },
        ),
        fault(
            "GOAWAY (NO_ERROR) that counts the stream, then the end, once",
            "Idempotent: retried.",
            move |_| once(away(Last::This, code::NO_ERROR)),
        )
        .create("The server counts the stream as processed: the call may have run."),
        fault(
            "GOAWAY (INTERNAL_ERROR) that counts the stream, then the end, once",
            "Idempotent: retried.",
            move |_| once(away(Last::This, code::INTERNAL_ERROR)),
        )
        .create("The server counts the stream as processed: the call may have run."),
    ]
}

fn resets() -> Vec<Fault> {
    let mut faults = vec![
        fault(
            "RST_STREAM (REFUSED_STREAM), once",
            "Certainly not processed: sent again immediately, which does not count as a retry (gRFC A6).",
            |_| once(vec![Act::Reset(code::REFUSED_STREAM)]).unprocessed(1),
        ),
        fault(
            "RST_STREAM (REFUSED_STREAM), always",
            "Retried once immediately, then by the policy: it is safe, and there was no response.",
            |_| always(vec![Act::Reset(code::REFUSED_STREAM)]).unprocessed(usize::MAX),
        ),
        fault(
            "RST_STREAM (REFUSED_STREAM) after the headers, once",
            "The server started to respond, so this does not refuse the call. Idempotent: retried.",
            |_| once(vec![grpc_head(), Act::Reset(code::REFUSED_STREAM)]),
        )
        .create("The server has started to respond: the call may have run."),
    ];
    for (name, reason, why) in [
        (
            "CANCEL",
            code::CANCEL,
            "`CANCELLED` by gRPC's table, a code that is not retried (AIP-194).",
        ),
        (
            "INTERNAL_ERROR",
            code::INTERNAL_ERROR,
            "`INTERNAL` by gRPC's table: a retry would fail the same way.",
        ),
        (
            "ENHANCE_YOUR_CALM",
            code::ENHANCE_YOUR_CALM,
            "`RESOURCE_EXHAUSTED` by gRPC's table. This is not a rate limit that ends within a second: the server rejects the connection.",
        ),
    ] {
        faults.push(fault(format!("RST_STREAM ({name})"), why, move |_| {
            always(vec![Act::Reset(reason)])
        }));
        faults.push(fault(format!("RST_STREAM ({name}) after the headers"), why, move |_| {
            always(vec![grpc_head(), Act::Reset(reason)])
        }));
    }
    faults
}

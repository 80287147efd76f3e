//! Responses over gRPC: statuses, their hints about retries, and responses that are not gRPC.

use base64_simd::STANDARD_NO_PAD;
use eset_protect::proto::google::rpc::{RetryInfo, Status};
use eset_protect::wkt::Any;
use prost::Message;
use tonic::Code;

use crate::fault::{Fault, Scene, Setting, fault};
use crate::support::scripted::frames::{Act, grpc_head};
use crate::support::scripted::h2::frame;

use super::grpc_streams::{always, once};
use super::message;

type Headers = Vec<(&'static str, String)>;

/// A status without a message.
pub fn status(code: Code, more: Headers) -> Vec<Act> {
    let mut headers = vec![
        ("content-type", "application/grpc".to_owned()),
        ("grpc-status", i32::from(code).to_string()),
    ];
    headers.extend(more);
    vec![Act::Head(headers), Act::End]
}

/// Returns the same with headers before it.
fn late(code: Code) -> Vec<Act> {
    let head = vec![("content-type", "application/grpc".to_owned())];
    vec![Act::Head(head), Act::Trailers(vec![("grpc-status", i32::from(code).to_string())])]
}

/// Returns a success whose headers say that messages are compressed.
fn with_gzip(data: Vec<u8>) -> Vec<Act> {
    let content_type = ("content-type", "application/grpc".to_owned());
    let head = vec![content_type, ("grpc-encoding", "gzip".to_owned())];
    vec![Act::Head(head), Act::Data(data), Act::Trailers(vec![("grpc-status", "0".to_owned())])]
}

/// `grpc-status-details-bin` with a `RetryInfo`.
fn retry_info(code: Code, seconds: i64) -> Headers {
    let delay = eset_protect::wkt::Duration { seconds, nanos: 0 };
    let info = Any::pack(&RetryInfo { retry_delay: Some(delay) });
    let status = Status { code: code.into(), message: String::new(), details: vec![info] };
    vec![("grpc-status-details-bin", STANDARD_NO_PAD.encode_to_string(status.encode_to_vec()))]
}

pub fn faults() -> Vec<Fault> {
    let mut faults = statuses();
    faults.extend(pushbacks());
    faults.extend(broken());
    faults.extend(others());
    faults
}

fn statuses() -> Vec<Fault> {
    let mut faults = vec![
        fault("UNAVAILABLE, once", "Idempotent: retried.", |_| {
            once(status(Code::Unavailable, vec![]))
        })
        .create("The service may have started the call: not retried."),
        fault(
            "UNAVAILABLE, always",
            "Five attempts, with 0.25, 0.5, 1 and 2 s between them; then the service's error.",
            |_| always(status(Code::Unavailable, vec![])),
        )
        .create("The service may have started the call: not retried."),
        fault(
            "RESOURCE_EXHAUSTED, once",
            "A limit per second ends soon. Without headers before it, the response refuses the call before it starts: retried.",
            |_| once(status(Code::ResourceExhausted, vec![])).unprocessed(1),
        ),
        fault(
            "RESOURCE_EXHAUSTED, always",
            "Retried until the wait would end after the deadline; then the service's error. A working rate limit is no failure, so these attempts do not count.",
            |_| always(status(Code::ResourceExhausted, vec![])).unprocessed(usize::MAX),
        ),
        fault("RESOURCE_EXHAUSTED after the headers, once", "Idempotent: retried.", |_| {
            once(late(Code::ResourceExhausted))
        })
        .create("The server started to respond, so it started the call (gRFC A6): not retried."),
        fault(
            "RESOURCE_EXHAUSTED for the size of the request",
            "It would fail again. It did not run.",
            |_| {
                always(status(
                    Code::ResourceExhausted,
                    vec![(
                        "grpc-message",
                        "grpc: received message larger than max (5 vs. 4)".to_owned(),
                    )],
                ))
            },
        ),
        fault(
            "RESOURCE_EXHAUSTED for the size of the response",
            "It would fail again. It ran: there was a response.",
            |_| {
                always(status(
                    Code::ResourceExhausted,
                    vec![("grpc-message", "Sent message larger than max (5 vs. 4)".to_owned())],
                ))
            },
        ),
        fault(
            "UNAUTHENTICATED, once",
            "Repeated immediately with a new token; nothing had run.",
            |_| once(status(Code::Unauthenticated, vec![])).unprocessed(1),
        ),
        fault("UNAUTHENTICATED, always", "A call renews its token once.", |_| {
            always(status(Code::Unauthenticated, vec![])).unprocessed(1)
        }),
    ];
    for (code, name, why) in [
        (Code::Aborted, "ABORTED", "The caller decided on outdated state and must decide again."),
        (Code::Internal, "INTERNAL", "A retry would fail the same way."),
        (Code::Unknown, "UNKNOWN", "A retry would fail the same way."),
        (Code::DeadlineExceeded, "DEADLINE_EXCEEDED", "The service used up its time."),
        (Code::Cancelled, "CANCELLED", "Someone cancelled it on purpose."),
        (
            Code::PermissionDenied,
            "PERMISSION_DENIED",
            "A retry fails until someone grants the permission.",
        ),
        (Code::NotFound, "NOT_FOUND", "A response."),
        (Code::AlreadyExists, "ALREADY_EXISTS", "A response."),
        (Code::FailedPrecondition, "FAILED_PRECONDITION", "A retry fails until the state changes."),
        (Code::InvalidArgument, "INVALID_ARGUMENT", "A retry fails until the request changes."),
        (Code::Unimplemented, "UNIMPLEMENTED", "A retry fails until the server changes."),
    ] {
        faults.push(fault(name, why, move |_| always(status(code, vec![]))));
    }
    faults
}

fn pushbacks() -> Vec<Fault> {
    let push = |millis: &'static str| {
        move |_: &Scene| {
            once(status(Code::Unavailable, vec![("grpc-retry-pushback-ms", millis.to_owned())]))
        }
    };
    let limited = |millis: &str| {
        status(Code::ResourceExhausted, vec![("grpc-retry-pushback-ms", millis.to_owned())])
    };
    let create = "Pushback says when to retry, not whether it is safe: the call may have run.";
    vec![
        fault("UNAVAILABLE, once, grpc-retry-pushback-ms: 1500", "Followed to the millisecond.", push("1500")).create(create),
        fault("UNAVAILABLE, once, grpc-retry-pushback-ms: 0", "Followed to the millisecond.", push("0")).create(create),
        fault("UNAVAILABLE, once, grpc-retry-pushback-ms: 90000", "The wait would end after the deadline, so the call fails immediately with the service's error, which says how long to wait.", push("90000")).create(create),
        fault("UNAVAILABLE, once, grpc-retry-pushback-ms: -1", "Negative means never (gRFC A6).", push("-1")).create(create),
        fault("UNAVAILABLE, once, grpc-retry-pushback-ms: soon", "Unreadable means never (gRFC A6).", push("soon")).create(create),
        fault("RESOURCE_EXHAUSTED, once, grpc-retry-pushback-ms: 0", "Followed to the millisecond. It did not run.", move |_| once(limited("0")).unprocessed(1)),
        fault("RESOURCE_EXHAUSTED, always, grpc-retry-pushback-ms: 0", "Followed for the five attempts of the policy (gRFC A6), at 0 s; those beyond, which a call makes because the limit refused it, also wait for the backoff.", move |_| always(limited("0")).unprocessed(usize::MAX)),
        fault("RESOURCE_EXHAUSTED, always, grpc-retry-pushback-ms: 9000", "A longer wait than the backoff's is followed to the end.", move |_| always(limited("9000")).unprocessed(usize::MAX)),
        fault("UNAVAILABLE, once, RetryInfo of 3 s", "The server's wait is the minimum.", |_| once(status(Code::Unavailable, retry_info(Code::Unavailable, 3)))).create(create),
        fault("RESOURCE_EXHAUSTED, once, RetryInfo of 3 s", "The server's wait is the minimum.", |_| once(status(Code::ResourceExhausted, retry_info(Code::ResourceExhausted, 3))).unprocessed(1)),
        fault("UNAVAILABLE, once, RetryInfo of 90 s", "The wait would end after the deadline, so the call fails immediately with the service's error.", |_| once(status(Code::Unavailable, retry_info(Code::Unavailable, 90)))).create(create),
    ]
}

fn broken() -> Vec<Fault> {
    vec![
        fault(
            "NOT_FOUND with details that are not base64",
            "The code is valid without them.",
            |_| always(status(Code::NotFound, vec![("grpc-status-details-bin", "!?*".to_owned())])),
        ),
        fault(
            "UNAVAILABLE, once, with details that are no message",
            "The code is valid without them. Idempotent: retried.",
            |_| {
                once(status(
                    Code::Unavailable,
                    vec![("grpc-status-details-bin", "////".to_owned())],
                ))
            },
        )
        .create("It may have run: not retried."),
        fault("a response without grpc-status", "Without it, the outcome is unknown.", |_| {
            always(vec![grpc_head(), Act::Data(frame(&message())), Act::End])
        }),
        fault("trailers without grpc-status", "Without it, the outcome is unknown.", |_| {
            always(vec![
                grpc_head(),
                Act::Data(frame(&message())),
                Act::Trailers(vec![("x", "y".to_owned())]),
            ])
        }),
        fault("grpc-status: soon", "There is no code, so `UNKNOWN`.", |_| {
            always(vec![
                grpc_head(),
                Act::Data(frame(&message())),
                Act::Trailers(vec![("grpc-status", "soon".to_owned())]),
            ])
        }),
        fault("success without a message", "Not a success.", |_| {
            always(vec![grpc_head(), Act::Trailers(vec![("grpc-status", "0".to_owned())])])
        }),
        fault("a truncated message with success", "Not a success.", |_| {
            let whole = frame(&message());
            let half = whole[..whole.len() / 2].to_vec();
            always(vec![
                grpc_head(),
                Act::Data(half),
                Act::Trailers(vec![("grpc-status", "0".to_owned())]),
            ])
        }),
        fault(
            "a message of 17 MiB",
            "Over the limit of this client (16 MiB): not read. The error says how to raise it.",
            |_| always(vec![grpc_head(), Act::Data(vec![0, 1, 16, 0, 0, 0])]),
        )
        .create("A response that is too large is a response."),
        fault(
            "success, grpc-encoding: gzip, a message that is not compressed",
            "A message that is not compressed can be read.",
            |_| always(with_gzip(frame(&message()))),
        ),
        fault("NOT_FOUND, grpc-encoding: gzip", "The status is not compressed.", |_| {
            always(status(Code::NotFound, vec![("grpc-encoding", "gzip".to_owned())]))
        }),
        fault(
            "a compressed message, which was not asked for",
            "Never decompressed, so a gzip bomb does no harm.",
            |_| always(with_gzip(vec![1, 0, 0, 0, 1, 0])),
        ),
    ]
}

/// Returns the response of a proxy, or of a server with another protocol.
fn other(number: u16, media_type: &str, more: Headers) -> Vec<Act> {
    let mut headers = vec![("content-type", media_type.to_owned())];
    headers.extend(more);
    vec![Act::Status(number, headers), Act::Data(b"<html>".to_vec()), Act::End]
}

fn others() -> Vec<Fault> {
    let table = "By gRPC's table for HTTP statuses.";
    let mut faults = vec![
        fault("200 with HTML", "Not gRPC: the address may be wrong.", |_| {
            always(other(200, "text/html", vec![]))
        }),
        fault("401 without gRPC, once", "Repeated immediately with a new token.", |_| {
            once(other(401, "text/html", vec![])).unprocessed(1)
        }),
        fault("401 without gRPC, always", "A call renews its token once.", |_| {
            always(other(401, "text/html", vec![])).unprocessed(1)
        }),
        fault(
            "302 to another host",
            "Redirects are not followed: the token would go with them.",
            |scene| {
                let target = format!("http://{}/", scene.elsewhere);
                always(other(302, "text/html", vec![("location", target)]))
            },
        ),
        fault(
            "307 to another host",
            "Redirects are not followed: the token would go with them.",
            |scene| {
                let target = format!("http://{}/", scene.elsewhere);
                always(other(307, "text/html", vec![("location", target)]))
            },
        ),
        fault("success, alt-svc: another host", "Not followed.", |scene| {
            let alternative = format!("h2=\"{}\"", scene.elsewhere);
            let head =
                vec![("content-type", "application/grpc".to_owned()), ("alt-svc", alternative)];
            let message = Act::Data(frame(&message()));
            always(vec![
                Act::Head(head),
                message,
                Act::Trailers(vec![("grpc-status", "0".to_owned())]),
            ])
        }),
        fault(
            "429 without gRPC, once, Retry-After: 2",
            "`UNAVAILABLE` by gRPC's table, and the server's wait is the minimum. 429 refuses one request too many (RFC 6585).",
            |_| once(other(429, "text/html", vec![("retry-after", "2".to_owned())])).unprocessed(1),
        ),
        fault("502 with HTML, once", "`UNAVAILABLE` by gRPC's table. Idempotent: retried.", |_| {
            once(other(502, "text/html", vec![]))
        })
        .create("A gateway that got no response may have forwarded the request: it may have run."),
        fault(
            "503 without gRPC, once",
            "`UNAVAILABLE` by gRPC's table. Idempotent: retried.",
            |_| once(other(503, "text/plain", vec![])),
        )
        .create("It may have run: not retried."),
        fault("503 without gRPC, always", "Five attempts; then the error.", |_| {
            always(other(503, "text/plain", vec![]))
        })
        .create("It may have run: not retried."),
        fault(
            "504 without gRPC, once",
            "`UNAVAILABLE` by gRPC's table. Idempotent: retried.",
            |_| once(other(504, "text/html", vec![])),
        )
        .create("It may have run: not retried."),
    ];
    for number in [400, 408, 409, 412, 500] {
        faults.push(fault(format!("{number} without gRPC"), table, move |_| {
            always(other(number, "text/html", vec![]))
        }));
    }
    for number in [403, 404, 405, 415, 501] {
        let why = "By gRPC's table for HTTP statuses. The server did not accept the call, so it did not run.";
        faults.push(fault(format!("{number} without gRPC"), why, move |_| {
            always(other(number, "text/html", vec![]))
        }));
    }
    faults
}

/// Returns a setting without faults.
pub fn good() -> Setting {
    always(crate::support::scripted::frames::grpc(&message()))
}

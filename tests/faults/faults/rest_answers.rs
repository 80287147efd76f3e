//! Responses over REST: statuses, their hints about retries, and invalid bodies.

use std::io::Write;
use std::time::{Duration, UNIX_EPOCH};

use flate2::Compression;
use flate2::write::GzEncoder;

use crate::fault::{Fault, fault};
use crate::support::driven_timer::MORNING;
use crate::support::scripted::{Answer, answer, head, json};

use super::TASK;
use super::rest::{JSON, always, once};

pub fn faults() -> Vec<Fault> {
    let mut faults = refusals();
    faults.extend(too_many());
    faults.extend(troubles());
    faults.extend(bodies());
    faults.extend(redirects());
    faults
}

fn refusals() -> Vec<Fault> {
    let mut faults = vec![
        fault("401, once", "Repeated immediately with a new token; nothing had run.", |_| {
            once(json("401 Unauthorized", "{}")).unprocessed(1)
        }),
        fault("401, always", "A call renews its token once.", |_| {
            always(json("401 Unauthorized", "{}")).unprocessed(1)
        }),
    ];
    for (status, why) in [
        ("400 Bad Request", "A retry fails until the request changes."),
        ("403 Forbidden", "A retry fails until someone grants the permission."),
        ("404 Not Found", "A response."),
        (
            "408 Request Timeout",
            "ESET does not document this status. The service did not wait for the request, which proves nothing.",
        ),
        ("409 Conflict", "The caller decided on outdated state and must decide again."),
        ("412 Precondition Failed", "A retry fails until the state changes."),
    ] {
        faults.push(fault(status, why, move |_| always(json(status, "{}"))));
    }
    faults
}

fn too_many() -> Vec<Fault> {
    let refused = |wait: Option<&str>| match wait {
        None => json("429 Too Many Requests", "{}"),
        Some(wait) => answer("429 Too Many Requests", &[JSON, ("retry-after", wait)], "{}"),
    };
    // Calls above the limit are refused before they start (RFC 6585, 4): nothing was processed.
    vec![
        fault(
            "429, once",
            "The limit is per second and refuses calls before they start: all calls wait for a second, then this one is retried.",
            move |_| once(refused(None)).unprocessed(1),
        ),
        fault(
            "429, always",
            "Retried, at least a second apart, until the wait would end after the deadline; then the service's error. A working rate limit is no failure, so these attempts do not count.",
            move |_| always(refused(None)).unprocessed(usize::MAX),
        ),
        fault(
            "429, always, grpc-retry-pushback-ms: 0 and Retry-After: 0",
            "Both say now. Followed for the five attempts of the policy (gRFC A6); those beyond also wait for the backoff.",
            |_| {
                let now = [JSON, ("grpc-retry-pushback-ms", "0"), ("retry-after", "0")];
                always(answer("429 Too Many Requests", &now, "{}")).unprocessed(usize::MAX)
            },
        ),
        fault("429, once, Retry-After: 2", "The server's wait is the minimum.", move |_| {
            once(refused(Some("2"))).unprocessed(1)
        }),
        fault(
            "429, once, Retry-After: a date 3 s away",
            "The server's wait is the minimum.",
            move |_| {
                let date = UNIX_EPOCH + MORNING + Duration::from_secs(3);
                once(refused(Some(&httpdate::fmt_http_date(date)))).unprocessed(1)
            },
        ),
        fault(
            "429, once, Retry-After: a date that is past",
            "A time in the past means now, which the backoff has already reached.",
            move |_| {
                let date = UNIX_EPOCH + MORNING - Duration::from_secs(3);
                once(refused(Some(&httpdate::fmt_http_date(date)))).unprocessed(1)
            },
        ),
        fault(
            "429, once, Retry-After: a date 3 s after Date, of a server whose clock is an hour ahead",
            "Measured by the server's own clock.",
            |_| {
                let there = UNIX_EPOCH + MORNING + Duration::from_secs(3600);
                let date = httpdate::fmt_http_date(there);
                let after = httpdate::fmt_http_date(there + Duration::from_secs(3));
                let headers = [JSON, ("date", &*date), ("retry-after", &*after)];
                once(answer("429 Too Many Requests", &headers, "{}")).unprocessed(1)
            },
        ),
        fault("429, once, Retry-After: nonsense", "Ignored: the default is a second.", move |_| {
            once(refused(Some("soon"))).unprocessed(1)
        }),
        fault(
            "429, once, Retry-After: 3600",
            "The wait would end after the deadline, so the call fails immediately with the service's error, which says how long to wait.",
            move |_| once(refused(Some("3600"))),
        ),
    ]
}

fn troubles() -> Vec<Fault> {
    let create = "It may have run: not retried.";
    let down = || json("503 Service Unavailable", "{}");
    vec![
        fault("500", "A retry would fail the same way.", |_| {
            always(json("500 Internal Server Error", "{}"))
        }),
        fault("502 with HTML, once", "Idempotent: retried.", |_| {
            once(answer(
                "502 Bad Gateway",
                &[("content-type", "text/html")],
                "<html><h1>Bad gateway</h1>",
            ))
        })
        .create("A gateway that got no response may have forwarded the request: it may have run."),
        fault("503, once", "Idempotent: retried.", move |_| once(down())).create(create),
        fault(
            "503, always (a storm)",
            "Five attempts, with 0.25, 0.5, 1 and 2 s between them; then the service's error.",
            move |_| always(down()),
        )
        .create(create),
        fault("503, once, Retry-After: 2", "The server's wait is the minimum.", |_| {
            once(answer("503 Service Unavailable", &[JSON, ("retry-after", "2")], "{}"))
        })
        .create(create),
        fault("504", "The service used up its time.", |_| {
            always(json("504 Gateway Timeout", "{}"))
        }),
    ]
}

fn bodies() -> Vec<Fault> {
    let html = &[("content-type", "text/html")];
    let limit = "Over the limit of this client (16 MiB): not read to its end. The error says how to raise it.";
    let broken = "Not a response of this API, but the service responded, so the call may have run.";
    let mut faults = vec![
        fault("200 with HTML", "The address may not be that of the API.", |_| {
            always(answer("200 OK", html, TASK))
        }),
        fault("200 with JSON, but no type", "The address may not be that of the API.", |_| {
            always(answer("200 OK", &[], TASK))
        }),
        fault("200 with broken JSON", broken, |_| always(json("200 OK", r#"{"task":{"uuid":"#))),
        fault("200 with a list in place of an object", broken, |_| always(json("200 OK", "[]"))),
        fault("200 with a body of 20 MiB", limit, |_| {
            always(Answer::Endless(head("200 OK", &[JSON], Some(20 << 20)), vec![b' '; 1 << 16]))
        }),
        fault("200 with a body without end", limit, |_| {
            let head = head("200 OK", &[JSON, ("connection", "close")], None);
            always(Answer::Endless(head, vec![b' '; 1 << 16]))
        }),
        fault("200 with a gzip bomb (24 KB that are 24 MiB)", limit, |_| {
            let packed = gzip(&vec![b' '; 1 << 20]).repeat(24);
            assert!(packed.len() < 30_000, "{}", packed.len());
            always(answer("200 OK", &[JSON, ("content-encoding", "gzip")], packed))
        }),
        fault("200 with half of a gzip", broken, |_| {
            always(answer(
                "200 OK",
                &[JSON, ("content-encoding", "gzip")],
                &gzip(TASK.as_bytes())[..20],
            ))
        }),
        fault("200 with an encoding that was not asked for", broken, |_| {
            always(answer("200 OK", &[JSON, ("content-encoding", "br")], TASK))
        }),
    ];
    for status in ["503 Service Unavailable", "404 Not Found"] {
        let name = format!("{status} with a body without end");
        let why = "The status says what happened, even if the body is lost.";
        faults.push(fault(name, why, move |_| {
            let head = head(status, &[JSON, ("connection", "close")], None);
            always(Answer::Endless(head, vec![b' '; 1 << 16]))
        }));
    }
    faults
}

fn redirects() -> Vec<Fault> {
    let mut faults = Vec::new();
    for status in ["301 Moved", "302 Found", "303 See Other", "307 Temporary", "308 Permanent"] {
        let why = "Redirects are not followed: the token would go with them.";
        faults.push(fault(format!("{} to another host", &status[..3]), why, move |scene| {
            let target = format!("http://{}/v1/device_tasks/t-1", scene.elsewhere);
            always(answer(status, &[("location", &target)], ""))
        }));
    }
    faults.push(fault("200, Alt-Svc: another host", "Not followed.", |scene| {
        let alternative = format!("http/1.1=\"{}\"", scene.elsewhere);
        always(answer("200 OK", &[JSON, ("alt-svc", &alternative)], TASK))
    }));
    faults
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).expect("in memory");
    encoder.finish().expect("in memory")
}

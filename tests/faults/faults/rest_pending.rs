//! Pending responses: 202 with a `response-id`, with which the call is polled.

use crate::fault::{Begin, Fault, fault};
use crate::support::scripted::{Answer, answer, json, pending};

use super::rest::{always, reset_after, script};

pub fn faults() -> Vec<Fault> {
    let resumed = "Polling starts nothing, so the poll is retried with the same id.";
    let down = || json("503 Service Unavailable", "{}");
    vec![
        fault("202, once", "Polled after 1 s, with the id.", |_| script(vec![pending("one")])),
        fault("202, three times", "Polled after 1, 1.5 and 2.25 s, with the latest id.", |_| {
            script(vec![pending("one"), pending("two"), pending("three")])
        }),
        fault("202 for ever", "The gateway gives up after 120 s (`pending_limit`).", |_| {
            always(pending("one"))
        }),
        fault(
            "202 with Retry-After: 3, then the response",
            "The server's wait is the minimum.",
            |_| {
                script(vec![answer(
                    "202 Accepted",
                    &[("response-id", "one"), ("retry-after", "3")],
                    "",
                )])
            },
        ),
        fault(
            "202 with Retry-After: 121",
            "The wait would end after the gateway gives up (`pending_limit`), so the call fails immediately.",
            |_| {
                script(vec![answer(
                    "202 Accepted",
                    &[("response-id", "one"), ("retry-after", "121")],
                    "",
                )])
            },
        ),
        fault("202, then 503, then the response", resumed, move |_| {
            script(vec![pending("one"), down()])
        }),
        fault("202, then 503 always", "Five attempts: polling starts nothing.", move |_| {
            let mut setting = always(down());
            if let crate::fault::Api::Http1 { script, .. } = &mut setting.api {
                script.push(pending("one"));
            }
            setting
        }),
        fault("202, then the connection is reset, then the response", resumed, |_| {
            script(vec![pending("one"), reset_after(vec![])]).begin(Begin::WithoutLinger)
        }),
        fault("202, then the connection is closed, then the response", resumed, |_| {
            script(vec![pending("one"), Answer::Close(vec![])])
        }),
        fault("202, then 429 with Retry-After: 2, then the response", resumed, |_| {
            script(vec![
                pending("one"),
                answer("429 Too Many Requests", &[("retry-after", "2")], ""),
            ])
        }),
        fault("202, then 401, then the response", "A new token with the same id.", |_| {
            script(vec![pending("one"), json("401 Unauthorized", "{}")])
        }),
        fault(
            "202, then 404 (the id is stale)",
            "The response is lost. Idempotent: started again.",
            |_| script(vec![pending("one"), json("404 Not Found", "{}")]),
        )
        .create("The response is lost, and the call may have run: not started again."),
        fault("202, then 403", "The outcome is unknown.", |_| {
            script(vec![pending("one"), json("403 Forbidden", "{}")])
        }),
        fault("202, then 500", "A retry would fail the same way.", |_| {
            script(vec![pending("one"), json("500 Internal Server Error", "{}")])
        }),
        fault(
            "202 without an id",
            "Without an id there is nothing to poll for. The call was accepted, so it may run.",
            |_| always(answer("202 Accepted", &[], "")),
        ),
    ]
}

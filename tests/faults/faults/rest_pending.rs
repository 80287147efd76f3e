//! Pending responses: 202 with a `response-id`, with which the call is polled.

use crate::fault::{Begin, Fault, fault};
use crate::support::scripted::{Answer, answer, json, pending};

use super::rest::{always, reset_after, script};

pub fn faults() -> Vec<Fault> {
    let resumed = "Asking again begins nothing, so that is tried again, with the id.";
    let down = || json("503 Service Unavailable", "{}");
    vec![
        fault("202, once", "Asked again after 1 s, with the id.", |_| script(vec![pending("one")])),
        fault(
            "202, three times",
            "Asked again after 1, 1.5 and 2.25 s, with the newest id.",
            |_| script(vec![pending("one"), pending("two"), pending("three")]),
        ),
        fault("202 for ever", "After 120 s the gateway itself gives up (`pending_limit`).", |_| {
            always(pending("one"))
        }),
        fault("202, then 503, then the answer", resumed, move |_| {
            script(vec![pending("one"), down()])
        }),
        fault("202, then 503 always", "Five attempts; asking again begins nothing.", move |_| {
            let mut setting = always(down());
            if let crate::fault::Api::Http1 { script, .. } = &mut setting.api {
                script.push(pending("one"));
            }
            setting
        }),
        fault("202, then the connection is reset, then the answer", resumed, |_| {
            script(vec![pending("one"), reset_after(vec![])]).begin(Begin::WithoutLinger)
        }),
        fault("202, then the connection is closed, then the answer", resumed, |_| {
            script(vec![pending("one"), Answer::Close(vec![])])
        }),
        fault("202, then 429 with Retry-After: 2, then the answer", resumed, |_| {
            script(vec![
                pending("one"),
                answer("429 Too Many Requests", &[("retry-after", "2")], ""),
            ])
        }),
        fault("202, then 401, then the answer", "Another token, and the same id.", |_| {
            script(vec![pending("one"), json("401 Unauthorized", "{}")])
        }),
        fault(
            "202, then 404 (the id is stale)",
            "The answer is lost. Idempotent: begun anew.",
            |_| script(vec![pending("one"), json("404 Not Found", "{}")]),
        )
        .create("The answer is lost, and it may have run: not begun anew."),
        fault("202, then 403", "Nobody knows what became of it.", |_| {
            script(vec![pending("one"), json("403 Forbidden", "{}")])
        }),
        fault("202, then 500", "Something is wrong, and stays wrong.", |_| {
            script(vec![pending("one"), json("500 Internal Server Error", "{}")])
        }),
        fault("202 without an id", "Nothing to ask for; it was accepted, so it may run.", |_| {
            always(answer("202 Accepted", &[], ""))
        }),
    ]
}

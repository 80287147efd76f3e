//! Faults of the login, with a healthy API.

use std::time::Duration;

use crate::fault::{Fault, Setting, fault};
use crate::support::scripted::{Answer, Step, answer, json, pending};

use super::{grpc, rest};
use crate::support::scripted::ok;

fn good(is_rest: bool) -> Setting {
    if is_rest { rest::always(ok(super::TASK)) } else { grpc::good() }
}

pub fn faults(is_rest: bool) -> Vec<Fault> {
    let good = move |script: Vec<Answer>| good(is_rest).login(Some(script));
    let often = |answer: Answer| vec![answer; 40];
    let down = || json("503 Service Unavailable", "{}");
    let unsent = "Without a token nothing was sent, so a retry is safe.";
    vec![
        fault("the login answers 503, once", unsent, move |_| good(vec![down()])),
        fault(
            "the login answers 503, always",
            "Five attempts; the API never saw a request.",
            move |_| good(often(down())),
        ),
        fault(
            "the login answers 403 with HTML, always",
            "Something in front of the login refuses every request. The password is not to blame and is not sent again.",
            move |_| {
                good(
                    (0..9)
                        .map(|_| {
                            answer(
                                "403 Forbidden",
                                &[("content-type", "text/html")],
                                "<html>Request Rejected",
                            )
                        })
                        .collect(),
                )
            },
        ),
        fault(
            "the login answers 429, once, Retry-After: 5",
            "The server's wait is the minimum.",
            move |_| good(vec![answer("429 Too Many Requests", &[("retry-after", "5")], "")]),
        ),
        fault(
            "the login refuses connections, always",
            "Five attempts; the API never saw a request.",
            move |_| self::good(is_rest).login(None),
        ),
        fault(
            "the login answers 401, always",
            "The password is wrong; another attempt may lock the account.",
            move |_| good(often(json("401 Unauthorized", r#"{"error":"invalid_grant"}"#))),
        ),
        fault(
            "the login answers 400, always",
            "Token endpoints refuse a password this way (RFC 6749).",
            move |_| good(often(json("400 Bad Request", r#"{"error":"invalid_grant"}"#))),
        ),
        fault("the login answers 500, always", "A retry would fail the same way.", move |_| {
            good(often(json("500 E", "{}")))
        }),
        fault("the login takes 20 s", "The call has enough time left.", move |scene| {
            let pause = Step::Then(scene.timer.takes(Duration::from_secs(20)));
            let token = json("200 OK", r#"{"access_token":"secret-token-0","expires_in":3600}"#);
            let Answer::Keep(bytes) = token else { unreachable!("bytes") };
            good(vec![Answer::Steps(vec![pause, Step::Say(bytes)])])
        }),
        fault(
            "the login says nothing",
            "The call's deadline applies. Without a token nothing was sent, and the error says so.",
            move |scene| good(vec![Answer::Steps(vec![Step::Then(scene.timer.silence())])]),
        ),
        fault("the login answers 202, once", "Polled after 1 s, with the id.", move |_| {
            good(vec![pending("one")])
        }),
        fault("the login answers 200 with HTML", "Not a response of a login.", move |_| {
            good(often(answer("200 OK", &[("content-type", "text/html")], "<html>")))
        }),
        fault(
            "the login answers 307 to another host",
            "Redirects are not followed: the password would go with them.",
            move |scene| {
                let target = format!("http://{}/oauth/token", scene.elsewhere);
                good(often(answer("307 Temporary Redirect", &[("location", &target)], "")))
            },
        ),
        fault("the connection to the login closes, once", unsent, move |_| {
            good(vec![Answer::Close(vec![])])
        }),
    ]
}

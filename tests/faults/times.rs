//! How the timeouts of a call combine, as in the table of `CallOptions`.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::{CallOptions, Client, ErrorKind, Wire};
use tonic::Code;

use crate::settings::{Says, WIRES, answers, says, says_then_silent};
use crate::stage::{Call, Elsewhere, Stage, task};
use crate::support::driven_timer::DrivenTimer;
use crate::support::scripted::h2::{H2Server, Reply};
use crate::support::scripted::{Answer, Step, pending};

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

/// Creates a server that never responds.
async fn silent(wire: Wire) -> Stage {
    let timer = DrivenTimer::new();
    let setting = says_then_silent(wire, &[], &timer);
    Stage::start(timer, Elsewhere::start().await, setting).await
}

#[tokio::test]
async fn a_call_that_gets_no_answer() {
    let of = CallOptions::new;
    let default = |wire| if wire == Wire::Rest { 150 } else { 60 };
    for wire in WIRES {
        for (options, call, elapsed, attempts) in [
            (of(), Call::Get, default(wire), 1),
            (of(), Call::Create, default(wire), 1),
            (of().timeout(seconds(10)), Call::Get, 10, 1),
            // Sent at 0, 3, 6 and 9 s, because the drawn backoff is zero.
            (of().timeout(seconds(10)).attempt_timeout(seconds(3)), Call::Get, 10, 4),
            (of().timeout(seconds(10)).attempt_timeout(seconds(3)), Call::Create, 3, 1),
            (of().timeout(seconds(10)).attempt_timeout(seconds(30)), Call::Get, 10, 1),
            (of().timeout(seconds(10)).attempt_timeout(seconds(10)), Call::Get, 10, 1),
            (of().timeout(Duration::ZERO), Call::Get, 0, 0),
            (of().attempt_timeout(Duration::ZERO), Call::Get, 0, 0),
            (of().attempt_timeout(Duration::ZERO), Call::Create, 0, 0),
        ] {
            let stage = silent(wire).await;
            let client = stage.builder(wire).no_rate_limiter().jitter(|_| Duration::ZERO);
            let client = client.connect_lazy().unwrap();
            let tasks = client.device_tasks();
            let error = match call {
                Call::Get => tasks.get_task("t-1").options(options.clone()).await.unwrap_err(),
                Call::Create => {
                    tasks.create_task(task()).options(options.clone()).await.unwrap_err()
                }
            };
            let what = format!("{wire:?} {call:?} {options:?}: {error:?}");
            assert_eq!(
                (error.kind(), error.code()),
                (ErrorKind::Deadline, Code::DeadlineExceeded),
                "{what}"
            );
            assert_eq!(stage.timer.elapsed(), seconds(elapsed), "{what}");
            assert_eq!(
                (error.attempts(), stage.requests()),
                (attempts, attempts as usize),
                "{what}"
            );
            assert_eq!(error.may_have_executed(), attempts > 0, "{what}");
        }
    }
}

#[tokio::test]
async fn backoffs_between_attempts_take_of_the_same_time() {
    for wire in WIRES {
        let stage = silent(wire).await;
        let client = stage.builder(wire).attempt_timeout(seconds(3)).timeout(seconds(10));
        let client = client.no_rate_limiter().connect_lazy().unwrap();
        let error = client.device_tasks().get_task("t-1").await.unwrap_err();
        // 3 + 0.25 + 3 + 0.5 + 3; one more second would exceed the deadline.
        assert_eq!(stage.timer.elapsed(), Duration::from_millis(9750), "{error:?}");
        assert!(error.is_deadline_exceeded() && error.attempts() == 3, "{error:?}");
    }
}

#[tokio::test]
async fn an_attempt_that_takes_too_long_makes_room_for_one_that_does_not() {
    for wire in WIRES {
        let timer = DrivenTimer::new();
        // Only the first is silent.
        let mut setting = says(wire, &[], Says::Task);
        let silent = says_then_silent(wire, &[], &timer);
        match (&mut setting.api, silent.api) {
            (
                crate::fault::Api::Http1 { script, .. },
                crate::fault::Api::Http1 { otherwise, .. },
            ) => {
                script.push(otherwise);
            }
            (
                crate::fault::Api::Http2 { script, .. },
                crate::fault::Api::Http2 { otherwise, .. },
            ) => {
                script.push(otherwise);
            }
            _ => unreachable!("the same wire"),
        }
        let stage = Stage::start(timer, Elsewhere::start().await, setting).await;
        let client = stage.builder(wire).no_rate_limiter().attempt_timeout(seconds(3));
        let client = client.connect_lazy().unwrap();
        client.device_tasks().get_task("t-1").await.unwrap();
        assert_eq!(stage.timer.elapsed(), Duration::from_millis(3250));
        assert_eq!(stage.requests(), 2);
    }
}

/// Returns a login that takes 20 s.
fn slow_login(timer: &DrivenTimer) -> Vec<Answer> {
    let token = crate::stage::tokens().next();
    let Some(Answer::Keep(bytes)) = token else { unreachable!("a token") };
    vec![Answer::Steps(vec![Step::Then(timer.takes(seconds(20))), Step::Say(bytes)])]
}

#[tokio::test]
async fn one_deadline_holds_over_the_login_the_retries_and_the_pending_answers() {
    for wire in WIRES {
        let timer = DrivenTimer::new();
        let setting = says_then_silent(wire, &[Says::Down, Says::Down], &timer);
        let setting = setting.login(Some(slow_login(&timer)));
        let stage = Stage::start(timer, Elsewhere::start().await, setting).await;
        let client =
            stage.builder(wire).no_rate_limiter().timeout(seconds(25)).connect_lazy().unwrap();
        let error = client.device_tasks().get_task("t-1").await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Deadline, 3), "{error:?}");
        assert_eq!(stage.timer.elapsed(), seconds(25));
        // The error before the deadline is reported too.
        assert!(error.to_string().contains("UNAVAILABLE"), "{error}");
    }
    let timer = DrivenTimer::new();
    let script = (0..20).map(|_| pending("one")).collect();
    let setting = answers(script).login(Some(slow_login(&timer)));
    let stage = Stage::start(timer, Elsewhere::start().await, setting).await;
    let client = stage.builder(Wire::Rest).timeout(seconds(25)).connect_lazy().unwrap();
    let error = client.device_tasks().create_task(task()).await.unwrap_err();
    assert_eq!((error.kind(), error.attempts()), (ErrorKind::Deadline, 1), "{error:?}");
    assert!(error.may_have_executed(), "it was accepted: {error:?}");
    // Polled at 20, 21, 22.5 and 24.75 s; the next pause exceeds the remaining time.
    assert_eq!((stage.timer.elapsed(), stage.requests()), (seconds(25), 4));
}

/// The server learns the deadline from `grpc-timeout`, and may be the first to report that it passed.
#[tokio::test]
async fn a_deadline_that_the_server_reports_is_the_callers_own_if_it_is_due() {
    for (elapsed, kind) in [(30_000, ErrorKind::Status), (59_990, ErrorKind::Deadline)] {
        let timer = DrivenTimer::new();
        let clock = timer.clone();
        let server = H2Server::start(move |_| {
            clock.advance(Duration::from_millis(elapsed));
            Reply::status(4)
        })
        .await;
        let client = Client::builder(&server.endpoint()).timer(timer).connect_lazy().unwrap();
        let error = Call::Create.make(&client).await.unwrap_err();
        assert_eq!((error.kind(), error.code()), (kind, Code::DeadlineExceeded), "{error:?}");
        assert!(error.may_have_executed());
    }
}

#[tokio::test]
async fn a_deadline_that_passes_while_a_token_is_waited_for_says_that_nothing_ran() {
    for wire in WIRES {
        let timer = DrivenTimer::new();
        let login = vec![Answer::Steps(vec![Step::Then(timer.silence())])];
        let setting = says(wire, &[], Says::Task).login(Some(login));
        let stage = Stage::start(timer, Elsewhere::start().await, setting).await;
        let client = stage.builder(wire).timeout(seconds(5)).connect_lazy().unwrap();
        let error = client.device_tasks().create_task(task()).await.unwrap_err();
        assert_eq!((error.kind(), error.attempts()), (ErrorKind::Deadline, 0), "{error:?}");
        assert!(!error.may_have_executed(), "{error:?}");
        assert_eq!((stage.timer.elapsed(), stage.requests()), (seconds(5), 0));
    }
}

/// `grpc-timeout`: up to eight digits and a unit.
fn grpc_timeout(text: &str) -> Duration {
    let (digits, unit) = text.split_at(text.len() - 1);
    let number: u64 = digits.parse().unwrap();
    match unit {
        "S" => Duration::from_secs(number),
        "m" => Duration::from_millis(number),
        "u" => Duration::from_micros(number),
        "n" => Duration::from_nanos(number),
        _ => panic!("{text}"),
    }
}

#[tokio::test]
async fn the_server_is_told_what_is_left_and_how_often_it_was_asked_before() {
    for (attempt_timeout, expected) in [
        (None, [60_000, 59_750, 59_250, 58_250, 56_250]),
        (Some(seconds(57)), [57_000, 57_000, 57_000, 57_000, 56_250]),
    ] {
        let told = Arc::new(Mutex::new(Vec::new()));
        let log = told.clone();
        let server = H2Server::start(move |request| {
            let text = request.headers["grpc-timeout"].to_str().unwrap();
            let before = request.headers.get("grpc-previous-rpc-attempts");
            let before = before.map_or(0, |before| before.to_str().unwrap().parse().unwrap());
            log.lock().unwrap().push((grpc_timeout(text), before));
            Reply::status(14)
        })
        .await;
        let builder =
            Client::builder(&server.endpoint()).timer(DrivenTimer::new()).jitter(|ceiling| ceiling);
        let builder = match attempt_timeout {
            None => builder,
            Some(timeout) => builder.attempt_timeout(timeout),
        };
        let error = Call::Get.make(&builder.connect_lazy().unwrap()).await.unwrap_err();
        assert_eq!(error.attempts(), 5);
        let expected = expected.map(Duration::from_millis).into_iter().zip(0..);
        assert_eq!(*told.lock().unwrap(), expected.collect::<Vec<_>>());
    }
}

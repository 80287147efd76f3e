//! How many times a call is sent, and which attempts do not count.

use eset_protect::{RetryPolicy, Wire};
use std::time::Duration;
use tonic::Code;

use crate::fault::Begin;
use crate::settings::{Says, WIRES, answers, down, says, streams};
use crate::stage::{Stage, create, get};
use crate::support::scripted::frames::{Act, code};
use crate::support::scripted::{Answer, answer, json, pending};

#[tokio::test]
async fn there_are_five_attempts_or_as_many_as_one_says() {
    for wire in WIRES {
        for (retry, expected) in [
            (None, 5),
            (Some(RetryPolicy::default().max_attempts(3)), 3),
            (Some(RetryPolicy::default().max_attempts(1)), 1),
            (Some(RetryPolicy::default().max_attempts(0)), 1),
            (Some(RetryPolicy::none()), 1),
        ] {
            let stage = Stage::of(down(wire)).await;
            let builder = stage.builder(wire).no_rate_limiter();
            let builder = if let Some(retry) = retry { builder.retry(retry) } else { builder };
            let error = get(&builder.connect_lazy().unwrap()).await.unwrap_err();
            assert_eq!((error.attempts(), stage.requests()), (expected, expected as usize));
            assert_eq!(error.code(), Code::Unavailable, "the service's error: {error:?}");
            assert_eq!(error.to_string().contains("attempts"), expected > 1, "{error}");
        }
    }
}

#[tokio::test]
async fn a_call_may_say_it_itself() {
    for wire in WIRES {
        for (of_client, of_call, expected) in [(1, 4, 4), (4, 1, 1)] {
            let stage = Stage::of(down(wire)).await;
            let of_client = RetryPolicy::default().max_attempts(of_client);
            let of_call = RetryPolicy::default().max_attempts(of_call);
            let client = stage.builder(wire).no_rate_limiter().retry(of_client);
            let client = client.connect_lazy().unwrap();
            let error = client.device_tasks().get_task("t-1").retry(of_call).await.unwrap_err();
            assert_eq!((error.attempts(), stage.requests()), (expected, expected as usize));
        }
    }
}

#[tokio::test]
async fn a_refused_stream_is_sent_again_at_once_and_only_once() {
    let refused = || vec![Act::Reset(code::REFUSED_STREAM)];
    for (times, waits) in [(1, &[][..]), (2, &[250][..]), (3, &[250, 500][..])] {
        let stage = Stage::of(streams((0..times).map(|_| refused()).collect())).await;
        create(&stage.builder(Wire::Grpc).connect_lazy().unwrap()).await.unwrap();
        let waits: Vec<_> = waits.iter().copied().map(Duration::from_millis).collect();
        assert_eq!(stage.timer.waits(), waits, "{times} refused");
        assert_eq!(stage.requests(), times + 1);
    }
    // It does not count as a retry.
    for (times, is_answered) in [(1, true), (2, false)] {
        let stage = Stage::of(streams((0..times).map(|_| refused()).collect())).await;
        let builder = stage.builder(Wire::Grpc).retry(RetryPolicy::none());
        let result = create(&builder.connect_lazy().unwrap()).await;
        assert_eq!((result.is_ok(), stage.requests()), (is_answered, 2));
        if let Err(error) = result {
            assert!(!error.may_have_executed() && error.attempts() == 2, "{error:?}");
        }
    }
}

#[tokio::test]
async fn a_delete_that_is_repeated_and_finds_nothing_has_succeeded() {
    for wire in WIRES {
        let stage = Stage::of(says(wire, &[Says::Down], Says::NotFound)).await;
        let client = stage.builder(wire).connect_lazy().unwrap();
        client.device_tasks().delete_task("t-1").await.unwrap();
        assert_eq!(stage.requests(), 2);
    }
}

#[tokio::test]
async fn nothing_else_that_finds_nothing_has_succeeded() {
    for wire in WIRES {
        // The first attempt of a delete, and one after an attempt that certainly did not run.
        for script in [&[][..], &[Says::Unauthenticated]] {
            if wire == Wire::Grpc && !script.is_empty() {
                continue;
            }
            let stage = Stage::of(says(wire, script, Says::NotFound)).await;
            let client = stage.builder(wire).connect_lazy().unwrap();
            let error = client.device_tasks().delete_task("t-1").await.unwrap_err();
            assert!(error.is_not_found() && !error.may_have_executed(), "{wire:?}: {error:?}");
        }
        // What deletes nothing.
        let stage = Stage::of(says(wire, &[Says::Down], Says::NotFound)).await;
        let error = get(&stage.builder(wire).connect_lazy().unwrap()).await.unwrap_err();
        assert!(error.is_not_found() && error.may_have_executed(), "{wire:?}: {error:?}");
    }
    // A proxy in front of a server that is down.
    let page = answer("404 Not Found", &[("content-type", "text/plain")], "no route");
    let stage = Stage::of(answers(vec![json("503 Service Unavailable", "{}"), page])).await;
    let client = stage.builder(Wire::Rest).connect_lazy().unwrap();
    let error = client.device_tasks().delete_task("t-1").await.unwrap_err();
    assert!(error.is_not_found() && error.attempts() == 2, "{error:?}");
}

#[tokio::test]
async fn a_pending_create_whose_connection_is_lost_is_asked_for_and_not_begun_anew() {
    let lost = [Answer::Close(vec![]), crate::faults::rest::reset_after(vec![])];
    for lost in lost {
        let setting = answers(vec![pending("one"), lost]).begin(Begin::WithoutLinger);
        let stage = Stage::of(setting).await;
        let task = create(&stage.builder(Wire::Rest).connect_lazy().unwrap()).await.unwrap();
        assert_eq!(task.uuid, "t-1");
        let seen = stage.seen();
        let ids: Vec<_> = seen.iter().map(|seen| seen.header("response-id")).collect();
        assert_eq!(ids, [None, Some("one"), Some("one")]);
        let first = seen[0].without(&["response-id"]);
        assert!(seen.iter().all(|seen| seen.without(&["response-id"]) == first), "{seen:#?}");
    }
}

#[tokio::test]
async fn a_create_is_made_once_wherever_its_connection_breaks() {
    // The server resets as soon as it can; how much the client has sent by then is random.
    for connections in [1, 3, usize::MAX] {
        for _ in 0..20 {
            let stage = Stage::of(answers(vec![]).begin(Begin::ResetAtOnce(connections))).await;
            let result = create(&stage.builder(Wire::Rest).connect_lazy().unwrap()).await;
            assert!(stage.requests() <= 1, "{result:?}");
            match result {
                Ok(_) => assert_eq!(stage.requests(), 1),
                Err(error) => assert_eq!(stage.requests(), 0, "{error:?}"),
            }
        }
    }
}

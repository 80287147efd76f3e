//! How long a call waits before a retry.

use std::time::{Duration, UNIX_EPOCH};

use eset_protect::{Backoff, RetryPolicy, RetryThrottle, Wire};
use tonic::Code;

use crate::faults::grpc::status;
use crate::settings::{WIRES, answers, down, streams};
use crate::stage::{Stage, create, get};
use crate::support::driven_timer::MORNING;
use crate::support::scripted::answer;

fn millis(millis: &[u64]) -> Vec<Duration> {
    millis.iter().copied().map(Duration::from_millis).collect()
}

#[tokio::test]
async fn each_wait_is_twice_the_one_before_up_to_the_longest() {
    for wire in WIRES {
        let short = Backoff::new(Duration::from_millis(100), Duration::from_millis(400));
        let even = short.multiplier(1.0);
        for (retry, expected) in [
            (RetryPolicy::default(), millis(&[250, 500, 1000, 2000])),
            (
                RetryPolicy::default().max_attempts(7).backoff(short),
                millis(&[100, 200, 400, 400, 400, 400]),
            ),
            (RetryPolicy::default().backoff(even), millis(&[100; 4])),
        ] {
            let stage = Stage::of(down(wire)).await;
            let client = stage.builder(wire).no_rate_limiter().retry(retry);
            get(&client.connect_lazy().unwrap()).await.unwrap_err();
            assert_eq!(stage.timer.waits(), expected, "{wire:?}");
            assert_eq!(stage.timer.elapsed(), expected.iter().sum::<Duration>());
        }
    }
}

#[tokio::test]
async fn each_wait_is_drawn_from_zero_to_that() {
    let stage = Stage::of(down(Wire::Grpc)).await;
    let client = stage.drawing_builder(Wire::Grpc).timeout(Duration::from_secs(1000));
    // As many as the largest throttle allows.
    const CALLS: usize = 90;
    let client = client.retry_throttle(&RetryThrottle::new(1000, 1.0)).connect_lazy().unwrap();
    for _ in 0..CALLS {
        get(&client).await.unwrap_err();
    }
    let waits = stage.timer.waits();
    assert_eq!(waits.len(), 4 * CALLS);
    for retry in 0..4 {
        let ceiling = Backoff::default().ceiling(u32::try_from(retry).unwrap() + 1);
        let drawn: Vec<_> = waits.iter().skip(retry).step_by(4).collect();
        assert!(drawn.iter().all(|wait| **wait <= ceiling));
        // Each quarter occurs; the probability that none of ninety is in a given one is 1 in 10^10.
        for quarter in 0..4 {
            let of_quarter =
                |wait: &Duration| (wait.as_secs_f64() / ceiling.as_secs_f64() * 4.0) as u32;
            assert!(drawn.iter().any(|wait| of_quarter(wait) == quarter), "{drawn:?}");
        }
    }
}

#[tokio::test]
async fn a_draw_of_more_than_the_ceiling_is_the_ceiling() {
    let stage = Stage::of(down(Wire::Grpc)).await;
    let client = stage.builder(Wire::Grpc).jitter(|ceiling| ceiling * 10);
    get(&client.connect_lazy().unwrap()).await.unwrap_err();
    assert_eq!(stage.timer.waits(), millis(&[250, 500, 1000, 2000]));
}

#[tokio::test]
async fn a_wait_that_ends_after_the_deadline_is_not_begun() {
    let stage = Stage::of(down(Wire::Grpc)).await;
    let client = stage.builder(Wire::Grpc).connect_lazy().unwrap();
    // 0.25 and 0.5 fit, but then 1 does not.
    let call = client.device_tasks().get_task("t-1").timeout(Duration::from_millis(1700));
    let error = call.await.unwrap_err();
    assert_eq!((error.code(), error.attempts()), (Code::Unavailable, 3));
    assert_eq!(stage.timer.elapsed(), Duration::from_millis(750));
}

#[tokio::test]
async fn a_longer_retry_after_than_there_is_time_fails_at_once_and_says_so() {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + MORNING + Duration::from_secs(151));
    for (status, text, wait) in [
        ("429 T", "151", 151),
        ("503 S", &date, 151),
        ("503 S", "99999999999999999999999", u64::MAX),
    ] {
        let refused = answer(status, &[("retry-after", text)], "");
        let stage = Stage::of(answers(vec![refused])).await;
        let error = get(&stage.builder(Wire::Rest).connect_lazy().unwrap()).await.unwrap_err();
        assert_eq!(error.retry_after(), Some(Duration::from_secs(wait)), "{error:?}");
        assert_eq!(
            error.http_status().map(|found| found.to_string()),
            Some(status[..3].to_owned())
        );
        assert_eq!((stage.timer.elapsed(), stage.requests()), (Duration::ZERO, 1));
    }
}

#[tokio::test]
async fn a_retry_after_that_fits_is_waited_for_and_no_longer() {
    let date = httpdate::fmt_http_date(UNIX_EPOCH + MORNING + Duration::from_secs(149));
    for (text, wait) in [("149", 149_000), (&date, 149_000), ("0", 250), ("soon", 250), ("-5", 250)]
    {
        let refused = answer("503 S", &[("retry-after", text)], "");
        let stage = Stage::of(answers(vec![refused])).await;
        get(&stage.builder(Wire::Rest).connect_lazy().unwrap()).await.unwrap();
        assert_eq!(stage.timer.waits(), millis(&[wait]), "{text}");
    }
}

#[tokio::test]
async fn pushback_is_exact_shorter_and_longer_than_the_backoff() {
    for (texts, waits) in
        [(&["0", "1", "59000"][..], &[0, 1, 59_000][..]), (&["7000", "7001"], &[7000, 7001])]
    {
        let push = |text: &&str| {
            status(Code::Unavailable, vec![("grpc-retry-pushback-ms", (*text).to_owned())])
        };
        let stage = Stage::of(streams(texts.iter().map(push).collect())).await;
        get(&stage.builder(Wire::Grpc).connect_lazy().unwrap()).await.unwrap();
        assert_eq!(stage.timer.waits(), millis(waits));
    }
}

/// gRFC A6, "Summary of Retry and Hedging Logic", 5.
#[tokio::test]
async fn after_a_pushback_the_backoff_begins_anew() {
    let none = status(Code::Unavailable, Vec::new());
    let push = status(Code::Unavailable, vec![("grpc-retry-pushback-ms", "7".to_owned())]);
    let script = vec![none.clone(), push, none.clone(), none];
    let stage = Stage::of(streams(script)).await;
    get(&stage.builder(Wire::Grpc).connect_lazy().unwrap()).await.unwrap();
    assert_eq!(stage.timer.waits(), millis(&[250, 7, 250, 500]));
}

#[tokio::test]
async fn pushback_beyond_the_attempts_of_the_policy_is_a_minimum() {
    for (text, waits) in [
        ("0", [0, 0, 0, 0, 4000, 8000, 10_000]),
        ("1", [1, 1, 1, 1, 4000, 8000, 10_000]),
        ("5000", [5000, 5000, 5000, 5000, 5000, 8000, 10_000]),
    ] {
        let push = vec![("grpc-retry-pushback-ms", text.to_owned())];
        let limited = status(Code::ResourceExhausted, push);
        let stage = Stage::of(streams(vec![limited; 7])).await;
        create(&stage.builder(Wire::Grpc).connect_lazy().unwrap()).await.unwrap();
        assert_eq!(stage.timer.waits(), millis(&waits), "{text}");
    }
}

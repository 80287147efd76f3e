//! Calls that cannot be sent in time fail as soon as that is certain.

use eset_protect::ErrorKind;
use tonic::Code;

use super::*;

fn assert_hopeless(error: &Error, parts: &[&str]) {
    assert_eq!((error.kind(), error.code()), (ErrorKind::Deadline, Code::DeadlineExceeded));
    assert!(!error.may_have_executed());
    for part in parts {
        assert!(error.message().contains(part), "{:?} in {}", part, error.message());
    }
}

#[tokio::test(start_paused = true)]
async fn a_call_without_hope_fails_at_once_and_says_why() {
    let limiter = RateLimiter::eset();
    let log = Log::new();
    let calls = spawn_calls(&limiter, &log, 0..35);
    settle().await;
    let started = Instant::now();
    // 10 are sent and 25 wait: this one is the sixth of the third burst.
    for time in [1, 2999, 3000] {
        let error = turn_within(&limiter, ms(time)).await.err().expect("no turn");
        let has = format!("has only {:?} left", ms(time));
        assert_hopeless(
            &error,
            &["25 calls are ahead of it", "the rate is 10 calls per second", "sent in 3s", &has],
        );
    }
    assert_eq!(started.elapsed(), ms(0));
    assert_eq!(limiter.waiting(), 25);
    turn_within(&limiter, ms(3001)).await.expect("a turn").end(ANSWERED).await;
    assert_eq!(started.elapsed(), 3 * SECOND);
    join(calls).await;
    assert_eq!(log.times().last(), Some(&(3 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn a_call_without_hope_takes_no_turn() {
    let limiter = RateLimiter::new(1, SECOND);
    call(&limiter, ms(0), ANSWERED).await;
    let error = turn_within(&limiter, ms(500)).await.err().expect("no turn");
    assert_hopeless(&error, &["no calls are ahead of it", "has only 500ms left"]);
    let log = Log::new();
    join(spawn_calls(&limiter, &log, 0..2)).await;
    assert_eq!(log.times(), [SECOND, 2 * SECOND]);
}

/// The whole queue learns of a pause, not only its first call.
#[tokio::test(start_paused = true)]
async fn a_refusal_wakes_those_without_hope() {
    let limiter = RateLimiter::eset();
    let mut turns = Vec::new();
    for _ in 0..10 {
        turns.push(turn(&limiter).await);
    }
    let failures = Log::new();
    let mut waiting = Vec::new();
    for time in [5, 90, 5, 4, 100] {
        let (limiter, failures) = (limiter.clone(), failures.clone());
        waiting.push(tokio::spawn(async move {
            match turn_within(&limiter, time * SECOND).await {
                Ok(turn) => turn.end(ANSWERED).await,
                Err(error) => failures.add((time, error.message().to_owned())),
            }
        }));
    }
    tokio::time::sleep(ms(300)).await;
    assert_eq!(limiter.waiting(), 5);
    for turn in turns {
        turn.end(Outcome::Refused { retry_after: Some(30) }).await;
    }
    settle().await;
    assert_eq!(limiter.waiting(), 2);
    let failed = failures.entries();
    assert!(failed.iter().all(|(at, _)| *at == ms(300)), "{failed:?}");
    let mut times: Vec<_> = failed.iter().map(|(_, (time, _))| *time).collect();
    times.sort_unstable();
    assert_eq!(times, [4, 5, 5]);
    let message = &failed[0].1.1;
    assert!(message.contains("the rate is 5 calls per second"), "{message}");
    assert!(message.contains("the service refuses calls for 30s"), "{message}");
    let started = Instant::now();
    join(waiting).await;
    assert_eq!(started.elapsed(), ms(30_000 + 193));
}

/// A response may make the call possible, so it waits for one until the deadline.
#[tokio::test(start_paused = true)]
async fn what_an_answer_may_make_possible_is_not_given_up() {
    for (answered_at, is_made) in [(100, true), (500, false)] {
        let limiter = RateLimiter::new(1, SECOND);
        let first = turn(&limiter).await;
        let waiting = {
            let limiter = limiter.clone();
            tokio::spawn(async move {
                let started = Instant::now();
                let result = turn_within(&limiter, ms(1300)).await;
                (result.map(drop).map_err(|error| error.message().to_owned()), started.elapsed())
            })
        };
        tokio::time::sleep(ms(answered_at)).await;
        first.end(ANSWERED).await;
        let (result, time) = waiting.await.unwrap();
        assert_eq!(result.is_ok(), is_made, "{result:?}");
        // The time at which the response, or the turn, would be too late.
        assert_eq!(time, if is_made { ms(1100) } else { ms(300) });
    }
}

/// A low rate that will rise is no reason to give up a call that can be made.
#[tokio::test(start_paused = true)]
async fn a_call_that_can_be_made_is_not_refused() {
    let limiter = RateLimiter::eset();
    call(&limiter, ms(0), REFUSED).await;
    assert_eq!(limiter.rate(), 5.0);
    // At 5 per second it would take 80 s, but after 5 s the rate is 10 again.
    let log = Log::new();
    let calls = spawn_calls(&limiter, &log, 0..400);
    settle().await;
    assert_eq!(limiter.waiting(), 400);
    let error = turn_within(&limiter, 40 * SECOND).await.err().expect("no turn");
    assert_hopeless(&error, &["400 calls are ahead of it", "the rate is 5 calls per second"]);
    let made = turn_within(&limiter, 60 * SECOND).await;
    made.expect("a turn").end(ANSWERED).await;
    join(calls).await;
    let time = *log.times().last().unwrap();
    assert!((42 * SECOND..45 * SECOND).contains(&time), "{time:?}");
}

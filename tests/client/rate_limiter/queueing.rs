//! First come, first served, even when calls leave the queue.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;

use super::*;

#[tokio::test(start_paused = true)]
async fn first_come_first_served_among_clones() {
    let limiter = RateLimiter::new(3, SECOND);
    let clone = limiter.clone();
    let log = Log::new();
    let mut calls = Vec::new();
    for number in 0..50 {
        let one = if number % 2 == 0 { &limiter } else { &clone };
        calls.extend(spawn_calls(one, &log, number..number + 1));
    }
    settle().await;
    assert_eq!((limiter.waiting(), clone.waiting()), (47, 47));
    join(calls).await;
    assert_eq!(log.what(), (0..50).collect::<Vec<_>>());
    // Two separate limiters would need half the time.
    assert_eq!(log.times().last(), Some(&(16 * SECOND)));
    assert_eq!(limiter.waiting(), 0);
}

/// Later calls do not overtake waiting ones.
#[tokio::test(start_paused = true)]
async fn nobody_jumps_the_queue() {
    let limiter = RateLimiter::new(2, SECOND);
    let log = Log::new();
    let mut calls = Vec::new();
    for number in 0..40 {
        calls.extend(spawn_calls(&limiter, &log, number..number + 1));
        tokio::time::sleep(ms(77)).await;
    }
    join(calls).await;
    assert_eq!(log.what(), (0..40).collect::<Vec<_>>());
}

/// The service keeps the response to a call for ten minutes only.
#[tokio::test(start_paused = true)]
async fn a_question_for_a_pending_answer_goes_before_new_calls() {
    let limiter = RateLimiter::new(1, SECOND);
    let log = Log::new();
    let mut calls = spawn_calls(&limiter, &log, 0..1000);
    settle().await;
    tokio::time::sleep(ms(500)).await;
    for number in [5000, 5001] {
        let (limiter, log) = (limiter.clone(), log.clone());
        calls.push(tokio::spawn(async move {
            let deadline = Instant::now() + 36_000 * SECOND;
            let turn = limiter
                .acquire(Priority::Pending, None, &TokioTimer, deadline)
                .await
                .expect("a turn");
            log.add(number);
            turn.end(Instant::now(), ANSWERED);
        }));
    }
    settle().await;
    assert_eq!(limiter.waiting(), 1001);
    join(calls).await;
    let expected: Vec<_> = [0, 5000, 5001].into_iter().chain(1..1000).collect();
    assert_eq!(log.what(), expected);
    // No call was skipped, so no time was lost.
    assert_eq!(log.times().last(), Some(&(1001 * SECOND)));
}

#[tokio::test(start_paused = true)]
async fn those_who_leave_leave_no_hole() {
    let limiter = RateLimiter::new(2, SECOND);
    let log = Log::new();
    let calls = spawn_calls(&limiter, &log, 0..20);
    settle().await;
    // The first call of the queue, the last, and some between.
    for gone in [2, 3, 7, 8, 9, 15, 19] {
        calls[gone].abort();
    }
    settle().await;
    assert_eq!(limiter.waiting(), 11);
    for call in calls {
        let _cancelled = call.await;
    }
    let left = [0, 1, 4, 5, 6, 10, 11, 12, 13, 14, 16, 17, 18];
    let expected: Vec<_> = left
        .into_iter()
        .enumerate()
        .map(|(place, call)| (ms(1000 * (place as u64 / 2)), call))
        .collect();
    assert_eq!(log.entries(), expected);
}

#[tokio::test(start_paused = true)]
async fn the_head_may_leave_while_it_sleeps() {
    let limiter = RateLimiter::new(1, SECOND);
    let log = Log::new();
    let calls = spawn_calls(&limiter, &log, 0..4);
    tokio::time::sleep(ms(400)).await;
    calls[1].abort();
    tokio::time::sleep(ms(599)).await;
    assert_eq!(log.what(), [0]);
    tokio::time::sleep(ms(2)).await;
    assert_eq!(log.what(), [0, 2]);
    calls[3].abort();
    settle().await;
    assert_eq!(limiter.waiting(), 0);
}

/// A dropped permit may belong to a sent call.
#[tokio::test(start_paused = true)]
async fn a_cancelled_call_counts() {
    let limiter = RateLimiter::new(2, SECOND);
    call(&limiter, ms(0), ANSWERED).await;
    drop(turn(&limiter).await);
    let started = Instant::now();
    for expected in [1000, 1250] {
        call(&limiter, ms(0), ANSWERED).await;
        assert_eq!(started.elapsed(), ms(expected));
    }
}

/// A future that nothing polls, such as that of a prefetched page, does not block the others; neither do two.
#[tokio::test(start_paused = true)]
async fn one_who_does_not_come_is_passed_over_and_keeps_its_place() {
    let limiter = RateLimiter::new(1, SECOND);
    call(&limiter, ms(0), ANSWERED).await;
    let (mut first, mut second) = (pin!(turn(&limiter)), pin!(turn(&limiter)));
    poll_fn(|cx| {
        assert!(first.as_mut().poll(cx).is_pending());
        assert!(second.as_mut().poll(cx).is_pending());
        Poll::Ready(())
    })
    .await;
    let log = Log::new();
    let calls = spawn_calls(&limiter, &log, 0..2);
    join(calls).await;
    assert_eq!(log.what(), [0, 1]);
    let times = log.times();
    // The time at which its turn would have come anyway, plus a little for each of the two.
    assert!(times[0] > 3 * SECOND && times[0] <= ms(3000 + 2 * 100 + 2), "{times:?}");
    assert_eq!(times[1] - times[0], SECOND);

    // It returns, and goes before later calls.
    let later = spawn_calls(&limiter, &log, 2..4);
    settle().await;
    let turn = first.await;
    assert_eq!(log.what(), [0, 1]);
    turn.end(Instant::now(), ANSWERED);
    second.await.end(Instant::now(), ANSWERED);
    join(later).await;
    assert_eq!(log.what(), [0, 1, 2, 3]);
    assert_eq!(log.times()[2] - log.times()[1], 3 * SECOND);
}

/// A call that is skipped and then dropped affects no other.
#[tokio::test(start_paused = true)]
async fn one_who_was_passed_over_may_leave() {
    let limiter = RateLimiter::new(1, SECOND);
    call(&limiter, ms(0), ANSWERED).await;
    let mut first = Box::pin(turn(&limiter));
    let is_waiting = poll_fn(|cx| Poll::Ready(first.as_mut().poll(cx).is_pending())).await;
    assert!(is_waiting);
    let log = Log::new();
    join(spawn_calls(&limiter, &log, 0..2)).await;
    drop(first);
    join(spawn_calls(&limiter, &log, 2..4)).await;
    assert_eq!(log.what(), [0, 1, 2, 3]);
    assert_eq!(limiter.waiting(), 0);
}

/// On several threads with a running clock, no call sleeps forever, and cancelling does no harm.
#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nobody_is_forgotten() {
    let limiter = RateLimiter::new(20, ms(1));
    let mut calls = Vec::new();
    for number in 0..2000 {
        let limiter = limiter.clone();
        let task = tokio::spawn(async move { call(&limiter, ms(0), ANSWERED).await });
        if number % 7 == 0 {
            task.abort();
        } else {
            calls.push(task);
        }
    }
    tokio::time::timeout(60 * SECOND, join(calls)).await.expect("all calls are made");
    assert_eq!(limiter.waiting(), 0);
}

/// Callers with many calls and with few get the same share: Jain's index of what they got is near 1.
#[tokio::test(start_paused = true)]
async fn callers_take_turns() {
    let limiter = RateLimiter::new(10, SECOND);
    // Whoever comes first may have what nobody used.
    for _ in 0..10 {
        turn(&limiter).await.end(Instant::now(), ANSWERED);
    }
    let mut served = [0_u32; 8];
    let log = Log::new();
    let mut calls = Vec::new();
    for caller in 0..served.len() {
        // The first caller has 8 times as many calls as the last, and all of them come first.
        for _ in 0..(served.len() - caller) * 20 {
            let (limiter, log) = (limiter.clone(), log.clone());
            calls.push(tokio::spawn(async move {
                let (flow, end) = (caller.to_string(), Instant::now() + 10 * SECOND);
                let turn = limiter.acquire(Priority::New, Some(&flow), &TokioTimer, end).await;
                if let Ok(turn) = turn {
                    log.add(caller);
                    turn.end(Instant::now(), ANSWERED);
                }
            }));
        }
        settle().await;
    }
    join(calls).await;
    log.what().into_iter().for_each(|caller| served[caller] += 1);
    let (sum, squares) = served
        .iter()
        .map(|n| f64::from(*n))
        .fold((0.0, 0.0), |(sum, squares), n| (sum + n, squares + n * n));
    let index = sum * sum / (8.0 * squares);
    assert!(index > 0.97 && sum >= 80.0, "{served:?}: {index}");
}

/// Calls that gave up count for nothing.
#[tokio::test(start_paused = true)]
async fn who_gave_up_waits_no_longer_than_others() {
    let limiter = RateLimiter::new(1, SECOND);
    turn(&limiter).await.end(Instant::now(), ANSWERED);
    let log = Log::new();
    let spawn = |flow: &'static str, time: Duration| {
        let (limiter, log) = (limiter.clone(), log.clone());
        tokio::spawn(async move {
            let end = Instant::now() + time;
            if let Ok(turn) = limiter.acquire(Priority::New, Some(flow), &TokioTimer, end).await {
                log.add(flow);
                turn.end(Instant::now(), ANSWERED);
            }
        })
    };
    let given_up: Vec<_> = (0..50).map(|_| spawn("a", 1000 * SECOND)).collect();
    settle().await;
    given_up.iter().for_each(JoinHandle::abort);
    settle().await;
    let mut calls: Vec<_> = (0..3).map(|_| spawn("b", 1000 * SECOND)).collect();
    settle().await;
    calls.extend((0..3).map(|_| spawn("a", 1000 * SECOND)));
    join(calls).await;
    assert_eq!(log.what(), ["b", "a", "b", "a", "b", "a"]);
}

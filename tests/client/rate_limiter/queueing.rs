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
    let limiter = RateLimiter::new(4, SECOND);
    let log = Log::new();
    // Each is answered as pending at once, and asked for again at 2.5 s.
    let mut pending = Vec::new();
    for (number, pause) in [(5000, 2500), (5001, 1500)] {
        let client = Client::builder("http://mock")
            .transport(LatePolls { number, log: log.clone() })
            .rate_limiter(&limiter)
            .pending_pause(ms(pause), ms(pause))
            .timeout(3600 * SECOND)
            .connect_lazy()
            .unwrap();
        pending.push(tokio::spawn(async move {
            client.device_tasks().get_task("t").await.unwrap();
        }));
        tokio::time::sleep(SECOND).await;
    }
    // The last second has room for three more.
    let calls = spawn_calls(&limiter, &log, 0..100);
    tokio::time::sleep(ms(600)).await;
    let waiting = limiter.waiting();
    join(calls).await;
    join(pending).await;
    let polls: Vec<_> = log.what().into_iter().skip_while(|number| *number < 5000).collect();
    assert!(waiting > 90 && polls[..2] == [5000, 5001] && polls.len() > 90, "{polls:?}");
}

/// Says that the response is pending, and logs when it is asked for.
#[derive(Debug)]
struct LatePolls {
    number: usize,
    log: Log<usize>,
}

impl Transport for LatePolls {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(async move {
            if request.pending_id().is_none() {
                return Outcome::Pending.reply();
            }
            self.log.add(self.number);
            ANSWERED.reply()
        })
    }
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
    turn.end(ANSWERED).await;
    second.await.end(ANSWERED).await;
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

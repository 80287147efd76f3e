//! The rate adapts to the service's responses.

use std::collections::VecDeque;

use super::*;

const OVERLOADED: Outcome = Outcome::Overloaded;

/// Makes a burst of ten calls with the same outcome at the same time, and returns the limiter.
async fn after_a_burst(outcome: Outcome) -> RateLimiter {
    let limiter = RateLimiter::eset();
    let mut turns = Vec::new();
    for _ in 0..10 {
        turns.push(turn(&limiter).await);
    }
    tokio::time::sleep(ms(20)).await;
    for turn in turns {
        turn.end(outcome).await;
    }
    limiter
}

#[tokio::test(start_paused = true)]
async fn the_table_of_the_documentation() {
    let wait = |seconds| Outcome::Refused { retry_after: Some(seconds) };
    let table = [
        (ANSWERED, 10.0, 1000),
        (Outcome::Pending, 9.0, 1000),
        (OVERLOADED, 5.0, 1000),
        (REFUSED, 5.0, 1000),
        (wait(0), 5.0, 1000),
        (wait(7), 5.0, 7000),
        (wait(u32::MAX.into()), 5.0, 3_600_000),
        (wait(u128::MAX), 5.0, 3_600_000),
    ];
    for (outcome, rate, pause) in table {
        let limiter = after_a_burst(outcome).await;
        assert_eq!(limiter.rate(), rate, "{outcome:?}");
        let started = Instant::now();
        drop(turn(&limiter).await);
        assert_eq!(started.elapsed(), ms(pause), "{outcome:?}");
    }
}

/// A pause holds back calls that the limit would let through.
#[tokio::test(start_paused = true)]
async fn a_refusal_blocks_for_a_window_or_as_long_as_it_says() {
    let table = [(None, 1000), (Some(0), 200), (Some(1), 1000), (Some(3), 3000)];
    for (retry_after, pause) in table {
        let limiter = RateLimiter::eset();
        call(&limiter, ms(0), Outcome::Refused { retry_after }).await;
        let log = Log::new();
        join(spawn_calls(&limiter, &log, 0..3)).await;
        // 5 per second, then slightly more.
        let times = log.times();
        assert_eq!(times[0], ms(pause), "{retry_after:?}");
        assert_eq!(times[1] - times[0], ms(193), "{retry_after:?}");
    }
    // An earlier end does not shorten the pause.
    let limiter = RateLimiter::eset();
    let (one, other) = (turn(&limiter).await, turn(&limiter).await);
    one.end(Outcome::Refused { retry_after: Some(9) }).await;
    other.end(Outcome::Refused { retry_after: Some(1) }).await;
    let started = Instant::now();
    drop(turn(&limiter).await);
    assert_eq!(started.elapsed(), 9 * SECOND);
}

#[tokio::test(start_paused = true)]
async fn the_rate_halves_once_a_window_down_to_fair_use() {
    let limiter = RateLimiter::eset();
    let mut rates = Vec::new();
    for _ in 0..40 {
        call(&limiter, ms(1), OVERLOADED).await;
        if rates.last() != Some(&limiter.rate()) {
            rates.push(limiter.rate());
        }
    }
    assert_eq!(rates, [5.0, 2.5, 2.0]);
}

/// Calls sent before the rate fell say nothing about the current rate.
#[tokio::test(start_paused = true)]
async fn late_news_changes_nothing() {
    let limiter = RateLimiter::eset();
    let mut turns = Vec::new();
    for _ in 0..4 {
        turns.push(turn(&limiter).await);
    }
    for outcome in [OVERLOADED, OVERLOADED, REFUSED, ANSWERED] {
        tokio::time::sleep(5 * SECOND).await;
        turns.remove(0).end(outcome).await;
        assert_eq!(limiter.rate(), 5.0);
    }
    tokio::time::sleep(5 * SECOND).await;
    call(&limiter, ms(0), OVERLOADED).await;
    assert_eq!(limiter.rate(), 2.5);
}

/// The rate rises from half to full in about five seconds, and then bursts are allowed again.
#[tokio::test(start_paused = true)]
async fn answers_bring_the_rate_back() {
    let limiter = after_a_burst(OVERLOADED).await;
    tokio::time::sleep(2 * SECOND).await;
    let started = Instant::now();
    let mut rates = vec![limiter.rate()];
    while limiter.rate() < 10.0 {
        call(&limiter, ms(2), ANSWERED).await;
        rates.push(limiter.rate());
    }
    assert!(rates.is_sorted());
    assert!((ms(4800)..ms(5500)).contains(&started.elapsed()), "{:?}", started.elapsed());
    tokio::time::sleep(2 * SECOND).await;
    let log = Log::new();
    join(spawn_calls(&limiter, &log, 0..10)).await;
    assert_eq!(log.times().last(), Some(&ms(0)));
}

/// A single slow query is polled every second or two, which says nothing about the load.
#[tokio::test(start_paused = true)]
async fn a_pending_answer_slows_down_only_whoever_calls_much() {
    let limiter = RateLimiter::eset();
    for _ in 0..60 {
        call(&limiter, ms(30), Outcome::Pending).await;
        tokio::time::sleep(SECOND).await;
    }
    assert_eq!(limiter.rate(), 10.0);

    // Next to a full load of successful calls, the rate stays close to its maximum.
    let log = Log::new();
    for round in 0..60 {
        let calls = spawn_calls(&limiter, &log, 0..9);
        call(&limiter, ms(30), Outcome::Pending).await;
        join(calls).await;
        assert!(limiter.rate() >= 8.0, "round {round}: {}", limiter.rate());
    }

    // Everything is pending: the fair-use limit has set in.
    let started = Instant::now();
    while limiter.rate() > 2.0 {
        call(&limiter, ms(30), Outcome::Pending).await;
    }
    assert!((10 * SECOND..25 * SECOND).contains(&started.elapsed()), "{:?}", started.elapsed());
}

#[tokio::test(start_paused = true)]
async fn limits_of_any_size_have_a_floor() {
    let table =
        [(10, SECOND, 2.0), (5, SECOND, 1.0), (1000, SECOND, 2.0), (10, 60 * SECOND, 1.0 / 30.0)];
    for (calls, window, floor) in table {
        let limiter = RateLimiter::new(calls, window);
        for _ in 0..12 {
            tokio::time::sleep(2 * window).await;
            call(&limiter, ms(0), OVERLOADED).await;
        }
        let rate = limiter.rate();
        assert!((rate - floor).abs() < 1e-9, "{calls} in {window:?}: {rate}");
    }
}

/// A service that accepts fewer calls than configured, because another program uses the same credentials. It
/// counts refused calls too.
#[derive(Default)]
struct Service {
    calls: VecDeque<Instant>,
    served: usize,
    refused: usize,
}

impl Service {
    fn call(&mut self, limit: usize) -> Outcome {
        let now = Instant::now();
        while self.calls.front().is_some_and(|at| now - *at >= SECOND) {
            self.calls.pop_front();
        }
        self.calls.push_back(now);
        if self.calls.len() > limit {
            self.refused += 1;
            return REFUSED;
        }
        self.served += 1;
        ANSWERED
    }
}

#[tokio::test(start_paused = true)]
async fn a_service_that_takes_less_is_neither_stormed_nor_left_idle() {
    for (limit, least_used) in [(10, 0.94), (9, 0.5), (7, 0.5), (5, 0.5), (3, 0.5)] {
        let limiter = RateLimiter::eset();
        let service = Arc::new(Mutex::new(Service::default()));
        let end = Instant::now() + 300 * SECOND;
        let callers = (0..40).map(|number| {
            let (limiter, service) = (limiter.clone(), service.clone());
            tokio::spawn(async move {
                while let Ok(turn) = turn_within(&limiter, end - Instant::now()).await {
                    tokio::time::sleep(ms(10 + number % 7)).await;
                    let outcome = service.lock().unwrap().call(limit);
                    tokio::time::sleep(ms(10 + number % 11)).await;
                    turn.end(outcome).await;
                }
            })
        });
        join(callers.collect()).await;
        let service = service.lock().unwrap();
        let used = service.served as f64 / (300 * limit) as f64;
        assert!(used >= least_used, "{limit} a second: {used} used");
        assert!(service.refused <= 150, "{limit} a second: {}", service.refused);
    }
}

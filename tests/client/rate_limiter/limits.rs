//! The limit is never exceeded, and almost reached.

use proptest::prelude::*;

use super::*;

/// A call of a random run.
#[derive(Clone, Copy, Debug)]
struct Planned {
    after: u64,
    travel: u64,
    rest: u64,
    /// 0 to 4; other values mean a response.
    end: u8,
}

fn planned() -> impl Strategy<Value = Planned> {
    let fields = (0..400_u64, 0..250_u64, 0..700_u64, 0..40_u8);
    fields.prop_map(|(after, travel, rest, end)| Planned { after, travel, rest, end })
}

/// Makes the calls and returns when each arrived. Nothing arrives before the connection is open.
async fn arrivals(
    limiter: &RateLimiter,
    plan: Vec<Planned>,
    connecting: Duration,
) -> Vec<Duration> {
    let log = Log::new();
    let connected: Arc<tokio::sync::OnceCell<()>> = Arc::default();
    let mut calls = Vec::new();
    for planned in plan {
        // A third of the calls come in bursts.
        tokio::time::sleep(ms(planned.after.saturating_sub(130))).await;
        let (limiter, log, connected) = (limiter.clone(), log.clone(), connected.clone());
        calls.push(tokio::spawn(async move {
            let turn = turn(&limiter).await;
            connected.get_or_init(|| tokio::time::sleep(connecting)).await;
            tokio::time::sleep(ms(planned.travel)).await;
            log.add(());
            let outcome = match planned.end {
                0 => return drop(turn),
                1 => REFUSED,
                2 => Outcome::Overloaded,
                3 => Outcome::Pending,
                _ => ANSWERED,
            };
            tokio::time::sleep(ms(planned.rest)).await;
            turn.end(outcome).await;
        }));
    }
    join(calls).await;
    let mut times = log.times();
    times.sort();
    times
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_window_sees_more(
        calls in 1..15_u32,
        window in 1..1500_u64,
        connecting in 0..750_u64,
        plan in proptest::collection::vec(planned(), 1..80),
    ) {
        let count = plan.len();
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_time()
            .start_paused(true)
            .build()
            .unwrap();
        let times = runtime.block_on(async {
            let limiter = RateLimiter::new(calls, ms(window));
            arrivals(&limiter, plan, ms(connecting)).await
        });
        prop_assert_eq!(times.len(), count);
        for pair in times.windows(calls as usize + 1) {
            let apart = pair[calls as usize] - pair[0];
            prop_assert!(apart >= ms(window), "{} calls within {:?}", calls + 1, apart);
        }
    }
}

/// A second burst that is faster than the first, which had to connect, is not too early.
#[tokio::test(start_paused = true)]
async fn a_slow_first_connection_makes_no_burst_of_two() {
    let limiter = RateLimiter::eset();
    let plan = vec![Planned { after: 0, travel: 1, rest: 1, end: 9 }; 20];
    let times = arrivals(&limiter, plan, ms(700)).await;
    assert_eq!((times[0], times[9]), (ms(701), ms(701)));
    assert!(times[10] >= ms(1701) && times[10] < ms(1710), "{:?}", times[10]);
}

/// The numbers in the documentation.
#[tokio::test(start_paused = true)]
async fn the_limit_is_used() {
    for (latency, least, most) in
        [(0, 9.98, 10.0), (5, 9.9, 10.0), (100, 9.05, 9.1), (5000, 7.9, 8.0)]
    {
        let limiter = RateLimiter::eset();
        // Connects.
        call(&limiter, ms(latency), ANSWERED).await;
        tokio::time::sleep(2 * SECOND).await;
        let log = Log::new();
        let calls = (0..210).map(|_| {
            let (limiter, log) = (limiter.clone(), log.clone());
            tokio::spawn(async move {
                let turn = turn(&limiter).await;
                log.add(());
                tokio::time::sleep(ms(latency)).await;
                turn.end(ANSWERED).await;
            })
        });
        join(calls.collect()).await;
        let times = log.times();
        let rate = 200.0 / (times[200] - times[0]).as_secs_f64();
        assert!((least..=most).contains(&rate), "{latency} ms: {rate} calls a second");
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_burst_goes_out_at_once() {
    let limiter = RateLimiter::eset();
    let log = Log::new();
    join(spawn_calls(&limiter, &log, 0..30)).await;
    let expected: Vec<_> = (0..30).map(|call| (ms(1000 * (call as u64 / 10)), call)).collect();
    assert_eq!(log.entries(), expected);
}

/// Extreme settings are replaced by the nearest sensible ones.
#[tokio::test(start_paused = true)]
async fn any_configuration_works() {
    let year = 365 * 24 * 3600 * SECOND;
    let table = [
        (0, SECOND, 1.0, 1),
        (1, Duration::MAX, 1.0 / year.as_secs_f64(), 1),
        (3, Duration::ZERO, 3000.0, 20),
        (0, Duration::ZERO, 1000.0, 20),
        (u32::MAX, Duration::from_nanos(1), f64::from(u32::MAX) * 1000.0, 20),
        (u32::MAX, Duration::MAX, f64::from(u32::MAX) / year.as_secs_f64(), 20),
    ];
    for (calls, window, rate, in_time) in table {
        let limiter = RateLimiter::new(calls, window);
        let is_near = (limiter.rate() / rate - 1.0).abs() < 1e-9;
        assert!(is_near, "{calls} in {window:?}: {}", limiter.rate());
        let mut made = 0;
        for _ in 0..20 {
            if let Ok(turn) = turn_within(&limiter, ms(500)).await {
                turn.end(ANSWERED).await;
                made += 1;
            }
        }
        assert_eq!(made, in_time, "{calls} in {window:?}");
        // A call lasts a year at most.
        let outcomes = [REFUSED, Outcome::Overloaded, Outcome::Pending, ANSWERED];
        for outcome in outcomes.into_iter().filter(|_| rate > 1.0 / SECOND.as_secs_f64()) {
            let Ok(turn) = turn_within(&limiter, year).await else {
                panic!("{calls} in {window:?}: no turn after {outcome:?}");
            };
            turn.end(outcome).await;
            assert!(limiter.rate() > 0.0 && limiter.rate() <= rate * 1.000_001);
        }
    }
}

//! Two programs with one account, each with its own rate limiter, share ESET's rate limit.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::{Duration, UNIX_EPOCH};

use eset_protect::auth::StaticToken;
use eset_protect::automation::v1::{DeviceTask, ListTasksRequest};
use eset_protect::emulator::{Emulator, ManualClock};
use eset_protect::{Client, Error, RetryPolicy, Wire};
use tokio::task::JoinSet;

use crate::support::emulator_timer::EmulatorTimer;
use crate::waiting::{BEGIN, devices, task};

const CLIENTS: usize = 2;
const WORKERS: usize = 8;
const CREATES: usize = 40;

/// The results of both programs' creates, the tasks afterwards, and the number of creates received.
struct Ran {
    results: Vec<Result<(), Error>>,
    names: Vec<String>,
    arrived: usize,
}

async fn run(wire: Wire, retry: RetryPolicy) -> Ran {
    let clock = Arc::new(ManualClock::new(UNIX_EPOCH + BEGIN));
    let builder = Emulator::builder().clock(clock.clone()).rate_limit(true);
    let emulator = builder.build().unwrap().start().await.unwrap();
    let timer = EmulatorTimer::of_workers(clock, CLIENTS * WORKERS);
    let mut workers = JoinSet::new();
    for program in 0..CLIENTS {
        let random = AtomicU64::new(program as u64 + 1);
        let draw = move |ceiling: Duration| {
            // A Lehmer generator.
            let next = |seed| Some(seed * 48_271 % 0x7fff_ffff);
            let seed = random.fetch_update(Ordering::SeqCst, Ordering::SeqCst, next).unwrap();
            ceiling.mul_f64(seed as f64 / f64::from(0x7fff_ffff))
        };
        let client = Client::builder(&emulator.endpoint())
            .wire(wire)
            .credentials(StaticToken::new("one-account"))
            .timer(timer.clone())
            .jitter(draw)
            .retry(retry)
            .connect_lazy()
            .unwrap();
        let next = Arc::new(AtomicUsize::new(0));
        for _ in 0..WORKERS {
            let (client, next, timer) = (client.clone(), next.clone(), timer.clone());
            workers.spawn(async move {
                let mut results = Vec::new();
                loop {
                    let number = next.fetch_add(1, Ordering::SeqCst);
                    if number >= CREATES {
                        timer.worker_ended();
                        return results;
                    }
                    let display_name = format!("task {number} of {program}");
                    let task = DeviceTask { display_name, ..task(devices(&["a"])) };
                    results.push(client.device_tasks().create_task(task).await.map(drop));
                }
            });
        }
    }
    let results = workers.join_all().await.into_iter().flatten().collect();
    let arrived = emulator.log().iter().filter(|arrival| arrival.is_rpc("CreateTask")).count();
    let client = Client::builder(&emulator.endpoint()).credentials(StaticToken::new("one-account"));
    let client = client.connect().await.unwrap();
    timer.advance(Duration::from_secs(2));
    let mut listed = client.device_tasks().list_tasks(ListTasksRequest::default()).items();
    let mut names = Vec::new();
    while let Some(task) = listed.next().await {
        names.push(task.unwrap().display_name);
    }
    Ran { results, names, arrived }
}

#[tokio::test]
async fn no_create_is_lost_and_none_is_doubled() {
    for wire in [Wire::Grpc, Wire::Rest] {
        let Ran { results, names, arrived } = run(wire, RetryPolicy::default()).await;
        let lost: Vec<_> = results.iter().filter_map(|result| result.as_ref().err()).collect();
        assert!(lost.is_empty(), "{wire:?}: {} lost, the first: {}", lost.len(), lost[0]);
        assert_eq!(names.len(), CLIENTS * CREATES, "{wire:?}");
        assert_eq!(names.iter().collect::<BTreeSet<_>>().len(), names.len(), "{wire:?}");
        assert!(arrived > names.len(), "{wire:?}: the limit refused none, so this shows nothing");
    }
}

#[tokio::test]
async fn who_wants_no_retries_gets_the_refusal() {
    for wire in [Wire::Grpc, Wire::Rest] {
        let Ran { results, names, arrived } = run(wire, RetryPolicy::none()).await;
        let refused: Vec<_> = results.into_iter().filter_map(Result::err).collect();
        assert!(!refused.is_empty(), "{wire:?}");
        for error in &refused {
            assert!(error.is_retryable() && !error.may_have_executed(), "{error:?}");
            assert_eq!((error.attempts(), error.code()), (1, tonic::Code::ResourceExhausted));
        }
        assert_eq!((arrived, names.len()), (CLIENTS * CREATES, arrived - refused.len()));
    }
}

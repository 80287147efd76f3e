//! Two programs with one account, each with its own rate limiter, share ESET's rate limit.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eset_protect::auth::{BoxFuture, StaticToken};
use eset_protect::automation::v1::{DeviceTask, ListTasksRequest};
use eset_protect::emulator::{Clock, Emulator, ManualClock};
use eset_protect::{Client, Error, RetryPolicy, Timer, Wire};
use tokio::sync::oneshot;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::waiting::{BEGIN, devices, task};

const CLIENTS: usize = 2;
const WORKERS: usize = 8;
const CREATES: usize = 40;

/// A clock that advances when all workers wait: to the earliest time at which one of them continues.
#[derive(Clone, Debug)]
struct SharedTimer {
    start: Instant,
    clock: Arc<ManualClock>,
    state: Arc<Mutex<State>>,
}

#[derive(Debug, Default)]
struct State {
    now: Duration,
    working: usize,
    number: u64,
    waiting: BTreeMap<(Duration, u64), (oneshot::Sender<()>, bool)>,
}

impl SharedTimer {
    fn new(clock: Arc<ManualClock>, working: usize) -> Self {
        let state = State { working, ..State::default() };
        Self { start: Instant::now(), clock, state: Arc::new(Mutex::new(state)) }
    }

    fn passed(&self) -> Duration {
        self.state.lock().unwrap().now
    }

    fn done(&self) {
        self.state.lock().unwrap().working -= 1;
        self.move_on();
    }

    fn move_on(&self) {
        let mut state = self.state.lock().unwrap();
        let asleep = |state: &State| state.waiting.values().filter(|(_, sleeps)| *sleeps).count();
        while state.working > 0 && asleep(&state) >= state.working {
            let Some(((at, _), (wake, _))) = state.waiting.pop_first() else { return };
            if let Some(step) = at.checked_sub(state.now) {
                state.now = at;
                self.clock.advance(step);
            }
            let _ = wake.send(());
        }
    }

    fn wait(&self, duration: Duration, sleeps: bool) -> BoxFuture<'static, ()> {
        let timer = self.clone();
        Box::pin(async move {
            let (wake, woken) = oneshot::channel();
            let key = {
                let mut state = timer.state.lock().unwrap();
                state.number += 1;
                let key = (state.now + duration, state.number);
                state.waiting.insert(key, (wake, sleeps));
                key
            };
            let place = Place { timer: timer.clone(), key };
            timer.move_on();
            woken.await.unwrap();
            drop(place);
        })
    }
}

/// A waiting worker. Dropping it removes it.
struct Place {
    timer: SharedTimer,
    key: (Duration, u64),
}

impl Drop for Place {
    fn drop(&mut self) {
        self.timer.state.lock().unwrap().waiting.remove(&self.key);
    }
}

impl Timer for SharedTimer {
    fn now(&self) -> Instant {
        self.start + self.passed()
    }

    fn system_time(&self) -> SystemTime {
        self.clock.now()
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.wait(duration, true)
    }

    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        self.wait(duration, false)
    }
}

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
    let timer = SharedTimer::new(clock, CLIENTS * WORKERS);
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
            .credentials(StaticToken::new("one account"))
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
                        timer.done();
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
    let client = Client::builder(&emulator.endpoint()).credentials(StaticToken::new("one account"));
    let client = client.connect().await.unwrap();
    timer.clock.advance(Duration::from_secs(2));
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

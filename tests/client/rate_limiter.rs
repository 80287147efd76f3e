//! The rate limiter, by calls over a transport that answers when the test says. All time is tokio's paused clock.

#![cfg(feature = "rest")]

mod adapting;
mod deadlines;
mod limits;
mod queueing;

use std::fmt;
use std::pin::pin;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use eset_protect::auth::BoxFuture;
use eset_protect::automation::v1::{DeviceTask, GetTaskResponse};
use eset_protect::http::HeaderValue;
use eset_protect::transport::{Reply, Request, Transport};
use eset_protect::{Client, Error, RateLimiter, RetryPolicy};
use futures_util::future::{Either, select};
use tokio::sync::oneshot;
use tokio::task::JoinHandle;
use tokio::time::Instant;
use tonic::Status;

const SECOND: Duration = Duration::from_secs(1);
const ANSWERED: Outcome = Outcome::Answered;
const REFUSED: Outcome = Outcome::Refused { retry_after: None };

/// What a service answers.
#[derive(Clone, Copy, Debug)]
enum Outcome {
    Answered,
    Pending,
    /// With so many seconds in `Retry-After`.
    Refused {
        retry_after: Option<u128>,
    },
    Overloaded,
}

impl Outcome {
    fn reply(self) -> Result<Reply, Error> {
        match self {
            Self::Answered => {
                let task = Some(DeviceTask::default());
                Ok(Reply::message(&GetTaskResponse { task }))
            }
            Self::Pending => Ok(Reply::pending(HeaderValue::from_static("id"))),
            Self::Refused { retry_after } => {
                let mut status = Status::resource_exhausted("too many");
                if let Some(seconds) = retry_after {
                    let seconds = seconds.to_string().parse().unwrap();
                    status.metadata_mut().insert("retry-after", seconds);
                }
                Err(status.into())
            }
            Self::Overloaded => Err(Status::unavailable("down").into()),
        }
    }
}

/// Reports the one request that it gets, and answers it when it is told how.
struct Service(Mutex<Option<(oneshot::Sender<()>, oneshot::Receiver<Outcome>)>>);

impl Transport for Service {
    fn send<'a>(&'a self, _: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        let (sent, answer) = self.0.lock().unwrap().take().expect("one request");
        Box::pin(async move {
            sent.send(()).unwrap();
            answer.await.unwrap().reply()
        })
    }
}

impl fmt::Debug for Service {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Service")
    }
}

/// A call whose request was sent. Dropping it cancels it.
struct Turn {
    call: BoxFuture<'static, Result<DeviceTask, Error>>,
    answer: oneshot::Sender<Outcome>,
}

impl Turn {
    async fn end(self, outcome: Outcome) {
        self.answer.send(outcome).unwrap();
        // A pending response is not waited for.
        let result = self.call.await;
        assert_eq!(result.is_ok(), matches!(outcome, Outcome::Answered), "{result:?}");
    }
}

fn ms(milliseconds: u64) -> Duration {
    Duration::from_millis(milliseconds)
}

/// Begins a call that has hours, and returns when its request is sent.
async fn turn(limiter: &RateLimiter) -> Turn {
    turn_within(limiter, 36_000 * SECOND).await.expect("a turn")
}

async fn turn_within(limiter: &RateLimiter, time: Duration) -> Result<Turn, Error> {
    let ((sent, is_sent), (answer, answered)) = (oneshot::channel(), oneshot::channel());
    let client = Client::builder("http://mock")
        .transport(Service(Mutex::new(Some((sent, answered)))))
        .rate_limiter(limiter)
        .retry(RetryPolicy::none())
        .pending_limit(Duration::ZERO)
        .timeout(time)
        .connect_lazy()
        .unwrap();
    let call: BoxFuture<'static, _> =
        Box::pin(async move { client.device_tasks().get_task("t").await });
    match select(call, pin!(is_sent)).await {
        Either::Left((result, _)) => Err(result.expect_err("no answer before the request")),
        Either::Right((_, call)) => Ok(Turn { call, answer }),
    }
}

/// Makes a call that is answered after this latency.
async fn call(limiter: &RateLimiter, latency: Duration, outcome: Outcome) {
    let turn = turn(limiter).await;
    tokio::time::sleep(latency).await;
    turn.end(outcome).await;
}

/// Events with their times.
#[derive(Clone, Debug)]
struct Log<T> {
    started: Instant,
    entries: Arc<Mutex<Vec<(Duration, T)>>>,
}

impl<T: Clone> Log<T> {
    fn new() -> Self {
        Self { started: Instant::now(), entries: Arc::default() }
    }

    fn add(&self, entry: T) {
        self.entries.lock().unwrap().push((self.started.elapsed(), entry));
    }

    fn entries(&self) -> Vec<(Duration, T)> {
        self.entries.lock().unwrap().clone()
    }

    fn what(&self) -> Vec<T> {
        self.entries().into_iter().map(|(_, entry)| entry).collect()
    }

    fn times(&self) -> Vec<Duration> {
        self.entries().into_iter().map(|(time, _)| time).collect()
    }
}

/// Starts calls that are answered at once, and logs the number of each when it gets its permit.
fn spawn_calls(
    limiter: &RateLimiter,
    log: &Log<usize>,
    numbers: std::ops::Range<usize>,
) -> Vec<JoinHandle<()>> {
    let spawn = |number| {
        let (limiter, log) = (limiter.clone(), log.clone());
        tokio::spawn(async move {
            let turn = turn(&limiter).await;
            log.add(number);
            turn.end(ANSWERED).await;
        })
    };
    numbers.map(spawn).collect()
}

/// Runs everything that does not wait for time to pass.
async fn settle() {
    for _ in 0..200 {
        tokio::task::yield_now().await;
    }
}

async fn join(calls: Vec<JoinHandle<()>>) {
    for call in calls {
        call.await.expect("a call");
    }
}

//! How many calls a second: the limit of the service, kept on this side.

mod arrivals;
mod pace;
mod queue;
#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;
use tonic::Code;

use self::arrivals::Arrivals;
use self::pace::{Pace, Sent};
pub(crate) use self::queue::Priority;
use self::queue::{PATIENCE, Queue};
use crate::error::{Error, ErrorKind};
use crate::timer::{BoxFuture, Timer};

/// A shorter window counts as this one: clocks do not tell more.
const SHORTEST_WINDOW: Duration = Duration::from_millis(1);

/// A longer window counts as this one: beyond it clocks overflow.
const LONGEST_WINDOW: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Lets through as many calls as a service takes, first come first served; only the question for a pending
/// answer (202) goes before all new calls, since the service drops an answer that nobody fetches for ten
/// minutes ([facts](crate::facts#rate-limit)). All clones are one limiter.
///
/// ESET Connect takes 10 calls a second for each combination of credentials, account and address, and
/// answers more with 429. Whoever keeps making bursts of 1,000 calls and more is served about 2 calls a
/// second, with pending answers (202), and is refused with 50x at last
/// ([facts](crate::facts#rate-limit)).
///
/// **The limit** holds at the service, not only here: a call counts from when its answer came, which is
/// the latest moment at which it can have arrived, but 250 ms after it was sent at the latest (1 s if no
/// answer came in the last minute, since it may have to connect). So calls that take 5 ms reach 9.95 a
/// second, those that take 100 ms 9.1, and slow ones 8: that is the price of not being refused.
///
/// **The rate** follows what the service answers. At the configured rate a burst goes out at once; below
/// it calls are evenly spaced.
///
/// | answer | what happens | why |
/// |---|---|---|
/// | 429 | nobody calls for the time in `Retry-After` (an hour at most), or for one window; the rate is halved | somebody else uses the same credentials: after a window the count is new, and two who halve share fairly |
/// | 502, 503, 504 | the rate is halved | a service in trouble; whether to try again is for the retry policy. A 500 is more often about the one call |
/// | 202 | the rate falls by a tenth, if at least half of it was used | fair use begins so; but a single slow query is pending too, and one of those a second costs no more than the other answers bring back |
/// | any other | the rate rises, by a tenth of the configured one for each window's worth of answers | 5 seconds from half to full; where less is to be had for long, probing for more costs a 429 every two or three seconds |
///
/// It falls once in a window at most, and not for calls sent before it fell last: ten calls under way
/// bring ten refusals of one burst. It does not fall below 2 calls a second, which fair use grants, or a
/// fifth of the configured rate if that is less.
///
/// **Deadlines**: a call whose turn cannot come in its time fails with [`Error::is_deadline_exceeded`] as
/// soon as that is clear, mostly at once, and nothing is sent. The estimate takes it that the calls before it
/// are answered well and fast, so that no call is refused that might have been made.
///
/// **Cancelling** a call that waits frees its place. One whose future nobody polls when its turn is there
/// is passed over after 100 ms and goes first when it comes.
///
/// ```
/// use std::time::Duration;
/// use eset_protect::RateLimiter;
///
/// let documented = RateLimiter::eset();
/// assert_eq!(documented.rate(), 10.0);
/// // Half of it, where another program uses the same credentials.
/// let half = RateLimiter::new(5, Duration::from_secs(1));
/// assert_eq!((half.rate(), half.waiting()), (5.0, 0));
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    shared: Arc<Shared>,
}

struct Shared {
    calls: u32,
    window: Duration,
    state: Mutex<State>,
}

struct State {
    arrivals: Arrivals,
    pace: Pace,
    queue: Queue,
}

impl RateLimiter {
    /// At most `calls` in any time as long as `window`. No calls count as one call. A window is a
    /// millisecond at the least and 365 days at the most.
    pub fn new(calls: u32, window: Duration) -> Self {
        let calls = calls.max(1);
        let window = window.clamp(SHORTEST_WINDOW, LONGEST_WINDOW);
        let state = State {
            arrivals: Arrivals::new(calls, window),
            pace: Pace::new(calls, window),
            queue: Queue::default(),
        };
        Self { shared: Arc::new(Shared { calls, window, state: Mutex::new(state) }) }
    }

    /// ESET's documented limit: 10 calls in any second ([facts](crate::facts#rate-limit)).
    pub fn eset() -> Self {
        Self::new(10, Duration::from_secs(1))
    }

    /// The rate now, in calls a second: what is configured, or less after the service asked for less.
    pub fn rate(&self) -> f64 {
        self.shared.state().pace.rate()
    }

    /// How many calls wait for their turn, without those passed over.
    pub fn waiting(&self) -> usize {
        self.shared.state().queue.len()
    }

    /// Waits for the turn of one request, which must then be sent at once.
    ///
    /// # Errors
    ///
    /// If the turn cannot come before the deadline. Nothing was sent.
    pub(crate) async fn acquire(
        &self,
        priority: Priority,
        timer: &dyn Timer,
        deadline: Instant,
    ) -> Result<Permit, Error> {
        let place =
            Place { shared: &self.shared, ticket: self.shared.state().queue.ticket(priority) };
        let mut pause: Option<(Wait, Instant, BoxFuture<'static, ()>)> = None;
        poll_fn(|cx| {
            let now = timer.now();
            let wait = match self.shared.step(place.ticket, now, deadline, cx.waker()) {
                Step::Go(turn) => return Poll::Ready(Ok(turn)),
                Step::Fail(error) => return Poll::Ready(Err(error)),
                Step::Wait(wait) => wait,
            };
            let until = now.checked_add(wait.time()).unwrap_or(deadline);
            let (_, _, sleep) = match pause.take() {
                Some(same) if same.0.is_like(wait) && same.1 == until => pause.insert(same),
                _ => pause.insert((wait, until, wait.sleep(timer))),
            };
            if sleep.as_mut().poll(cx).is_ready() {
                pause = None;
                // Not again in the same poll: a clock that is off must not hold the thread.
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("calls", &self.shared.calls)
            .field("window", &self.shared.window)
            .field("rate", &self.rate())
            .field("waiting", &self.waiting())
            .finish_non_exhaustive()
    }
}

/// A request is under way. Dropped without [`end`](Self::end), it was cancelled: it may have been sent, and
/// counts as one whose answer never came.
#[must_use = "a permit ends with its answer"]
pub(crate) struct Permit {
    shared: Arc<Shared>,
    number: u64,
    sent: Sent,
}

/// What the service answered.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Outcome {
    /// An answer, be it an error of the caller.
    Answered,
    /// The answer is pending: 202.
    Pending,
    /// Too many calls: 429.
    Refused {
        /// The time after which the service wants to be asked again.
        retry_after: Option<Duration>,
    },
    /// The service is in trouble: 50x.
    Overloaded,
}

impl Permit {
    /// The answer has come.
    pub(crate) fn end(self, now: Instant, outcome: Outcome) {
        let mut state = self.shared.state();
        state.arrivals.settle(self.number, now);
        let wake = if state.pace.answered(self.sent, now, outcome) {
            // It may be hopeless now for anyone.
            state.queue.all()
        } else {
            state.queue.first().into_iter().collect()
        };
        drop(state);
        wake.into_iter().for_each(Waker::wake);
    }
}

impl fmt::Debug for Permit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Permit")
            .field("number", &self.number)
            .field("sent", &self.sent)
            .finish_non_exhaustive()
    }
}

/// A place in the queue, left with the future that waits.
struct Place<'a> {
    shared: &'a Shared,
    ticket: u64,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        let next = self.shared.state().queue.leave(self.ticket);
        if let Some(next) = next {
            next.wake();
        }
    }
}

enum Step {
    Go(Permit),
    Fail(Error),
    Wait(Wait),
}

#[derive(Clone, Copy)]
enum Wait {
    /// Until it is time to look again.
    Until(Duration),
    /// For an answer that makes it possible, until it would come too late.
    Answer(Duration),
}

impl Wait {
    fn time(self) -> Duration {
        match self {
            Self::Until(time) | Self::Answer(time) => time,
        }
    }

    fn is_like(self, other: Self) -> bool {
        matches!(self, Self::Until(_)) == matches!(other, Self::Until(_))
    }

    fn sleep(self, timer: &dyn Timer) -> BoxFuture<'static, ()> {
        match self {
            Self::Until(time) => timer.sleep(time),
            Self::Answer(time) => timer.expiry(time),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What the one with this ticket has to do now. Nobody is woken under the lock.
    fn step(self: &Arc<Self>, ticket: u64, now: Instant, deadline: Instant, waker: &Waker) -> Step {
        let mut wake = None;
        let mut state = self.state();
        let step = self.decide(&mut state, ticket, now, deadline, waker, &mut wake);
        drop(state);
        if let Some(wake) = wake {
            wake.wake();
        }
        step
    }

    fn decide(
        self: &Arc<Self>,
        state: &mut State,
        ticket: u64,
        now: Instant,
        deadline: Instant,
        waker: &Waker,
        wake: &mut Option<Waker>,
    ) -> Step {
        let mut ahead = state.queue.place(ticket, waker);
        let wait = state.wait(now);
        if !wait.is_zero() {
            state.queue.not_due();
        } else if ahead > 0 && state.queue.pass_over(now) {
            ahead -= 1;
            *wake = if ahead > 0 { state.queue.first() } else { None };
        }
        let left = deadline.saturating_duration_since(now);
        let least = state.least_wait(now, ahead);
        if least >= left {
            *wake = state.queue.leave(ticket).or(wake.take());
            return Step::Fail(self.hopeless(state, now, ahead, least, left));
        }
        if ahead > 0 {
            // It looks whether those before it have come, when its own turn should be there.
            let look = if wait.is_zero() { PATIENCE } else { wait.max(least) };
            return Step::Wait(Wait::Until(look.min(left)));
        }
        if !wait.is_zero() {
            let is_in_time = wait < left;
            return Step::Wait(if is_in_time {
                Wait::Until(wait)
            } else {
                Wait::Answer(left.saturating_sub(least))
            });
        }
        *wake = state.queue.leave(ticket);
        let number = state.arrivals.push(now);
        state.pace.sent(now);
        let is_busy = state.arrivals.is_busy(now, state.pace.half());
        Step::Go(Permit { shared: self.clone(), number, sent: Sent { at: now, is_busy } })
    }

    fn hopeless(
        &self,
        state: &State,
        now: Instant,
        ahead: usize,
        least: Duration,
        left: Duration,
    ) -> Error {
        let before = match ahead {
            0 => "no call waits before this one".to_owned(),
            1 => "1 call waits before this one".to_owned(),
            _ => format!("{ahead} calls wait before this one"),
        };
        let block = state.pace.block(now);
        let refused = if block.is_zero() {
            String::new()
        } else {
            format!(", the service wants no call for {:?}", rounded(block))
        };
        let message = format!(
            "the rate limit leaves no time for the call, nothing was sent: {before}, the rate is {} calls \
             a second{refused}; its turn would come in {:?} at the earliest, and it has {:?}",
            (state.pace.rate() * 1000.0).round() / 1000.0,
            rounded(least),
            rounded(left),
        );
        Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, message).with_execution(false)
    }
}

impl State {
    /// How long the next call must wait.
    fn wait(&self, now: Instant) -> Duration {
        self.arrivals.wait(now).max(self.pace.wait(now))
    }

    /// How long the call with so many others before it must wait at the least.
    fn least_wait(&self, now: Instant, ahead: usize) -> Duration {
        self.arrivals.least_wait(now, ahead).max(self.pace.least_wait(now, ahead))
    }
}

/// To milliseconds, for people.
fn rounded(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

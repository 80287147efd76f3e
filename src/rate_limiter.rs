//! Keeps the service's limit of calls per second on the client's side.

mod arrivals;
mod flows;
mod outcome;
mod pace;
mod queue;
mod shared_limit;
#[cfg(test)]
#[allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]
mod tests;

use std::fmt;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use tokio::time::Instant;

use self::arrivals::Arrivals;
pub(crate) use self::outcome::Outcome;
use self::pace::{Pace, Sent};
pub(crate) use self::queue::Priority;
use self::queue::{PATIENCE, Queue, Ticket};
pub(crate) use self::shared_limit::SharedLimit;
use crate::error::Error;
use crate::timer::{BoxFuture, Timer};

/// The shortest window; clocks are not more precise.
const SHORTEST_WINDOW: Duration = Duration::from_millis(1);

/// How long calls wait for one that asks the limit that other processes share, before it has an answer.
const ASKING: Duration = Duration::from_secs(1);

/// The longest window; longer ones would overflow clocks.
const LONGEST_WINDOW: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Limits the rate of calls, first come, first served; a bridge (feature `serve`) takes the calls of its callers
/// in turn. Only polls for pending responses (202) go before new calls, since the service drops a response that
/// is not fetched within ten minutes ([facts](crate::facts#pending-responses)). All clones share one limit.
///
/// ESET Connect accepts 10 calls per second for each combination of credentials, account and address, and
/// answers further calls with 429. A program that keeps making bursts of 1,000 calls or more is served about
/// 2 calls per second with pending responses (202) and finally refused with 50x
/// ([facts](crate::facts#rate-limit)).
///
/// **Limit**: it holds where the service counts, not only here. A call counts from the latest moment at which
/// it can have arrived: when its response came, but at most 250 ms after it was sent (1 s if no response came
/// in the last minute, because it may have to connect). Therefore calls that take 5 ms reach 9.95 per second,
/// those that take 100 ms 9.1, and slow ones 8: the price of never being refused.
///
/// **Rate**: it adapts to the responses. At the configured rate, a burst is sent at once; below it, calls are
/// spaced evenly.
///
/// | response | effect | reason |
/// |---|---|---|
/// | 429 | no calls for the time in `Retry-After` (at most an hour) or for one window; the rate is halved | another program uses the same credentials: after a window the service counts anew, and two programs that halve their rates share fairly |
/// | 502, 503, 504 | the rate is halved | the service is in trouble; the retry policy decides whether to repeat the call. A 500 is usually about a single call |
/// | 202 | the rate falls by a tenth if at least half of it was used | this is how the fair-use limit starts. A single slow query is pending too; one per second costs no more than the other responses recover |
/// | any other | the rate rises by a tenth of the configured rate per window's worth of responses | 5 seconds from half to full; if the available rate stays lower, probing costs a 429 every two or three seconds |
///
/// The rate falls at most once per window, and not because of calls sent before it last fell: ten concurrent
/// calls can return ten refusals for one burst. It does not fall below 2 calls per second, which fair use
/// grants, or a fifth of the configured rate if that is less.
///
/// **Deadlines**: a call that cannot be sent before its deadline fails with [`Error::is_deadline_exceeded`]
/// as soon as that is certain, usually at once, and nothing is sent. The estimate assumes that the calls
/// ahead of it are answered quickly and successfully, so a call that could have been made is never refused.
///
/// **Cancellation**: cancelling a waiting call frees its place. If nothing polls the future of a call when
/// its turn comes, it is skipped after 100 ms and goes first once it is polled.
///
/// ```
/// use std::time::Duration;
/// use eset_protect::RateLimiter;
///
/// let documented = RateLimiter::eset();
/// assert_eq!(documented.rate(), 10.0);
/// // Use half of it if another program uses the same credentials.
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
    /// The limit that other processes share, asked by the call whose turn it is here.
    outer: Option<Arc<dyn SharedLimit>>,
    state: Mutex<State>,
}

struct State {
    arrivals: Arrivals,
    pace: Pace,
    queue: Queue,
    /// The number of the call that waits for the outer limit, and until when the others wait for it. One whose future is
    /// not polled must not stop them.
    asking: Option<(u64, Instant)>,
}

impl RateLimiter {
    /// Creates a limit of `calls` in any period of length `window`. 0 calls count as 1. The window is limited
    /// to the range from 1 millisecond to 365 days.
    pub fn new(calls: u32, window: Duration) -> Self {
        Self::within(calls, window, None)
    }

    /// Returns a new limiter with the same limit, of which other processes have their part.
    pub(crate) fn shared_with(&self, outer: Arc<dyn SharedLimit>) -> Self {
        Self::within(self.shared.calls, self.shared.window, Some(outer))
    }

    /// Returns a new limiter with the same limit for another credential. Processes that share the limit of this one
    /// share that of the other by this name.
    #[cfg(feature = "serve")]
    pub(crate) fn alike(&self, name: &str) -> Self {
        let Shared { calls, window, outer, .. } = &*self.shared;
        Self::within(*calls, *window, outer.as_ref().map(|outer| outer.alike(name)))
    }

    /// Makes the next calls wait as if all that a window allows had just been sent: those before this limiter may have
    /// been.
    #[cfg(feature = "serve")]
    pub(crate) fn spend(&self, now: Instant) {
        let mut state = self.shared.state();
        for _ in 0..self.shared.calls {
            let number = state.arrivals.push(now);
            state.arrivals.settle(number, now);
        }
        state.pace.sent(now);
    }

    fn within(calls: u32, window: Duration, outer: Option<Arc<dyn SharedLimit>>) -> Self {
        let calls = calls.max(1);
        let window = window.clamp(SHORTEST_WINDOW, LONGEST_WINDOW);
        let state = State {
            arrivals: Arrivals::new(calls, window),
            pace: Pace::new(calls, window),
            queue: Queue::default(),
            asking: None,
        };
        Self { shared: Arc::new(Shared { calls, window, outer, state: Mutex::new(state) }) }
    }

    /// Creates ESET's documented limit: 10 calls per second ([facts](crate::facts#rate-limit)).
    pub fn eset() -> Self {
        Self::new(10, Duration::from_secs(1))
    }

    /// Returns the current rate in calls per second: the configured one, or less after the service asked for
    /// less.
    pub fn rate(&self) -> f64 {
        self.shared.state().pace.rate()
    }

    /// Returns the number of waiting calls, except skipped ones.
    pub fn waiting(&self) -> usize {
        self.shared.state().queue.len()
    }

    /// Waits until a request may be sent, which must then happen at once.
    ///
    /// # Errors
    ///
    /// Fails if the request cannot be sent before the deadline. Nothing was sent.
    pub(crate) async fn acquire(
        &self,
        priority: Priority,
        flow: Option<&str>,
        timer: &dyn Timer,
        deadline: Instant,
    ) -> Result<Permit, Error> {
        let flow = flow.unwrap_or_default();
        let ticket = self.shared.state().queue.ticket(priority, flow);
        let mut place = Place { shared: &self.shared, ticket, flow, is_served: false };
        let mut pause: Option<((bool, Instant), BoxFuture<'static, ()>)> = None;
        let turn = poll_fn(|cx| {
            let now = timer.now();
            let wait = match self.shared.step(ticket, now, deadline, cx.waker()) {
                Step::Go(turn) => return Poll::Ready(Ok(turn)),
                Step::Fail(error) => return Poll::Ready(Err(error)),
                Step::Wait(wait) => wait,
            };
            let until = now.checked_add(wait.time).unwrap_or(deadline);
            let kind = (wait.is_for_response, until);
            let (_, sleep) = match pause.take() {
                Some(same) if same.0 == kind => pause.insert(same),
                _ => pause.insert((kind, wait.sleep(timer))),
            };
            if sleep.as_mut().poll(cx).is_ready() {
                pause = None;
                // Not in the same poll: a broken clock must not block the thread.
                cx.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await;
        place.is_served = turn.is_ok();
        drop(place);
        let turn = turn?;
        let Some(outer) = &self.shared.outer else { return Ok(turn) };
        let asking = Asking { shared: &self.shared, number: turn.number };
        let left = deadline.saturating_duration_since(timer.now());
        let interval = self.shared.window / self.shared.calls;
        match outer.take(interval, left).await {
            Some(wait) if wait.is_zero() => {}
            Some(wait) => {
                asking.keep_until(timer.now().checked_add(wait.saturating_add(PATIENCE)));
                timer.sleep(wait).await;
            }
            None => {
                let message = "the rate limit that servers share leaves no time for the call, nothing was sent";
                let error = Error::deadline(message);
                return Err(error.with_execution(false));
            }
        }
        drop(asking);
        Ok(turn)
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

/// A request in progress. If dropped without [`end`](Self::end), the call was cancelled: it may have been
/// sent and counts as unanswered.
#[must_use = "end the permit when the response arrives"]
pub(crate) struct Permit {
    shared: Arc<Shared>,
    number: u64,
    sent: Sent,
}

impl Permit {
    /// Records the response.
    pub(crate) fn end(self, now: Instant, outcome: Outcome) {
        self.shared.change(|state| {
            state.arrivals.settle(self.number, now);
            if state.pace.answered(self.sent, now, outcome) {
                // Any waiting call may now be too late for its deadline.
                state.queue.all()
            } else {
                state.queue.first().into_iter().collect()
            }
        });
    }
}

/// A call that waits for the outer limit. All others wait for it, so that they stay in their order.
struct Asking<'a> {
    shared: &'a Shared,
    number: u64,
}

impl Asking<'_> {
    /// Keeps the others waiting until then, unless another has asked meanwhile.
    fn keep_until(&self, until: Option<Instant>) {
        let mut state = self.shared.state();
        if let (Some((number, kept)), Some(until)) = (&mut state.asking, until)
            && *number == self.number
        {
            *kept = until;
        }
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.asking.take_if(|(number, _)| *number == self.number);
            state.queue.first()
        });
    }
}

/// A place in the queue. Dropping it leaves the queue.
struct Place<'a> {
    shared: &'a Shared,
    ticket: Ticket,
    flow: &'a str,
    is_served: bool,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        self.shared.change(|state| {
            state.queue.end(self.flow, self.ticket, self.is_served);
            state.queue.leave(self.ticket)
        });
    }
}

enum Step {
    Go(Permit),
    Fail(Error),
    Wait(Wait),
}

#[derive(Clone, Copy)]
struct Wait {
    time: Duration,
    /// Whether it is for a response that makes the call possible, until it would be too late, rather than until it is time
    /// to check again.
    is_for_response: bool,
}

impl Wait {
    fn sleep(self, timer: &dyn Timer) -> BoxFuture<'static, ()> {
        match self.is_for_response {
            true => timer.expiry(self.time),
            false => timer.sleep(self.time),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes the state, then wakes the calls that this returns. Wakes nothing while holding the lock.
    fn change<W: IntoIterator<Item = Waker>>(&self, change: impl FnOnce(&mut State) -> W) {
        let wake = change(&mut self.state());
        wake.into_iter().for_each(Waker::wake);
    }

    /// Decides what the call with this ticket does next.
    fn step(
        self: &Arc<Self>,
        ticket: Ticket,
        now: Instant,
        deadline: Instant,
        waker: &Waker,
    ) -> Step {
        let mut wake = None;
        let step = self.decide(&mut self.state(), ticket, now, deadline, waker, &mut wake);
        if let Some(wake) = wake {
            wake.wake();
        }
        step
    }

    fn decide(
        self: &Arc<Self>,
        state: &mut State,
        ticket: Ticket,
        now: Instant,
        deadline: Instant,
        waker: &Waker,
        wake: &mut Option<Waker>,
    ) -> Step {
        let mut ahead = state.queue.place(ticket, waker);
        let wait = state.wait(now);
        let asking = state.asking(now);
        if !wait.is_zero() || !asking.is_zero() {
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
            // When its own turn should come, it checks whether the calls ahead of it were polled.
            let is_due = wait.is_zero() && asking.is_zero();
            let look = if is_due { PATIENCE } else { wait.max(least).max(PATIENCE.min(asking)) };
            return Step::Wait(Wait { time: look.min(left), is_for_response: false });
        }
        if !asking.is_zero() {
            return Step::Wait(Wait { time: asking.min(left), is_for_response: true });
        }
        if !wait.is_zero() {
            let is_for_response = wait >= left;
            let time = if is_for_response { left.saturating_sub(least) } else { wait };
            return Step::Wait(Wait { time, is_for_response });
        }
        *wake = state.queue.leave(ticket);
        let number = state.arrivals.push(now);
        state.asking = self.outer.as_ref().and_then(|_| Some((number, now.checked_add(ASKING)?)));
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
            0 => "no calls are ahead of it".to_owned(),
            1 => "1 call is ahead of it".to_owned(),
            _ => format!("{ahead} calls are ahead of it"),
        };
        let block = state.pace.block(now);
        let refused = if block.is_zero() {
            String::new()
        } else {
            format!(", the service refuses calls for {:?}", rounded(block))
        };
        let message = format!(
            "the rate limit leaves no time for the call, nothing was sent: {before}, the rate is {} calls \
             per second{refused}; it could be sent in {:?} at the earliest but has only {:?} left",
            (state.pace.rate() * 1000.0).round() / 1000.0,
            rounded(least),
            rounded(left),
        );
        Error::deadline(message).with_execution(false)
    }
}

impl State {
    /// Returns how long the next call must wait.
    fn wait(&self, now: Instant) -> Duration {
        self.arrivals.wait(now).max(self.pace.wait(now))
    }

    /// Returns how long a call keeps the others waiting that asks the outer limit.
    fn asking(&self, now: Instant) -> Duration {
        let until = self.asking.map(|(_, until)| until);
        until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Returns the minimum wait of the call with this number of calls ahead of it.
    fn least_wait(&self, now: Instant, ahead: usize) -> Duration {
        self.arrivals.least_wait(now, ahead).max(self.pace.least_wait(now, ahead))
    }
}

/// Rounds to milliseconds for messages.
fn rounded(duration: Duration) -> Duration {
    Duration::from_millis(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX))
}

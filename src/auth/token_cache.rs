//! One token for many calls.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use secrecy::SecretString;
use tokio::time::Instant;

use super::{AccessToken, BoxFuture, Credentials};
use crate::backoff::{Backoff, Jitter};
use crate::error::Error;
use crate::telemetry;
use crate::timer::{Timer, TokioTimer};
use crate::transport::retry_after;

/// How long before its expiry a token is renewed, at the most: a tenth of its life.
const SLACK: Duration = Duration::from_secs(60);

/// How long a refused login is not tried again, since whoever is behind it may lock the account.
const REFUSED: Duration = Duration::from_secs(10);

/// A token that a service refused sooner than this was perhaps replaced by the login of another program, or
/// else the service takes none of them.
const YOUNG: Duration = Duration::from_secs(10);

/// The longest rest of a login that fails, or whose tokens are refused, if it does not ask for more; and so
/// the longest that a call waits for it.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// The longest rest that a login gets, whatever its `Retry-After` says.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// What a login gives.
#[derive(Clone)]
pub struct Tokens {
    /// The token for calls.
    pub access: AccessToken,
    /// What renews it without the password, if the service has that.
    pub refresh: Option<SecretString>,
    /// How long the access token is valid, from now.
    pub expires_in: Duration,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Tokens")
            .field("access", &self.access)
            .field("refresh", &self.refresh.as_ref().map(|_| "[redacted]"))
            .field("expires_in", &self.expires_in)
            .finish()
    }
}

/// A login.
pub trait TokenProvider: fmt::Debug + Send + Sync + 'static {
    /// Logs in, or renews `previous`. Never called twice at the same time by one cache. Whichever of the
    /// calls that wait for it is polled drives the future; with the last of them it is dropped, perhaps
    /// before it is done.
    ///
    /// # Errors
    ///
    /// If the login is refused ([`Error::is_unauthenticated`]) or cannot be reached; made of a
    /// [`tonic::Status`].
    fn fetch(&self, previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>>;
}

/// Keeps the token of a login, renews it ahead of its expiry and again when a service refuses it.
///
/// | the token | what a call does |
/// |---|---|
/// | is fresh | takes it |
/// | expires soon | one call renews it, the others take it meanwhile; so does that one if the login fails |
/// | is missing, expired or refused | one call fetches another and all share what came of it, also a failure |
///
/// Between two tries the login rests, for all calls together:
///
/// | what happened | how long it rests | what a call does meanwhile that has no token |
/// |---|---|---|
/// | the login was refused | 10 s, since whoever is behind it may lock the account | fails with that refusal |
/// | it failed, and [may do better later](Error::is_retryable) | 250 ms, doubled each time up to 10 s, of which at least half is drawn; longer if its `Retry-After` says so | waits for the next try and shares what comes of it; fails with the failure where it would wait for more than 10 s |
/// | it failed otherwise | the same | fails with that failure |
/// | a service refused its token | not at all the first two times, then 1 s, doubled up to 10 s, while they are refused within 10 s of the login | waits for the next login |
///
/// The last line is for accounts that have one session, where the login of another program ends ours: both go
/// on, in turn, and a service that takes no token at all makes no storm of logins.
#[derive(Debug)]
pub struct TokenCache<P> {
    login: Arc<Login<P>>,
}

#[derive(Debug)]
struct Login<P> {
    provider: P,
    timer: Arc<dyn Timer>,
    jitter: Jitter,
    state: Mutex<State>,
}

/// A fetch that is under way. All who wait for it drive it: were it one of them, that one could keep the
/// others waiting for as long as nobody polls it, perhaps because somebody waits for one of the others.
type Fetching = Shared<BoxFuture<'static, ()>>;

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// Until when the login is not tried.
    rest: Option<Rest>,
    /// How often the login failed since it last did well.
    failures: u32,
    /// How often a token was refused soon after its login, one after another.
    refusals: u32,
    /// The fetch that is under way, if somebody still waits for it.
    fetching: Option<WeakShared<BoxFuture<'static, ()>>>,
    /// How many fetches came to an end.
    fetches: u64,
}

#[derive(Debug)]
struct Held {
    tokens: Tokens,
    since: Instant,
    is_refused: bool,
}

impl Held {
    fn age(&self, now: Instant) -> Duration {
        now.saturating_duration_since(self.since)
    }

    /// Whether it can be used at all.
    fn is_valid(&self, now: Instant) -> bool {
        !self.is_refused && self.age(now) < self.tokens.expires_in
    }

    /// Whether it can be used without a thought of its end.
    fn is_fresh(&self, now: Instant) -> bool {
        let life = self.tokens.expires_in;
        !self.is_refused && self.age(now) < life.saturating_sub(SLACK.min(life / 10))
    }
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    /// What the login failed with; `None` if it rests since its tokens were refused.
    failure: Option<Error>,
}

impl State {
    fn valid(&self, now: Instant) -> Option<AccessToken> {
        let held = self.held.as_ref().filter(|held| held.is_valid(now));
        held.map(|held| held.tokens.access.clone())
    }

    /// How long the login still rests.
    fn resting(&self, now: Instant) -> Duration {
        let rest = self.rest.as_ref();
        rest.map_or(Duration::ZERO, |rest| rest.until.saturating_duration_since(now))
    }

    /// What there is without another fetch.
    fn settled(&self, now: Instant) -> Option<Result<AccessToken, Error>> {
        if let Some(held) = self.held.as_ref().filter(|held| held.is_fresh(now)) {
            return Some(Ok(held.tokens.access.clone()));
        }
        let resting = self.resting(now);
        if resting.is_zero() {
            return None;
        }
        if let Some(token) = self.valid(now) {
            return Some(Ok(token));
        }
        let failure = self.rest.as_ref()?.failure.as_ref()?;
        let is_worth_waiting = failure.is_retryable() && resting <= LONGEST_REST;
        (!is_worth_waiting).then(|| Err(failure.clone()))
    }

    /// What the fetch brought that came to an end since there were `seen` of them, however short its life.
    fn brought(&self, seen: u64, now: Instant) -> Option<Result<AccessToken, Error>> {
        if self.fetches == seen {
            return None;
        }
        match self.rest.as_ref().and_then(|rest| rest.failure.as_ref()) {
            Some(failure) => Some(self.valid(now).ok_or_else(|| failure.clone())),
            None => {
                let held = self.held.as_ref().filter(|held| !held.is_refused);
                held.map(|held| Ok(held.tokens.access.clone()))
            }
        }
    }
}

impl<P: TokenProvider> TokenCache<P> {
    /// A cache for a login, empty at first, which goes by tokio's clock.
    pub fn new(provider: P) -> Self {
        Self::with_timer(provider, TokioTimer)
    }

    /// A cache for a login, empty at first, which goes by this clock: that of the client
    /// ([`ClientBuilder::timer`](crate::ClientBuilder::timer)).
    pub fn with_timer(provider: P, timer: impl Timer) -> Self {
        Self::with(provider, Arc::new(timer), Jitter::default())
    }

    pub(crate) fn with(provider: P, timer: Arc<dyn Timer>, jitter: Jitter) -> Self {
        let login = Login { provider, timer, jitter, state: Mutex::default() };
        Self { login: Arc::new(login) }
    }

    async fn get(&self) -> Result<AccessToken, Error> {
        loop {
            let (seen, failed, fetching) = {
                let now = self.login.timer.now();
                let mut state = self.login.state();
                if let Some(settled) = state.settled(now) {
                    return settled;
                }
                let failed = Arc::new(Mutex::new(None));
                let under_way = state.fetching.as_ref().and_then(WeakShared::upgrade);
                let fetching = match (under_way, state.valid(now)) {
                    (Some(_), Some(token)) => return Ok(token),
                    (Some(fetching), None) => fetching,
                    (None, _) => {
                        let rest = state.resting(now);
                        let fetching = self.login.clone().fetching(rest, failed.clone());
                        state.fetching = fetching.downgrade();
                        fetching
                    }
                };
                (state.fetches, failed, fetching)
            };
            fetching.await;
            let now = self.login.timer.now();
            let brought = self.login.state().brought(seen, now);
            if let Some(brought) = brought {
                // Who asked first gets the error itself, with its source.
                let own = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
                return brought.map_err(|error| own.unwrap_or(error));
            }
        }
    }
}

impl<P: TokenProvider> Login<P> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a fetch after a rest, when it is polled; an error goes to `failed`.
    fn fetching(self: Arc<Self>, rest: Duration, failed: Arc<Mutex<Option<Error>>>) -> Fetching {
        let fetching = async move {
            if !rest.is_zero() {
                self.timer.sleep(rest).await;
            }
            let previous = self.state().held.as_ref().map(|held| held.tokens.clone());
            let is_renewal = previous.is_some();
            let result = self.provider.fetch(previous).await;
            telemetry::login(&result, is_renewal);
            let now = self.timer.now();
            let mut state = self.state();
            state.fetches = state.fetches.wrapping_add(1);
            state.fetching = None;
            match result {
                Ok(tokens) => {
                    state.held = Some(Held { tokens, since: now, is_refused: false });
                    state.rest = None;
                    state.failures = 0;
                }
                Err(error) => {
                    state.failures = state.failures.saturating_add(1);
                    let until = now.checked_add(self.rest_after(&error, state.failures));
                    let failure = Some(error.clone());
                    state.rest = Some(Rest { until: until.unwrap_or(now), failure });
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        };
        fetching.boxed().shared()
    }

    /// How long the login rests after a failure, which was so many in a row.
    fn rest_after(&self, error: &Error, failures: u32) -> Duration {
        if error.is_unauthenticated() {
            return REFUSED;
        }
        let asked = retry_after(error.metadata().as_ref(), self.timer.system_time());
        let backoff = self.jitter.draw_upper_half(Backoff::default().ceiling(failures));
        // `None` is less than any rest.
        asked.max(Some(backoff)).unwrap_or_default().min(LONGEST_ASKED)
    }

    fn refuse(&self, token: &AccessToken) {
        let now = self.timer.now();
        let mut state = self.state();
        // Another call may have renewed it already, or be about to.
        let is_held = |held: &&mut Held| !held.is_refused && held.tokens.access.is_same(token);
        let Some(held) = state.held.as_mut().filter(is_held) else { return };
        held.is_refused = true;
        let is_young = held.age(now) < YOUNG;
        state.refusals = if is_young { state.refusals.saturating_add(1) } else { 0 };
        let retries = state.refusals.saturating_sub(1);
        if retries > 0 && state.resting(now).is_zero() {
            let ceiling = Backoff::new(Duration::from_secs(1), LONGEST_REST).ceiling(retries);
            let until = now.checked_add(self.jitter.draw_upper_half(ceiling)).unwrap_or(now);
            state.rest = Some(Rest { until, failure: None });
        }
    }
}

impl<P: TokenProvider> Credentials for TokenCache<P> {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(self.get())
    }

    fn invalidate(&self, token: &AccessToken) -> BoxFuture<'_, ()> {
        self.login.refuse(token);
        Box::pin(std::future::ready(()))
    }
}

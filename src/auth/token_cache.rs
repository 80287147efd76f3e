//! Shares one token among many calls.

use std::fmt::Debug;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::future::{Either, select};
use secrecy::SecretString;
use tokio::time::Instant;

use super::token::NOT_SENDABLE;
use super::{AccessToken, Credentials};
use crate::backoff::{Backoff, Jitter};
use crate::error::Error;
use crate::pointers::for_pointers;
use crate::single_flight::SingleFlight;
use crate::telemetry;
use crate::timer::{BoxFuture, Timer, TokioTimer};
use crate::transport::retry_after;

/// The longest time before its expiry to renew a token; at most a tenth of its lifetime.
const SLACK: Duration = Duration::from_secs(60);

/// How long to wait after a refused login, because repeated attempts may lock the account.
const REFUSED: Duration = Duration::from_secs(10);

/// If a service refuses a token younger than this, either the login of another program replaced it or the
/// service accepts no tokens at all.
const YOUNG: Duration = Duration::from_secs(10);

/// The longest pause after a failed login or refused tokens unless the service asks for more, and therefore
/// the longest time that a call waits for one.
const LONGEST_REST: Duration = Duration::from_secs(10);

/// How long to wait for a login that began in another runtime, which may be idle. If both log in, On-Prem ends the
/// session of the first.
const PATIENCE: Duration = Duration::from_secs(1);

/// The longest pause after a failed login, whatever its `Retry-After` says.
const LONGEST_ASKED: Duration = Duration::from_secs(60 * 60);

/// The result of a login. `Debug` shows no token.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Tokens {
    /// The token for calls.
    pub access: AccessToken,
    /// The token that renews it without the password, if the service has one.
    pub refresh: Option<SecretString>,
    /// How long the access token is valid from now on.
    pub expires_in: Duration,
}

impl Tokens {
    /// Creates the result of a login that gave an access token alone, valid for this time from now on.
    pub fn new(access: AccessToken, expires_in: Duration) -> Self {
        Self { access, refresh: None, expires_in }
    }

    /// Adds the token that renews it without the password.
    #[must_use]
    pub fn refresh(mut self, token: impl Into<SecretString>) -> Self {
        self.refresh = Some(token.into());
        self
    }
}

/// Logs in to a service.
pub trait TokenProvider: Debug + Send + Sync + 'static {
    /// Logs in, or renews `previous`. A cache never calls it twice at the same time in one tokio runtime, and in several
    /// only if a login takes more than a second. Whichever waiting call is polled drives the future. If all of them are
    /// dropped, the future is dropped too, perhaps before it completes.
    ///
    /// # Errors
    ///
    /// Fails if the login is refused ([`Error::is_unauthenticated`]) or unreachable; create the error from a
    /// [`tonic::Status`].
    fn fetch(&self, previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>>;
}

for_pointers! {
    TokenProvider: fetch['a](previous: Option<Tokens>) -> BoxFuture<'a, Result<Tokens, Error>>;
}

/// Caches the token of a login. Renews it before it expires, and after a service refused it.
///
/// | token | what a call does |
/// |---|---|
/// | fresh | uses it |
/// | expires soon | one call renews it while the others use it; if the login fails, that call uses it too |
/// | missing, expired or refused | one call fetches a new one, and all calls share the result, even a failure |
///
/// A login uses connections of the tokio runtime in which it began. Calls in another runtime share it, too, but after a
/// second without a result they log in themselves, since the first runtime may be idle. The last login that succeeds
/// provides the token for all.
///
/// Between two logins there may be a pause, which applies to all calls:
///
/// | after | pause | calls without a token meanwhile |
/// |---|---|---|
/// | a refused login | 10 s, because more attempts may lock the account | fail with that refusal |
/// | a failed login that [may succeed later](Error::is_retryable) | 250 ms, doubled each time up to 10 s, with jitter in the upper half; longer if `Retry-After` says so | wait for the next login and share its result; fail with the last failure if they would wait for more than 10 s |
/// | any other failed login | the same | fail with that failure |
/// | a service refused a token | none the first two times, then 1 s, doubled up to 10 s, as long as tokens are refused within 10 s of the login | wait for the next login |
///
/// The last row is for accounts with a single session, where a login of another program ends ours. Both
/// programs then take turns, and a service that accepts no tokens does not cause a flood of logins.
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

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    /// When the pause before the next login ends.
    rest: Option<Rest>,
    /// The number of failed logins since the last success.
    failures: u32,
    /// The number of consecutive tokens that were refused soon after their login.
    refusals: u32,
    /// The current fetches.
    fetching: SingleFlight<()>,
    /// The number of completed fetches.
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

    /// Whether the token is usable at all.
    fn is_valid(&self, now: Instant) -> bool {
        !self.is_refused && self.age(now) < self.tokens.expires_in
    }

    /// Whether the token is usable and not about to expire.
    fn is_fresh(&self, now: Instant) -> bool {
        let life = self.tokens.expires_in;
        !self.is_refused && self.age(now) < life.saturating_sub(SLACK.min(life / 10))
    }
}

#[derive(Debug)]
struct Rest {
    until: Instant,
    /// The error of the failed login; `None` if the pause is due to refused tokens.
    failure: Option<Error>,
}

impl State {
    fn valid(&self, now: Instant) -> Option<AccessToken> {
        let held = self.held.as_ref().filter(|held| held.is_valid(now));
        held.map(|held| held.tokens.access.clone())
    }

    /// Whether another runtime brought a token since then.
    fn is_fetched_since(&self, begun: Instant, now: Instant) -> bool {
        self.held.as_ref().is_some_and(|held| held.since >= begun && held.is_valid(now))
    }

    /// Returns the rest of the pause.
    fn resting(&self, now: Instant) -> Duration {
        let rest = self.rest.as_ref();
        rest.map_or(Duration::ZERO, |rest| rest.until.saturating_duration_since(now))
    }

    /// Returns the result that is available without another fetch.
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

    /// Returns the result of the first fetch that completed after `seen` fetches, however short the token's
    /// lifetime.
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
    /// Creates an empty cache for a login, with tokio's clock.
    pub fn new(provider: P) -> Self {
        Self::with_timer(provider, TokioTimer)
    }

    /// Creates an empty cache for a login, with the clock of the client
    /// ([`ClientBuilder::timer`](crate::ClientBuilder::timer)).
    pub fn with_timer(provider: P, timer: impl Timer) -> Self {
        Self::with(provider, Arc::new(timer), Jitter::default())
    }

    pub(crate) fn with(provider: P, timer: Arc<dyn Timer>, jitter: Jitter) -> Self {
        let login = Login { provider, timer, jitter, state: Mutex::default() };
        Self { login: Arc::new(login) }
    }

    async fn get(&self) -> Result<AccessToken, Error> {
        let mut is_patient = true;
        loop {
            let (seen, fetching, patience) = {
                let now = self.login.timer.now();
                let mut state = self.login.state();
                if let Some(settled) = state.settled(now) {
                    return settled;
                }
                let own = state.fetching.under_way();
                let others = state.fetching.under_way_elsewhere().filter(|_| is_patient);
                let is_others = own.is_none() && others.is_some();
                let patience = is_others.then(|| state.resting(now).saturating_add(PATIENCE));
                let fetching = match (own.or(others), state.valid(now)) {
                    (Some(_), Some(token)) => return Ok(token),
                    (Some(fetching), None) => fetching,
                    (None, _) => {
                        let rest = state.resting(now);
                        let fetching = self.login.clone().fetch(now, rest);
                        state.fetching.begin(fetching)
                    }
                };
                (state.fetches, fetching, patience)
            };
            match patience.map(|patience| self.login.timer.sleep(patience)) {
                None => fetching.await,
                Some(end) => is_patient = matches!(select(fetching, end).await, Either::Left(_)),
            }
            let now = self.login.timer.now();
            if let Some(brought) = self.login.state().brought(seen, now) {
                return brought;
            }
        }
    }
}

impl<P: TokenProvider> Login<P> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Fetches tokens after the pause.
    async fn fetch(self: Arc<Self>, begun: Instant, rest: Duration) {
        if !rest.is_zero() {
            self.timer.sleep(rest).await;
        }
        let (previous, was_refused) = {
            let state = self.state();
            if state.is_fetched_since(begun, self.timer.now()) {
                return;
            }
            let failure = state.rest.as_ref().and_then(|rest| rest.failure.as_ref());
            let was_refused = failure.is_some_and(Error::is_unauthenticated);
            (state.held.as_ref().map(|held| held.tokens.clone()), was_refused)
        };
        let is_renewal = previous.is_some();
        let result = self.provider.fetch(previous).await.and_then(|tokens| {
            match tokens.access.is_sendable() {
                true => Ok(tokens),
                false => Err(Error::protocol(format!("the login: {NOT_SENDABLE}"))),
            }
        });
        telemetry::login(&result, is_renewal, was_refused);
        let now = self.timer.now();
        let mut state = self.state();
        if result.is_err() && state.is_fetched_since(begun, now) {
            return;
        }
        state.fetches = state.fetches.wrapping_add(1);
        match result {
            Ok(tokens) => {
                state.held = Some(Held { tokens, since: now, is_refused: false });
                state.rest = None;
                state.failures = 0;
            }
            Err(error) => {
                state.failures = state.failures.saturating_add(1);
                let until = now.checked_add(self.rest_after(&error, state.failures));
                state.rest = Some(Rest { until: until.unwrap_or(now), failure: Some(error) });
            }
        }
    }

    /// Returns the pause after the given number of consecutive failures.
    fn rest_after(&self, error: &Error, failures: u32) -> Duration {
        if error.is_unauthenticated() {
            return REFUSED;
        }
        let asked = retry_after(error.metadata().as_ref(), self.timer.system_time());
        let backoff = self.jitter.draw_upper_half(Backoff::default().ceiling(failures));
        // `None` is less than any duration.
        asked.max(Some(backoff)).unwrap_or_default().min(LONGEST_ASKED)
    }

    fn refuse(&self, token: &AccessToken) {
        let now = self.timer.now();
        let mut state = self.state();
        // Another call may have renewed it already, or be about to.
        let is_held = |held: &&mut Held| !held.is_refused && held.tokens.access == *token;
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

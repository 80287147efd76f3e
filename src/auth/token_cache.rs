//! One token for many calls.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};
use secrecy::SecretString;
use tokio::time::Instant;

use super::{AccessToken, BoxFuture, Credentials};
use crate::error::Error;
use crate::telemetry;

/// How long before its expiry a token is renewed, at the most: a tenth of its life.
const SLACK: Duration = Duration::from_secs(60);

/// How long a refused login is not tried again, since whoever is behind it may lock the account, and how
/// long a forced renewal is not repeated.
const REST: Duration = Duration::from_secs(10);

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
/// A login that was refused is not tried again for ten seconds. A token that a service refuses is
/// renewed at once, but not if that was done less than ten seconds ago: then it is not the token.
#[derive(Debug)]
pub struct TokenCache<P> {
    login: Arc<Login<P>>,
}

#[derive(Debug)]
struct Login<P> {
    provider: P,
    state: Mutex<State>,
}

/// A fetch that is under way. All who wait for it drive it: were it one of them, that one could keep the
/// others waiting for as long as nobody polls it, perhaps because somebody waits for one of the others.
type Fetching = Shared<BoxFuture<'static, ()>>;

#[derive(Debug, Default)]
struct State {
    held: Option<Held>,
    failure: Option<Failure>,
    /// The fetch that is under way, if somebody still waits for it.
    fetching: Option<WeakShared<BoxFuture<'static, ()>>>,
    /// How many fetches came to an end.
    fetches: u64,
    /// When a service's refusal last asked for another token.
    forced: Option<Instant>,
}

#[derive(Debug)]
struct Held {
    tokens: Tokens,
    since: Instant,
    is_refused: bool,
}

impl Held {
    /// Whether it can be used at all.
    fn is_valid(&self) -> bool {
        !self.is_refused && self.since.elapsed() < self.tokens.expires_in
    }

    /// Whether it can be used without a thought of its end.
    fn is_fresh(&self) -> bool {
        let life = self.tokens.expires_in;
        !self.is_refused && self.since.elapsed() < life.saturating_sub(SLACK.min(life / 10))
    }
}

#[derive(Debug)]
struct Failure {
    at: Instant,
    error: Error,
}

impl State {
    fn valid(&self) -> Option<AccessToken> {
        self.held.as_ref().filter(|held| held.is_valid()).map(|held| held.tokens.access.clone())
    }

    fn fresh(&self) -> Option<AccessToken> {
        self.held.as_ref().filter(|held| held.is_fresh()).map(|held| held.tokens.access.clone())
    }

    /// What there is for a call that saw `seen` fetches when it asked, without another fetch.
    fn settled(&self, seen: u64) -> Option<Result<AccessToken, Error>> {
        if let Some(token) = self.fresh() {
            return Some(Ok(token));
        }
        // It waited for this fetch, however short the life of what it gave.
        let is_shared = self.fetches != seen;
        match (&self.failure, &self.held) {
            (Some(failure), _) => {
                let is_recent = failure.at.elapsed() < REST;
                match self.valid() {
                    Some(token) if is_recent => Some(Ok(token)),
                    None if is_shared || (is_recent && failure.error.is_unauthenticated()) => {
                        Some(Err(failure.error.share()))
                    }
                    _ => None,
                }
            }
            (None, Some(held)) if is_shared && !held.is_refused => {
                Some(Ok(held.tokens.access.clone()))
            }
            _ => None,
        }
    }
}

impl<P: TokenProvider> TokenCache<P> {
    /// A cache for a login, empty at first.
    pub fn new(provider: P) -> Self {
        Self { login: Arc::new(Login { provider, state: Mutex::default() }) }
    }

    async fn get(&self) -> Result<AccessToken, Error> {
        loop {
            let failed = Arc::new(Mutex::new(None));
            let (seen, fetching) = {
                let mut state = self.login.state();
                if let Some(settled) = state.settled(state.fetches) {
                    return settled;
                }
                let under_way = state.fetching.as_ref().and_then(WeakShared::upgrade);
                let fetching = match (under_way, state.valid()) {
                    (Some(_), Some(token)) => return Ok(token),
                    (Some(fetching), None) => fetching,
                    (None, _) => {
                        let previous = state.held.as_ref().map(|held| held.tokens.clone());
                        let fetching = self.login.clone().fetching(previous, failed.clone());
                        state.fetching = fetching.downgrade();
                        fetching
                    }
                };
                (state.fetches, fetching)
            };
            fetching.await;
            let settled = self.login.state().settled(seen);
            if let Some(settled) = settled {
                // Who asked first gets the error itself, with its source.
                let own = failed.lock().unwrap_or_else(PoisonError::into_inner).take();
                return settled.map_err(|error| own.unwrap_or(error));
            }
        }
    }
}

impl<P: TokenProvider> Login<P> {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a fetch, when it is polled; an error goes to `failed`.
    fn fetching(
        self: Arc<Self>,
        previous: Option<Tokens>,
        failed: Arc<Mutex<Option<Error>>>,
    ) -> Fetching {
        let is_renewal = previous.is_some();
        let fetching = async move {
            let result = self.provider.fetch(previous).await;
            telemetry::login(&result, is_renewal);
            let mut state = self.state();
            state.fetches = state.fetches.wrapping_add(1);
            state.fetching = None;
            match result {
                Ok(tokens) => {
                    state.held = Some(Held { tokens, since: Instant::now(), is_refused: false });
                    state.failure = None;
                }
                Err(error) => {
                    state.failure = Some(Failure { at: Instant::now(), error: error.share() });
                    *failed.lock().unwrap_or_else(PoisonError::into_inner) = Some(error);
                }
            }
        };
        fetching.boxed().shared()
    }

    fn refuse(&self, token: &AccessToken) {
        let mut state = self.state();
        let is_forced = state.forced.is_some_and(|at| at.elapsed() < REST);
        // Another call may have renewed it already.
        if let Some(held) = &mut state.held
            && held.tokens.access.is_same(token)
            && !is_forced
        {
            held.is_refused = true;
            state.forced = Some(Instant::now());
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

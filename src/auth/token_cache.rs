//! One token for many calls.

use std::fmt;
use std::time::Duration;

use secrecy::SecretString;
use tokio::sync::Mutex;
use tokio::time::Instant;
use tonic::Code;

use super::{AccessToken, BoxFuture, Credentials};
use crate::error::{Error, ErrorKind};

/// How long before its expiry a token is renewed, at the most: a tenth of its life.
const SLACK: Duration = Duration::from_secs(60);

/// How long a refused login is not tried again: whoever is behind it may lock the account.
const REFUSED_FOR: Duration = Duration::from_secs(10);

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
    /// Logs in, or renews `previous`. Never called twice at the same time by one cache.
    ///
    /// # Errors
    ///
    /// If the login is refused ([`Error::is_unauthenticated`]) or cannot be reached.
    fn fetch(&self, previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>>;
}

/// Keeps the token of a login, renews it ahead of its expiry and again when a service refuses it.
///
/// However many calls wait for a token, one of them fetches it and all share what came of it, also a
/// failure. A login that was refused is not tried again for ten seconds.
#[derive(Debug)]
pub struct TokenCache<P> {
    provider: P,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    tokens: Option<Held>,
    failure: Option<Failure>,
}

#[derive(Debug)]
struct Held {
    tokens: Tokens,
    renew_at: Instant,
}

#[derive(Debug)]
struct Failure {
    at: Instant,
    kind: ErrorKind,
    code: Code,
    message: String,
}

impl Failure {
    fn of(error: &Error) -> Self {
        Self {
            at: Instant::now(),
            kind: error.kind(),
            code: error.code(),
            message: error.message().to_owned(),
        }
    }

    /// Whether somebody who asked at `asked` shares this failure.
    fn answers(&self, asked: Instant) -> bool {
        let refused = self.code == Code::Unauthenticated && self.at.elapsed() < REFUSED_FOR;
        asked <= self.at || refused
    }

    fn to_error(&self) -> Error {
        Error::new(self.kind, self.code, self.message.clone())
    }
}

impl<P: TokenProvider> TokenCache<P> {
    /// A cache for a login, empty at first.
    pub fn new(provider: P) -> Self {
        Self { provider, state: Mutex::default() }
    }

    async fn fetch(&self) -> Result<AccessToken, Error> {
        let asked = Instant::now();
        let mut state = self.state.lock().await;
        if let Some(held) = &state.tokens
            && Instant::now() < held.renew_at
        {
            return Ok(held.tokens.access.clone());
        }
        if let Some(failure) = state.failure.as_ref().filter(|failure| failure.answers(asked)) {
            return Err(failure.to_error());
        }
        let previous = state.tokens.as_ref().map(|held| held.tokens.clone());
        match self.provider.fetch(previous).await {
            Ok(tokens) => {
                let slack = SLACK.min(tokens.expires_in / 10);
                let renew_at = Instant::now() + tokens.expires_in.saturating_sub(slack);
                let access = tokens.access.clone();
                *state = State { tokens: Some(Held { tokens, renew_at }), failure: None };
                Ok(access)
            }
            Err(error) => {
                state.failure = Some(Failure::of(&error));
                Err(error)
            }
        }
    }
}

impl<P: TokenProvider> Credentials for TokenCache<P> {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(self.fetch())
    }

    fn invalidate(&self, token: &AccessToken) -> BoxFuture<'_, ()> {
        let token = token.clone();
        Box::pin(async move {
            let mut state = self.state.lock().await;
            // Another call may have renewed it already.
            if let Some(held) = &mut state.tokens
                && held.tokens.access.is_same(&token)
            {
                held.renew_at = Instant::now();
            }
        })
    }
}

//! A token that a file or a program provides, and provides again when the service refuses it.

use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use super::background;
use crate::auth::{AccessToken, BoxFuture, Credentials};
use crate::error::Error;
use crate::single_flight::SingleFlight;

/// How long after a refused token the source is not asked again, so that a token that stays refused does not make every
/// call run a program.
const PAUSE: Duration = Duration::from_secs(10);

/// Reads the token from where it is kept. The error omits it.
pub(crate) type TokenSource = Arc<dyn Fn() -> Result<AccessToken, String> + Send + Sync>;

/// A token and its source.
pub(super) struct ProvidedToken {
    source: TokenSource,
    state: Arc<Mutex<State>>,
}

struct State {
    token: AccessToken,
    asked: Option<Instant>,
    asking: SingleFlight<()>,
}

impl ProvidedToken {
    /// A token that the source has already provided.
    pub(super) fn new(token: AccessToken, source: TokenSource) -> Self {
        let state = State { token, asked: None, asking: SingleFlight::default() };
        Self { source, state: Arc::new(Mutex::new(state)) }
    }
}

fn lock(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Credentials for ProvidedToken {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(std::future::ready(Ok(lock(&self.state).token.clone())))
    }

    /// Asks the source. If it fails or has no other token, the refused call fails.
    fn invalidate(&self, token: &AccessToken) -> BoxFuture<'_, ()> {
        let mut state = lock(&self.state);
        let is_too_soon = state.asked.is_some_and(|asked| asked.elapsed() < PAUSE);
        let asking = match state.asking.under_way() {
            _ if state.token != *token => return Box::pin(std::future::ready(())),
            Some(asking) => asking,
            None if is_too_soon => return Box::pin(std::future::ready(())),
            None => {
                let (kept, source) = (self.state.clone(), self.source.clone());
                state.asking.begin(async move {
                    let found = background::run(move || source().map_err(Error::config)).await;
                    let mut state = lock(&kept);
                    state.asked = Some(Instant::now());
                    if let Ok(token) = found {
                        state.token = token;
                    }
                })
            }
        };
        Box::pin(asking)
    }
}

impl fmt::Debug for ProvidedToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("ProvidedToken([redacted])")
    }
}

//! The tokens issued by an emulator.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use uuid::Uuid;

use crate::emulator::auth::Auth;

/// The maximum number of tokens of each kind. Above it, the oldest are removed.
const MAX_TOKENS: usize = 10_000;

/// Issues and checks tokens.
pub(super) struct Tokens {
    auth: Option<Auth>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When each access token expires.
    access: BTreeMap<String, SystemTime>,
    /// Refresh tokens by age. Their lifetime is not documented ([facts](crate::facts#cloud-login)): they are
    /// valid until they are used.
    refresh: BTreeMap<String, u64>,
    sequence: u64,
}

/// The result of a login.
pub(super) struct Granted {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) expires_in: u64,
}

impl Tokens {
    /// Without an account, any login succeeds and none is needed.
    pub(super) fn new(auth: Option<Auth>) -> Self {
        Self { auth, state: Mutex::default() }
    }

    /// Logs in with a password; `None` if it is not the account's.
    pub(super) fn login(&self, name: &str, password: &str, now: SystemTime) -> Option<Granted> {
        let is_right = self
            .auth
            .as_ref()
            .is_none_or(|auth| auth.username == name && auth.password == password);
        is_right.then(|| self.grant(&mut self.lock(), now))
    }

    /// Renews tokens: both are new, and the old refresh token is used up. The old access token stays valid
    /// until it expires, for current calls.
    pub(super) fn refresh(&self, token: &str, now: SystemTime) -> Option<Granted> {
        let mut state = self.lock();
        state.refresh.remove(token)?;
        Some(self.grant(&mut state, now))
    }

    /// Checks the token of a call.
    pub(super) fn check(&self, token: Option<&str>, now: SystemTime) -> Result<(), &'static str> {
        if self.auth.is_none() {
            return Ok(());
        }
        let token = token.ok_or("the call has no `authorization: Bearer` token")?;
        match self.lock().access.get(token) {
            None => Err("the access token is not valid"),
            Some(end) if *end <= now => Err("the access token has expired"),
            Some(_) => Ok(()),
        }
    }

    /// Revokes all access tokens; refresh tokens stay valid.
    pub(super) fn revoke(&self) {
        self.lock().access.clear();
    }

    fn grant(&self, state: &mut State, now: SystemTime) -> Granted {
        let lifetime = self.auth.clone().unwrap_or_default().expires_in;
        // At the end of the clock's range, tokens are issued as expired.
        let end = now.checked_add(lifetime).unwrap_or(now);
        if state.access.len() >= MAX_TOKENS {
            state.access.retain(|_, end| *end > now);
        }
        let (access, refresh) = (random(), random());
        insert(&mut state.access, access.clone(), end);
        state.sequence = state.sequence.saturating_add(1);
        insert(&mut state.refresh, refresh.clone(), state.sequence);
        Granted { access, refresh, expires_in: lifetime.as_secs() }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Inserts a token; removes the one with the smallest value if there are too many.
fn insert<V: Copy + Ord>(tokens: &mut BTreeMap<String, V>, token: String, value: V) {
    if tokens.len() >= MAX_TOKENS {
        let oldest = tokens.iter().min_by_key(|(_, value)| **value).map(|(token, _)| token.clone());
        oldest.and_then(|token| tokens.remove(&token));
    }
    tokens.insert(token, value);
}

/// Returns 244 random bits, not from the emulator's `IdSource`, which may be predictable.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

//! The tokens that an emulator has given out.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use uuid::Uuid;

use crate::emulator::auth::Auth;

/// So many tokens of each kind are kept; the oldest ones go first.
const MAX_TOKENS: usize = 10_000;

/// Gives out tokens and knows them again.
pub(super) struct Tokens {
    auth: Option<Auth>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    /// When each access token ends.
    access: BTreeMap<String, SystemTime>,
    /// Refresh tokens by their age. How long they live is not documented
    /// ([facts](crate::facts#cloud-login)): until they are used.
    refresh: BTreeMap<String, u64>,
    sequence: u64,
}

/// What a login gives.
pub(super) struct Granted {
    pub(super) access: String,
    pub(super) refresh: String,
    pub(super) expires_in: u64,
}

impl Tokens {
    /// Without an account anyone may log in, and nobody has to.
    pub(super) fn new(auth: Option<Auth>) -> Self {
        Self { auth, state: Mutex::default() }
    }

    /// Logs in with a password; `None` if the account is another one.
    pub(super) fn login(&self, name: &str, password: &str, now: SystemTime) -> Option<Granted> {
        let is_right = self
            .auth
            .as_ref()
            .is_none_or(|auth| auth.username == name && auth.password == password);
        is_right.then(|| self.grant(&mut self.lock(), now))
    }

    /// Renews: both tokens are new, and the old refresh token is used up. The old access token stays
    /// valid to its end, for the calls under way.
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

    /// Makes all access tokens invalid; refresh tokens stay.
    pub(super) fn revoke(&self) {
        self.lock().access.clear();
    }

    fn grant(&self, state: &mut State, now: SystemTime) -> Granted {
        let lifetime = self.auth.clone().unwrap_or_default().expires_in;
        // A clock at the end of time gives tokens that have expired.
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

impl std::fmt::Debug for Tokens {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Tokens").field("auth", &self.auth).finish_non_exhaustive()
    }
}

/// Inserts, in the place of the smallest value if there are too many.
fn insert<V: Copy + Ord>(tokens: &mut BTreeMap<String, V>, token: String, value: V) {
    if tokens.len() >= MAX_TOKENS {
        let oldest = tokens.iter().min_by_key(|(_, value)| **value).map(|(token, _)| token.clone());
        oldest.and_then(|token| tokens.remove(&token));
    }
    tokens.insert(token, value);
}

/// 244 random bits. Not from the emulator's `IdSource`, which may count.
fn random() -> String {
    format!("{}{}", Uuid::new_v4().simple(), Uuid::new_v4().simple())
}

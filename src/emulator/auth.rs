//! Who may call an emulator.

use std::fmt;
use std::time::Duration;

/// Logins of an emulator: one account, whose tokens every call then needs.
///
/// The account is `api` with the password `api` unless [`account`](Self::account) says otherwise.
/// Tokens come from `POST /oauth/token` as in the cloud, and from `POST /GetTokens` as On-Prem
/// ([facts](crate::facts#cloud-login)).
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) expires_in: Duration,
}

impl Auth {
    /// The account `api` with the password `api`, and tokens that are valid for an hour.
    pub fn new() -> Self {
        let api = "api".to_owned();
        Self { username: api.clone(), password: api, expires_in: Duration::from_secs(3600) }
    }

    /// Sets the account.
    #[must_use]
    pub fn account(mut self, username: impl Into<String>, password: impl Into<String>) -> Self {
        (self.username, self.password) = (username.into(), password.into());
        self
    }

    /// How long access tokens are valid: an hour by default, as the cloud's are. Whole seconds, at most
    /// what `expires_in` can say (68 years).
    #[must_use]
    pub fn expires_in(mut self, time: Duration) -> Self {
        self.expires_in = Duration::from_secs(time.as_secs().min(i32::MAX.unsigned_abs().into()));
        self
    }
}

impl Default for Auth {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Debug for Auth {
    /// Without the account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

//! The account of an emulator.

use std::fmt;
use std::time::Duration;

/// Turns on logins for an emulator: a single account whose tokens all calls need.
///
/// The account is `api` with the password `api` unless you set another one with [`account`](Self::account).
/// Tokens are issued by `POST /oauth/token` as in the cloud, and by `POST /GetTokens` as On-Prem
/// ([facts](crate::facts#cloud-login)).
#[derive(Clone, PartialEq, Eq)]
pub struct Auth {
    pub(super) username: String,
    pub(super) password: String,
    pub(super) expires_in: Duration,
}

impl Auth {
    /// Creates the account `api` with the password `api`, and tokens that are valid for an hour.
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

    /// Sets the lifetime of access tokens: an hour by default, as in the cloud. Whole seconds, at most the
    /// maximum of `expires_in` (68 years).
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
    /// Omits the account.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Auth").field("expires_in", &self.expires_in).finish_non_exhaustive()
    }
}

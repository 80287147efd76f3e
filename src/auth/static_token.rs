//! A fixed token.

use super::{AccessToken, Credentials};
use crate::error::Error;
use crate::timer::BoxFuture;

/// Credentials with a fixed token, which something else must keep valid.
#[derive(Clone, Debug)]
pub struct StaticToken(AccessToken);

impl StaticToken {
    /// Creates credentials with this token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(AccessToken::new(token))
    }
}

impl From<AccessToken> for StaticToken {
    fn from(token: AccessToken) -> Self {
        Self(token)
    }
}

impl Credentials for StaticToken {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    /// There is no other token, so the refused call fails.
    fn invalidate(&self, _token: &AccessToken) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }

    /// Fails if the token cannot be sent.
    fn check(&self) -> Result<(), Error> {
        self.0.to_header().map(drop)
    }
}

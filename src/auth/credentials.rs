//! Where access tokens come from.

use std::fmt::Debug;
use std::sync::Arc;

use super::AccessToken;
use crate::error::Error;
use crate::pointers::for_pointers;
use crate::timer::BoxFuture;

/// Provides access tokens. You can implement it for your own source of tokens.
pub trait Credentials: Debug + Send + Sync + 'static {
    /// Returns a token that should be valid now. Called for each attempt, within the deadline of the call.
    ///
    /// # Errors
    ///
    /// Fails if there is no token; create the error from a [`tonic::Status`]. Nothing is sent. If the error
    /// [is retryable](Error::is_retryable), the call asks again according to its
    /// [`RetryPolicy`](crate::RetryPolicy); otherwise it fails with this error.
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>>;

    /// Reports that the service refused this token although [`token`](Self::token) still returns it: it must
    /// not return it again. If `token` then returns another one, the call is repeated once. A call does this
    /// at most once. If `token` already returns another token when the service refuses one, the call is
    /// repeated with it without calling this method, also at most once.
    fn invalidate(&self, token: &AccessToken) -> BoxFuture<'_, ()>;

    /// Called when a client is created.
    ///
    /// # Errors
    ///
    /// Fails if it is certain already that there will be no token. By default, nothing is.
    fn check(&self) -> Result<(), Error> {
        Ok(())
    }
}

for_pointers! {
    Credentials:
    token['a]() -> BoxFuture<'a, Result<AccessToken, Error>>;
    invalidate['a](token: &AccessToken) -> BoxFuture<'a, ()>;
    check() -> Result<(), Error>;
}

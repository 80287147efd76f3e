//! Who the caller is: access tokens and where they come from.
//!
//! Every call asks its [`Credentials`] for a token, so a token that was renewed heals the next attempt.
//! [`TokenCache`] keeps one token for all clones of a client, renews it ahead of its expiry, and asks
//! the login once however many calls wait for it.

#[cfg(feature = "rest")]
mod cloud;
#[cfg(feature = "rest")]
mod login;
#[cfg(feature = "rest")]
mod on_prem;
mod token;
mod token_cache;

use std::fmt::Debug;

#[cfg(feature = "rest")]
pub(crate) use cloud::CloudLogin;
#[cfg(feature = "rest")]
pub(crate) use login::Account;
#[cfg(feature = "rest")]
pub(crate) use on_prem::OnPremLogin;
pub use token::{AccessToken, StaticToken};
pub use token_cache::{TokenCache, TokenProvider, Tokens};

use crate::error::Error;
pub use crate::timer::BoxFuture;

/// Where access tokens come from. A service may bring its own.
pub trait Credentials: Debug + Send + Sync + 'static {
    /// A token that should be valid now. Called for each attempt, under the deadline of the call.
    ///
    /// # Errors
    ///
    /// If there is none; made of a [`tonic::Status`]. Nothing is sent. The call asks again, by its
    /// [`RetryPolicy`](crate::RetryPolicy), if the error [is retryable](Error::is_retryable), and else
    /// fails with it.
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>>;

    /// The service has refused this token, and [`token`](Self::token), asked again, still gives it: from now on it
    /// must not. If it then gives another one, the call is made once more. A call does this once; a token that
    /// is another already when the service refuses the one before is used without it, once as well.
    fn invalidate(&self, token: &AccessToken) -> BoxFuture<'_, ()>;
}

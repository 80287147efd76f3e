//! Credentials: access tokens and how to get them.
//!
//! Every attempt asks the [`Credentials`] for a token, so a retry uses a renewed token. [`TokenCache`] shares
//! one token among all clones of a client, renews it before it expires, and logs in once no matter how many
//! calls are waiting.

#[cfg(feature = "rest")]
mod cloud;
mod credentials;
#[cfg(feature = "rest")]
mod login;
#[cfg(feature = "rest")]
mod on_prem;
mod static_token;
mod token;
mod token_cache;

#[cfg(feature = "rest")]
pub(crate) use cloud::CloudLogin;
pub use credentials::Credentials;
#[cfg(feature = "rest")]
pub(crate) use login::Account;
#[cfg(feature = "rest")]
pub(crate) use on_prem::OnPremLogin;
pub use static_token::StaticToken;
pub use token::AccessToken;
pub use token_cache::{TokenCache, TokenProvider, Tokens};

pub use crate::timer::BoxFuture;

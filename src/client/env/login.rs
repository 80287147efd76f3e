//! A login.

#[cfg(feature = "rest")]
use secrecy::ExposeSecret;
use secrecy::SecretString;

use super::provided_token::{ProvidedToken, TokenSource};
use crate::auth::{AccessToken, StaticToken};
use crate::client::ClientBuilder;

/// A user with a password, or a token.
pub(super) enum Login {
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    Password { username: String, password: SecretString },
    Token {
        token: AccessToken,
        /// Where another one may be later.
        source: Option<TokenSource>,
    },
}

impl Login {
    pub(super) fn give(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Token { token, source: None } => builder.credentials(StaticToken::from(token)),
            Self::Token { token, source: Some(source) } => {
                builder.credentials(ProvidedToken::new(token, source))
            }
            #[cfg(feature = "rest")]
            Self::Password { username, password } => {
                builder.login(username, password.expose_secret())
            }
            // Refused when it was read.
            #[cfg(not(feature = "rest"))]
            Self::Password { .. } => builder,
        }
    }
}

/// Returns a token that can be sent. The error omits it.
pub(super) fn token(text: String) -> Result<AccessToken, &'static str> {
    let token = AccessToken::new(text);
    let problem = "expected a token of visible ASCII without spaces and line breaks";
    if token.is_sendable() { Ok(token) } else { Err(problem) }
}

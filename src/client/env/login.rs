//! A login.

use secrecy::{ExposeSecret, SecretString};

use crate::auth::StaticToken;
use crate::client::ClientBuilder;

/// A user with a password, or a token.
#[derive(Debug)]
pub(super) enum Login {
    #[cfg_attr(not(feature = "rest"), allow(dead_code))]
    Password {
        username: String,
        password: SecretString,
    },
    Token(SecretString),
}

impl Login {
    pub(super) fn give(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Token(token) => builder.credentials(StaticToken::new(token.expose_secret())),
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

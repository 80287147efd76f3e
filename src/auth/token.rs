//! An access token.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::{BoxFuture, Credentials};
use crate::error::Error;

/// A bearer token. It is never shown: not by `Debug`, not in an error.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// A token from its text.
    pub fn new(token: impl Into<String>) -> Self {
        Self(SecretString::from(token.into()))
    }

    /// The value of the header `authorization`.
    pub(crate) fn to_header(&self) -> Result<http::HeaderValue, Error> {
        let mut value = http::HeaderValue::try_from(format!("Bearer {}", self.0.expose_secret()))
            .map_err(|_| {
            Error::config("the access token has characters that no header can hold")
        })?;
        value.set_sensitive(true);
        Ok(value)
    }

    /// Whether both are the same token.
    pub(crate) fn is_same(&self, other: &Self) -> bool {
        self.0.expose_secret() == other.0.expose_secret()
    }
}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([redacted])")
    }
}

/// One token that somebody else keeps valid.
#[derive(Clone, Debug)]
pub struct StaticToken(AccessToken);

impl StaticToken {
    /// Credentials of this token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(AccessToken::new(token))
    }
}

impl Credentials for StaticToken {
    fn token(&self) -> BoxFuture<'_, Result<AccessToken, Error>> {
        Box::pin(async { Ok(self.0.clone()) })
    }

    /// There is no other token, so a call that was refused fails.
    fn invalidate(&self, _token: &AccessToken) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

//! An access token.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

/// A bearer token. `Debug` and errors never show it.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// Creates a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(SecretString::from(token.into()))
    }

    /// Returns the value of the header `authorization`.
    pub(crate) fn to_header(&self) -> Result<http::HeaderValue, Error> {
        let mut value = http::HeaderValue::try_from(format!("Bearer {}", self.0.expose_secret()))
            .map_err(|_| {
            Error::config("the access token contains characters that are not allowed in a header")
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

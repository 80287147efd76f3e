//! An access token.

use std::fmt;

use http::HeaderValue;
use secrecy::{ExposeSecret, SecretString};

use crate::error::Error;

/// What is wrong with a token that cannot be sent.
pub(super) const NOT_SENDABLE: &str =
    "the access token is empty, or contains characters that are not allowed in a header";

/// A bearer token. `Debug` and errors never show it. The time that `==` takes depends on the lengths alone.
#[derive(Clone)]
pub struct AccessToken(SecretString);

impl AccessToken {
    /// Creates a token.
    pub fn new(token: impl Into<String>) -> Self {
        Self(SecretString::from(token.into()))
    }

    /// Whether it can be sent in a header.
    pub(crate) fn is_sendable(&self) -> bool {
        let token = self.0.expose_secret();
        // To the end: that needs no branch, each call does it, and tokens are long.
        let is_graphic =
            token.bytes().fold(true, |is_graphic, byte| is_graphic & byte.is_ascii_graphic());
        is_graphic && !token.is_empty()
    }

    /// Returns the value of the header `authorization`.
    pub(crate) fn to_header(&self) -> Result<HeaderValue, Error> {
        let token = self.is_sendable().then(|| self.0.expose_secret());
        let value = token.and_then(|token| HeaderValue::try_from(format!("Bearer {token}")).ok());
        let mut value = value.ok_or_else(|| Error::config(NOT_SENDABLE))?;
        value.set_sensitive(true);
        Ok(value)
    }
}

impl PartialEq for AccessToken {
    fn eq(&self, other: &Self) -> bool {
        let (one, other) = (self.0.expose_secret().as_bytes(), other.0.expose_secret().as_bytes());
        let difference = one.iter().zip(other).fold(0, |all, (a, b)| all | (a ^ b));
        // The compiler must not find out that one difference is enough.
        one.len() == other.len() && std::hint::black_box(difference) == 0
    }
}

impl Eq for AccessToken {}

impl fmt::Debug for AccessToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("AccessToken([redacted])")
    }
}

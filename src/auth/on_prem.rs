//! The login of ESET PROTECT On-Prem (`facts.md` 2.2).

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::login::read;
use super::{BoxFuture, TokenProvider, Tokens};
use crate::error::Error;
use crate::transport::http::HttpClient;

/// Logs in with a password at `/GetTokens`. No refresh is known of On-Prem servers, so it logs in
/// again.
pub struct OnPremLogin {
    http: HttpClient,
    url: http::Uri,
    username: String,
    password: SecretString,
}

impl OnPremLogin {
    pub(crate) fn new(
        http: HttpClient,
        url: http::Uri,
        username: String,
        password: SecretString,
    ) -> Self {
        Self { http, url, username, password }
    }
}

impl TokenProvider for OnPremLogin {
    fn fetch(&self, _previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>> {
        Box::pin(async move {
            let body = serde_json::json!({
                "username": self.username,
                "password": self.password.expose_secret(),
                "grant_type": 0,
            });
            let request = http::Request::post(self.url.clone())
                .header(http::header::CONTENT_TYPE, "application/json")
                .header(http::header::ACCEPT, "application/json")
                .body(body.to_string().into())
                .map_err(|error| Error::config(format!("the login: {error}")))?;
            read(&self.http.send_pending(request, None).await?)
        })
    }
}

impl fmt::Debug for OnPremLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("OnPremLogin")
            .field("url", &self.url)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

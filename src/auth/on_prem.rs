//! The login of ESET PROTECT On-Prem (`facts.md` 2.2).

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::cloud::refused;
use super::{AccessToken, BoxFuture, TokenProvider, Tokens};
use crate::error::Error;
use crate::transport::http::{HttpClient, HttpResponse};
use crate::transport::rest::error_from;

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
            read(&self.http.send_pending(request).await?)
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

/// Only `accessToken` is documented; clients have seen `expiresIn`, and a message in ProtoJSON may have
/// either spelling.
#[derive(Deserialize)]
struct Answer {
    #[serde(alias = "access_token")]
    #[serde(rename = "accessToken")]
    access: String,
    #[serde(alias = "expires_in", rename = "expiresIn", default)]
    expires_in: Option<serde_json::Value>,
}

fn read(response: &HttpResponse) -> Result<Tokens, Error> {
    if response.status != http::StatusCode::OK {
        return Err(refused(error_from(response)));
    }
    // The cause is not shown: it may quote the answer, which is a secret.
    let answer: Answer = serde_json::from_slice(&response.body)
        .map_err(|_| Error::protocol("the answer of GetTokens has no accessToken"))?;
    let expires_in = match answer.expires_in {
        Some(serde_json::Value::Number(number)) => number.as_u64(),
        Some(serde_json::Value::String(text)) => text.parse().ok(),
        _ => None,
    };
    let expires_in = Duration::from_secs(expires_in.unwrap_or(3600));
    Ok(Tokens { access: AccessToken::new(answer.access), refresh: None, expires_in })
}

//! The login of ESET Connect (`facts.md` 2.1).

use std::fmt;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;

use super::{AccessToken, BoxFuture, TokenProvider, Tokens};
use crate::error::Error;
use crate::transport::http::{HttpClient, HttpResponse};
use crate::transport::rest::error_from;

/// Logs in with the password of an API user at `/oauth/token`, and renews with the refresh token, which
/// the service rotates each time. A refresh that is refused falls back to the password.
pub struct CloudLogin {
    http: HttpClient,
    url: http::Uri,
    username: String,
    password: SecretString,
}

impl CloudLogin {
    pub(crate) fn new(
        http: HttpClient,
        url: http::Uri,
        username: String,
        password: SecretString,
    ) -> Self {
        Self { http, url, username, password }
    }

    async fn grant(&self, form: &[(&str, &str)]) -> Result<Tokens, Error> {
        let body = crate::transcode::form(form);
        let request = http::Request::post(self.url.clone())
            .header(http::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .header(http::header::ACCEPT, "application/json")
            .body(body.into())
            .map_err(|error| Error::config(format!("the token endpoint: {error}")))?;
        let response = self.http.send_pending(request).await?;
        read(&response)
    }
}

impl TokenProvider for CloudLogin {
    fn fetch(&self, previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>> {
        Box::pin(async move {
            if let Some(refresh) = previous.and_then(|tokens| tokens.refresh) {
                let token = refresh.expose_secret();
                let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
                match self.grant(&form).await {
                    // The refresh token is used up or too old; the password is not.
                    Err(error) if error.is_unauthenticated() || error.is_invalid_argument() => {}
                    result => return result,
                }
            }
            let password = self.password.expose_secret();
            let form = [
                ("grant_type", "password"),
                ("username", self.username.as_str()),
                ("password", password),
            ];
            self.grant(&form).await.map_err(refused)
        })
    }
}

/// A login that is refused as a bad request is a refused login.
pub(super) fn refused(error: Error) -> Error {
    if error.is_invalid_argument() || error.is_permission_denied() || error.is_unauthenticated() {
        return error.into_refused_login();
    }
    error
}

impl fmt::Debug for CloudLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudLogin")
            .field("url", &self.url)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

#[derive(Deserialize)]
struct Answer {
    access_token: String,
    #[serde(default)]
    refresh_token: String,
    #[serde(default = "hour")]
    expires_in: u32,
}

fn hour() -> u32 {
    3600
}

fn read(response: &HttpResponse) -> Result<Tokens, Error> {
    if response.status != http::StatusCode::OK {
        return Err(error_from(response));
    }
    // The cause is not shown: it may quote the answer, which is a secret.
    let answer: Answer = serde_json::from_slice(&response.body)
        .map_err(|_| Error::protocol("the token endpoint's answer has no access_token"))?;
    let refresh = (!answer.refresh_token.is_empty()).then(|| answer.refresh_token.into());
    let expires_in = Duration::from_secs(answer.expires_in.into());
    Ok(Tokens { access: AccessToken::new(answer.access_token), refresh, expires_in })
}

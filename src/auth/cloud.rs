//! The login of ESET Connect (`facts.md` 2.1).

use std::fmt;

use secrecy::{ExposeSecret, SecretString};

use super::login::{is_refused, read};
use super::{BoxFuture, TokenProvider, Tokens};
use crate::error::Error;
use crate::transport::http::HttpClient;

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
        read(&self.http.send_pending(request, None).await?)
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
                    Err(error) if is_refused(&error) => {}
                    result => return result,
                }
            }
            let password = self.password.expose_secret();
            let form = [
                ("grant_type", "password"),
                ("username", self.username.as_str()),
                ("password", password),
            ];
            self.grant(&form).await
        })
    }
}

impl fmt::Debug for CloudLogin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("CloudLogin")
            .field("url", &self.url)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

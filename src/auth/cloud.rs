//! The login of ESET Connect ([facts](crate::facts#cloud-login)).

use secrecy::{ExposeSecret, SecretString};

use super::login::Account;
use super::{TokenProvider, Tokens};
use crate::error::Error;
use crate::timer::BoxFuture;

/// Logs in with the password of an API user at `/oauth/token` and renews with the refresh token, which the
/// service replaces each time. If a refresh is refused, logs in with the password.
#[derive(Debug)]
pub(crate) struct CloudLogin(Account);

impl CloudLogin {
    pub(crate) fn new(account: Account) -> Self {
        Self(account)
    }

    async fn grant(
        &self,
        form: &[(&str, &str)],
        refresh: Option<&SecretString>,
    ) -> Result<Tokens, Error> {
        let body = crate::transcode::form(form);
        self.0.ask("application/x-www-form-urlencoded", body.into(), refresh).await
    }
}

impl TokenProvider for CloudLogin {
    fn fetch(&self, previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>> {
        Box::pin(async move {
            let refresh = previous.and_then(|tokens| tokens.refresh);
            if let Some(refresh) = &refresh {
                let token = refresh.expose_secret();
                let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
                match self.grant(&form, Some(refresh)).await {
                    // The refresh token was used or expired; fall back to the password.
                    Err(error) if error.is_unauthenticated() => {}
                    result => return result,
                }
            }
            let username = self.0.username.as_str();
            let password = self.0.password();
            let form = [("grant_type", "password"), ("username", username), ("password", password)];
            self.grant(&form, refresh.as_ref()).await
        })
    }
}

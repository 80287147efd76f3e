//! The login of ESET Connect ([facts](crate::facts#cloud-login)).

use std::sync::{Mutex, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use super::login::Account;
use super::{TokenProvider, Tokens};
use crate::error::{Error, ErrorKind};
use crate::timer::BoxFuture;

/// Logs in with the password of an API user at `/oauth/token` and renews with the refresh token, which the
/// service replaces each time.
///
/// | a refresh | the password |
/// |---|---|
/// | fails in a way that may pass: no connection, a timeout, 408, 429, 502, 503, 504 | is for the next login, after the pause of the cache |
/// | fails in any other way: the service does not take the token, or does not refresh | is tried at once |
/// | is abandoned, because no call waits for it any more | is for the next login |
///
/// A refresh token is sent again only if it brought tokens: otherwise the service may have used it up.
#[derive(Debug)]
pub(crate) struct CloudLogin {
    account: Account,
    /// The refresh token that was sent last, unless it brought tokens.
    spent: Mutex<Option<SecretString>>,
}

impl CloudLogin {
    pub(crate) fn new(account: Account) -> Self {
        Self { account, spent: Mutex::default() }
    }

    async fn grant(
        &self,
        form: &[(&str, &str)],
        refresh: Option<&SecretString>,
    ) -> Result<Tokens, Error> {
        let body = crate::transcode::form(form);
        self.account.ask("application/x-www-form-urlencoded", body.into(), refresh).await
    }

    /// Renews with a refresh token; `None` if only the password can help.
    async fn renew(&self, refresh: &SecretString) -> Option<Result<Tokens, Error>> {
        let token = refresh.expose_secret();
        let sent = self.spend(Some(refresh.clone()));
        if sent.is_some_and(|sent| sent.expose_secret() == token) {
            return None;
        }
        let form = [("grant_type", "refresh_token"), ("refresh_token", token)];
        let result = self.grant(&form, Some(refresh)).await;
        if result.is_ok() {
            self.spend(None);
        }
        let is_final = result.as_ref().map_or_else(may_pass, |_| true);
        is_final.then_some(result)
    }

    fn spend(&self, refresh: Option<SecretString>) -> Option<SecretString> {
        let mut spent = self.spent.lock().unwrap_or_else(PoisonError::into_inner);
        std::mem::replace(&mut *spent, refresh)
    }
}

/// Whether the login is out of reach or overloaded, for the password as for the refresh token.
fn may_pass(error: &Error) -> bool {
    error.is_retryable() || error.kind() == ErrorKind::Connect || error.is_deadline_exceeded()
}

impl TokenProvider for CloudLogin {
    fn fetch(&self, previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>> {
        Box::pin(async move {
            let refresh = previous.and_then(|tokens| tokens.refresh);
            if let Some(refresh) = &refresh
                && let Some(result) = self.renew(refresh).await
            {
                return result;
            }
            let username = self.account.username.as_str();
            let password = self.account.password();
            let form = [("grant_type", "password"), ("username", username), ("password", password)];
            self.grant(&form, refresh.as_ref()).await
        })
    }
}

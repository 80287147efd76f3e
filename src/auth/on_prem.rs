//! The login of ESET PROTECT On-Prem ([facts](crate::facts#on-prem-login)).

use super::login::Account;
use super::{TokenProvider, Tokens};
use crate::error::Error;
use crate::timer::BoxFuture;

/// Logs in with a password at `/GetTokens`. On-Prem servers are not known to support refresh, so it logs in
/// again to renew.
#[derive(Debug)]
pub(crate) struct OnPremLogin(pub(crate) Account);

impl TokenProvider for OnPremLogin {
    fn fetch(&self, _previous: Option<Tokens>) -> BoxFuture<'_, Result<Tokens, Error>> {
        Box::pin(async move {
            let body = serde_json::json!({
                "username": self.0.username,
                "password": self.0.password(),
                "grant_type": 0,
            });
            self.0.ask("application/json", body.to_string().into(), None).await
        })
    }
}

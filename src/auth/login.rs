//! What both logins have in common: the account, and how their answers are read.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::HeaderMap;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue, USER_AGENT};
use secrecy::{ExposeSecret, SecretString};
use serde_json::{Map, Value};
use tonic::Code;

use super::{AccessToken, Tokens};
use crate::error::{Error, Secrets};
use crate::timer::Timer;
use crate::transport::http::{HttpClient, HttpResponse};
use crate::transport::rest::error_from;
use crate::transport::{self, Exchange};

/// Both services give a token for an hour, and one of them does not document that it says so.
const USUAL_LIFE: Duration = Duration::from_secs(3600);

/// So many refresh tokens are remembered.
const REMEMBERED: usize = 8;

/// Who logs in, and where.
pub(crate) struct Account {
    pub(crate) http: HttpClient,
    pub(crate) url: http::Uri,
    pub(crate) username: String,
    pub(crate) password: SecretString,
    pub(crate) timer: Arc<dyn Timer>,
    /// The refresh tokens that were sent last. A service may quote one later.
    pub(crate) sent: Mutex<VecDeque<SecretString>>,
    /// What travels with every request, as with every call.
    pub(crate) headers: HeaderMap,
}

impl Account {
    /// Never in a log.
    pub(super) fn password(&self) -> &str {
        self.password.expose_secret()
    }

    /// Asks for tokens.
    pub(super) async fn ask(
        &self,
        media_type: &str,
        body: Bytes,
        refresh: Option<&SecretString>,
    ) -> Result<Tokens, Error> {
        let mut request = http::Request::post(self.url.clone())
            .header(CONTENT_TYPE, media_type)
            .header(ACCEPT, "application/json")
            .body(body)
            .map_err(|error| Error::config(format!("the login: {error}")))?;
        let headers = request.headers_mut();
        // Whoever stands in front of it may want to know who asks.
        headers.insert(USER_AGENT, HeaderValue::from_static(transport::USER_AGENT));
        headers.extend(self.headers.clone());
        // The deadline is that of the call, which drops this when it passes.
        // An answer that quotes them does so without them.
        let exchange = Exchange::new(self.timer.clone(), self.secrets(refresh));
        read(&self.http.send_pending(request, None, &exchange).await?)
    }
}

impl Account {
    /// What an answer must not quote, when this refresh token is sent.
    fn secrets(&self, refresh: Option<&SecretString>) -> Secrets {
        let mut sent = self.sent.lock().unwrap_or_else(PoisonError::into_inner);
        sent.extend(refresh.cloned());
        while sent.len() > REMEMBERED {
            sent.pop_front();
        }
        let pair = format!("{}:{}", self.username, self.password());
        let tokens = sent.iter().map(|token| token.expose_secret().to_owned());
        Secrets::new(tokens.chain([self.password().to_owned(), pair]))
    }
}

impl fmt::Debug for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Account")
            .field("url", &self.url)
            .field("username", &self.username)
            .finish_non_exhaustive()
    }
}

/// Reads an answer, in either spelling of its members ([facts](crate::facts#on-prem-login)).
fn read(response: &HttpResponse) -> Result<Tokens, Error> {
    if response.status != http::StatusCode::OK {
        return Err(refusal(response));
    }
    // The cause is not shown: it may quote the answer, which is a secret.
    let answer: Map<String, Value> = serde_json::from_slice(&response.body)
        .map_err(|_| Error::protocol("the login: the answer is not a JSON object"))?;
    let text = |names: [&str; 2]| {
        let mut found = names.iter().filter_map(|name| answer.get(*name)?.as_str());
        found.find(|text| !text.is_empty())
    };
    let access = text(["access_token", "accessToken"])
        .ok_or_else(|| Error::protocol("the login: the answer has no access token"))?;
    let refresh = text(["refresh_token", "refreshToken"]).map(SecretString::from);
    let life = ["expires_in", "expiresIn"].iter().find_map(|name| seconds(answer.get(*name)?));
    let expires_in = life.unwrap_or(USUAL_LIFE);
    Ok(Tokens { access: AccessToken::new(access), refresh, expires_in })
}

/// A number of seconds, also in a string. Nonsense is as good as nothing.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// Whether the service did not accept what it was given, rather than failed to look at it. It says so
/// with more than one status ([facts](crate::facts#cloud-login), [facts](crate::facts#errors)).
fn is_refused(error: &Error) -> bool {
    matches!(error.http_status(), Some(status @ 400..=499) if !matches!(status, 408 | 429))
}

/// Whether it was not the login that refused but who stands in front of it: a login says why, in JSON (RFC
/// 6749, 5.2), and never with this status; a firewall says it with a page.
fn is_by_another(response: &HttpResponse) -> bool {
    response.status == http::StatusCode::FORBIDDEN
        && serde_json::from_slice::<Map<String, Value>>(&response.body).is_err()
}

fn refusal(response: &HttpResponse) -> Error {
    let error = error_from(response);
    let code = error.code();
    if is_by_another(response) {
        let what = "something in front of the login, such as a firewall, refused the request";
        error.of_login(Code::PermissionDenied, what)
    } else if is_refused(&error) {
        error.of_login(Code::Unauthenticated, "the login was refused")
    } else {
        error.of_login(code, "the login failed")
    }
}

//! Code shared by both logins: the account, and parsing of responses.

use std::collections::VecDeque;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::header::{ACCEPT, CONTENT_TYPE, HeaderValue};
use http::{HeaderMap, Method, Request};
use secrecy::{ExposeSecret, SecretString};
use serde_json::Value;
use tonic::Code;
use tracing::Instrument;

use super::{AccessToken, Tokens};
use crate::error::{Error, Secrets};
use crate::pending::{PendingPolicy, Polls, of_poll};
use crate::telemetry::{self, Attempt, Sending};
use crate::timer::Timer;
use crate::transport::http::{HttpClient, HttpResponse, RESPONSE_ID};
use crate::transport::rest::{Members, error_from, error_told};
use crate::transport::{metadata, retry_after};
use crate::wkt::TypeRegistry;

/// Both services issue tokens for an hour, but one of them does not document a member that says so.
const USUAL_LIFE: Duration = Duration::from_secs(3600);

/// The number of refresh tokens to remember.
const REMEMBERED: usize = 8;

/// The account and the URL of the login.
pub(crate) struct Account {
    pub(crate) http: HttpClient,
    pub(crate) url: http::Uri,
    pub(crate) username: String,
    pub(crate) password: SecretString,
    pub(crate) timer: Arc<dyn Timer>,
    pub(crate) pending: PendingPolicy,
    /// The most recently sent refresh tokens, which a service may quote later.
    pub(crate) sent: Mutex<VecDeque<SecretString>>,
    /// The headers of every request: those of all calls, and the user agent.
    pub(crate) headers: HeaderMap,
}

impl Account {
    /// Returns the password, which must never be logged.
    pub(super) fn password(&self) -> &str {
        self.password.expose_secret()
    }

    /// Requests tokens.
    pub(super) async fn ask(
        &self,
        media_type: &'static str,
        body: Bytes,
        refresh: Option<&SecretString>,
    ) -> Result<Tokens, Error> {
        let mut headers = self.headers.clone();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
        // A response that quotes the secrets must not show them.
        let secrets = self.secrets(refresh);
        let mut polls = Polls::new(self.pending, self.timer.now());
        // The call drops this future at its deadline.
        loop {
            let response = self.send(&mut headers, &body, &secrets, polls.count).await?;
            let Some(id) = response.pending_id()? else {
                let tokens = read(&response, headers.get(RESPONSE_ID));
                return tokens.map_err(|error| error.redacted(&secrets));
            };
            let received = metadata(response.headers.clone());
            let asked = retry_after(received.as_ref(), self.timer.system_time());
            let pause = polls
                .next(self.timer.now(), asked)
                .map_err(|error| error.with_answer(response.status, &response.headers))?;
            telemetry::pending(None, polls.count, pause);
            headers.insert(RESPONSE_ID, id);
            self.timer.sleep(pause).await;
        }
    }

    /// Makes one attempt: sends the request, or polls its pending response.
    async fn send(
        &self,
        headers: &mut HeaderMap,
        body: &Bytes,
        secrets: &Secrets,
        polls: u32,
    ) -> Result<HttpResponse, Error> {
        let address = || Some((Method::POST, self.url.clone()));
        let attempt = Attempt::http(Sending::default(), polls, address);
        // A poll repeats the request, with the same context.
        if polls == 0 {
            attempt.inject(headers);
        }
        let mut request = Request::new(body.clone());
        *request.method_mut() = Method::POST;
        *request.uri_mut() = self.url.clone();
        *request.headers_mut() = headers.clone();
        let sent = self.http.send(request, || secrets.clone()).instrument(attempt.span());
        let result = sent.await;
        attempt.end(result.as_ref().map(|response| (Some(response.status), &response.headers)));
        result.map_err(|error| {
            let code = error.code();
            error.of_login(code, "the login")
        })
    }

    /// Returns the secrets to redact from the response, including this refresh token.
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

/// Parses a response in either spelling of its members ([facts](crate::facts#on-prem-login)).
fn read(response: &HttpResponse, pending_id: Option<&HeaderValue>) -> Result<Tokens, Error> {
    if response.status != http::StatusCode::OK {
        return Err(refusal(response, pending_id));
    }
    // Omits the cause, which may quote the response and therefore a secret.
    let json = response.text();
    let answer = Members::read(&json)
        .ok_or_else(|| Error::protocol("the login: the response is not a JSON object"))?;
    let member = |name: &&str| answer.value(name);
    let text = |names: [&str; 2]| {
        let mut found = names.iter().filter_map(member);
        found.find_map(|value| value.as_str().filter(|text| !text.is_empty()).map(str::to_owned))
    };
    // RFC 6749, 7.1: no other type of token may be used.
    if text(["token_type", "tokenType"]).is_some_and(|name| !name.eq_ignore_ascii_case("bearer")) {
        return Err(Error::protocol("the login: the access token is not of the type Bearer"));
    }
    let access = text(["access_token", "accessToken"]).ok_or_else(|| no_token(response))?;
    let refresh = text(["refresh_token", "refreshToken"]).map(SecretString::from);
    let life = ["expires_in", "expiresIn"].iter().find_map(|name| seconds(&member(name)?));
    let expires_in = life.unwrap_or(USUAL_LIFE);
    Ok(Tokens { access: AccessToken::new(access), refresh, expires_in })
}

/// Parses a number of seconds, which may be a string. Invalid values count as missing.
fn seconds(value: &Value) -> Option<Duration> {
    let seconds = match value {
        Value::Number(number) => number.as_f64()?,
        Value::String(text) => text.trim().parse().ok()?,
        _ => return None,
    };
    Duration::try_from_secs_f64(seconds).ok()
}

/// Whether the service rejected the credentials, rather than failed to check them. It uses several statuses
/// for that ([facts](crate::facts#cloud-login), [facts](crate::facts#errors)).
fn is_refused(error: &Error) -> bool {
    matches!(error.http_status(), Some(status @ 400..=499) if !matches!(status, 408 | 429))
}

/// Whether something in front of the login refused the request: a login explains a refusal in JSON (RFC 6749,
/// 5.2) and never uses this status, while a firewall returns a page.
fn is_by_another(response: &HttpResponse) -> bool {
    response.status == http::StatusCode::FORBIDDEN && Members::read(&response.text()).is_none()
}

/// Returns the error of a success without a token. RFC 6749, 5.2, has status 400 for an error, but not every server
/// keeps to it.
fn no_token(response: &HttpResponse) -> Error {
    let Some(error) = error_told(response, &TypeRegistry::default()) else {
        return Error::protocol("the login: the response has no access token");
    };
    match error.code() {
        Code::Unknown
        | Code::InvalidArgument
        | Code::NotFound
        | Code::PermissionDenied
        | Code::Unauthenticated => error.of_login(Code::Unauthenticated, "the login was refused"),
        code => error.of_login(code, "the login failed"),
    }
}

fn refusal(response: &HttpResponse, pending_id: Option<&HeaderValue>) -> Error {
    let mut error = of_poll(error_from(response, &TypeRegistry::default()), pending_id);
    // Unlike a call, a login that a gateway gave up can always be repeated.
    if matches!(response.status.as_u16(), 408 | 504) {
        error = error.transient();
    }
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

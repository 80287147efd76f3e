//! The one pipeline that every call goes through, whatever the wire:
//!
//! ```text
//! deadline ─▶ retry loop ─▶ token ─▶ its turn ─▶ one attempt on the transport
//!                 ▲                                          │
//!                 └───────── backoff, another token ◀────────┘
//! ```

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;
use tonic::{Code, Response};
use tracing::Instrument;

use super::pushback::Pushback;
use super::retry_policy::is_safe;
use super::{CallOptions, RetryPolicy};
use crate::Client;
use crate::auth::{AccessToken, Credentials};
use crate::error::{Error, ErrorKind};
use crate::rpc::Rpc;
use crate::telemetry::{self, GivenUp, Sending};
use crate::timer::within;
use crate::transport::{Attempt, Exchange};

/// No call is longer: beyond it clocks overflow and `grpc-timeout` has no form.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// Makes a call.
pub(crate) async fn execute<R: Rpc>(
    client: &Client,
    request: &R::Request,
    options: &CallOptions,
) -> Result<Response<R::Response>, Error> {
    let policy = client.policy();
    let timeout = options.timeout_or(client.timeout()).min(LONGEST);
    let attempt_timeout = options.attempt_timeout_or(policy.attempt_timeout);
    if timeout.is_zero() || attempt_timeout.is_some_and(|time| time.is_zero()) {
        let message = "the call has no time: nothing was sent";
        let error = Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, message);
        return Err(error.unsent().with_spec(R::SPEC));
    }
    let timer = &*policy.timer;
    let server = || client.transport().server(R::SPEC);
    let watched = telemetry::Call::begin(R::SPEC, policy.timer.clone(), server);
    let deadline = timer.now() + timeout;
    let mut run = Run {
        client,
        deadline,
        exchange: Exchange::of_call(
            policy.timer.clone(),
            policy.limit.clone(),
            deadline,
            attempt_timeout,
        ),
        retry: options.retry_or(policy.retry),
        attempts: 0,
        retries: 0,
        refusals: 0,
        is_under_way: false,
        is_sent: Arc::default(),
        may_have_executed: false,
        is_renewed: false,
        is_replaced: false,
        is_resent: false,
        last: None,
    };
    // tonic's own timeout ends with the headers of the answer; this one holds to its end.
    let call = run.call::<R>(request, options).instrument(watched.span());
    let result = match within(timer, timeout, call).await {
        Some(result) => result,
        None => Err(run.expired(timeout)),
    };
    watched.end(&result, run.attempts);
    result.map_err(|error| error.with_spec(R::SPEC).with_attempts(run.attempts))
}

/// A call on its way.
struct Run<'a> {
    client: &'a Client,
    deadline: Instant,
    exchange: Exchange,
    retry: RetryPolicy,
    /// How often the request was sent.
    attempts: u32,
    /// How many of those were retries by the policy that count.
    retries: u32,
    /// How often the rate limit refused the request, which is not counted.
    refusals: u32,
    /// An attempt has begun and not ended.
    is_under_way: bool,
    /// Some of the last attempt can have gone out.
    is_sent: Arc<AtomicBool>,
    /// Some attempt so far may have run.
    may_have_executed: bool,
    /// The service refused a token, and this call had it renewed.
    is_renewed: bool,
    /// The service refused a token that another call had replaced meanwhile.
    is_replaced: bool,
    /// A refused stream was sent again.
    is_resent: bool,
    /// Why the attempt before this one failed.
    last: Option<Error>,
}

/// What follows a failed attempt.
enum Next {
    /// The error is the caller's.
    Fail,
    /// Another attempt at once.
    Again,
    /// Another attempt after so long.
    After(Duration),
}

impl Run<'_> {
    /// Makes attempts until one of them counts.
    async fn call<R: Rpc>(
        &mut self,
        request: &R::Request,
        options: &CallOptions,
    ) -> Result<Response<R::Response>, Error> {
        let mut metadata = self.client.metadata().clone();
        options.add_to(&mut metadata)?;
        // Who gives a call its own token wants that one.
        let is_own = metadata.contains_key(http::header::AUTHORIZATION.as_str());
        let credentials = self.client.credentials().filter(|_| !is_own);
        let mut renewed = None;
        // What a service accepted must not be begun anew, whatever goes wrong between two questions.
        let mut pending_id = None;
        loop {
            let token = match (renewed.take(), credentials) {
                (Some(token), _) => token,
                (None, Some(credentials)) => credentials.token().await.map(Some),
                (None, None) => Ok(None),
            };
            let error = match token {
                // Without a token nothing is sent.
                Err(error) => error.unsent(),
                Ok(token) => {
                    let metadata = with_token(&metadata, token.as_ref());
                    let attempt = Attempt {
                        exchange: self.exchange.clone(),
                        metadata: metadata.map_err(|error| self.blamed(error))?,
                        pending_id: pending_id.take(),
                        is_sent: self.is_sent.clone(),
                    };
                    let error = match self.attempt::<R>(request, attempt).await {
                        Ok(response) => return Ok(response),
                        Err(error) => error,
                    };
                    pending_id = error.pending_id().cloned();
                    if let (Some(credentials), Some(token)) = (credentials, &token)
                        && let Some(other) = self.renew::<R>(credentials, token, &error).await
                    {
                        renewed = Some(other.map(Some));
                        self.last = Some(error);
                        continue;
                    }
                    error
                }
            };
            let pushback = Pushback::of(&error, self.exchange.timer.system_time());
            let error = error.with_retry_after(pushback.wait());
            match self.next::<R>(&error, pushback) {
                Next::Fail => return Err(self.after_last(self.blamed(error))),
                Next::Again => {}
                Next::After(wait) => self.exchange.timer.sleep(wait).await,
            }
            self.last = Some(error);
        }
    }

    async fn attempt<R: Rpc>(
        &mut self,
        request: &R::Request,
        mut attempt: Attempt,
    ) -> Result<Response<R::Response>, Error> {
        self.attempts = self.attempts.saturating_add(1);
        attempt.exchange.sending = Sending::attempt(R::SPEC, self.attempts);
        self.is_under_way = true;
        // In a box, for it would be moved through all that stands around it.
        let sent = Box::pin(self.client.transport().attempt::<R>(request, attempt));
        let result = sent.await;
        self.is_under_way = false;
        telemetry::attempted(R::SPEC, &result);
        match &result {
            Err(error) if error.is_retryable() => {}
            // Its turn would have come too late, or it cannot be sent at all.
            Err(error) if error.is_before_sending() => self.attempts -= 1,
            // It may be wrong, but it works. A broken connection or a passed deadline shows nothing.
            Err(error) if !is_answer(error) => {}
            _ => self.client.policy().throttle.answered(),
        }
        result
    }

    /// Another token, if the service refused this one. It did nothing, or it is only the question for a
    /// pending answer that it refused. A call has a token renewed once; one that another call has replaced
    /// meanwhile is for nothing, once too, so that many calls do not renew in turn for ever.
    async fn renew<R: Rpc>(
        &mut self,
        credentials: &dyn Credentials,
        token: &AccessToken,
        error: &Error,
    ) -> Option<Result<AccessToken, Error>> {
        if !error.is_unauthenticated() || (self.is_renewed && self.is_replaced) {
            return None;
        }
        let is_same = |other: &Result<AccessToken, Error>| {
            other.as_ref().is_ok_and(|other| other.is_same(token))
        };
        let mut other = credentials.token().await;
        if !is_same(&other) && !self.is_replaced {
            self.is_replaced = true;
        } else if self.is_renewed {
            return None;
        } else {
            self.is_renewed = true;
            if is_same(&other) {
                credentials.invalidate(token).await;
                other = credentials.token().await;
            }
        }
        self.may_have_executed |= error.may_have_executed();
        let is_other = !is_same(&other);
        telemetry::token_refused(R::SPEC, is_other && other.is_ok());
        is_other.then_some(other)
    }

    /// What to do after an attempt that failed, or did not come to be for lack of a token.
    fn next<R: Rpc>(&mut self, error: &Error, pushback: Pushback) -> Next {
        self.may_have_executed |= error.may_have_executed();
        if !error.is_retryable() {
            return Next::Fail;
        }
        // A refused stream says nothing about the health of the service.
        if error.is_refused() && error.is_unsent() && !self.is_resent {
            self.is_resent = true;
            telemetry::retry_of_refused(R::SPEC);
            return Next::Again;
        }
        let policy = self.client.policy();
        // A limit that does its work is no sign of a sick service, and the others who use it up are no
        // reason to lose a call.
        let is_limited = error.is_rate_limited();
        let has_tokens = is_limited || policy.throttle.failed();
        let give_up = |why| {
            telemetry::given_up(R::SPEC, error, why);
            Next::Fail
        };
        if !is_safe(R::SPEC, error) {
            return give_up(GivenUp::NotSafe);
        }
        let counted = if is_limited { 0 } else { self.retries };
        if !self.retry.allows(counted.saturating_add(1)) {
            return give_up(GivenUp::Attempts);
        }
        if !has_tokens {
            return give_up(GivenUp::Throttled);
        }
        let count = if is_limited { &mut self.refusals } else { &mut self.retries };
        *count = count.saturating_add(1);
        let backoff = policy.jitter.draw(self.retry.ceiling(*count));
        let wait = match pushback {
            Pushback::None => backoff,
            Pushback::AtLeast(wait) => wait.max(backoff),
            Pushback::Exactly(wait) => wait,
            Pushback::Never => return give_up(GivenUp::Pushback),
        };
        let left = self.deadline.saturating_duration_since(policy.timer.now());
        if wait >= left {
            return give_up(GivenUp::NoTime);
        }
        telemetry::retry(R::SPEC, error, self.attempts, wait, pushback != Pushback::None);
        Next::After(wait)
    }

    /// The error as that of the whole call: what one attempt did, it did.
    fn blamed(&self, error: Error) -> Error {
        if self.may_have_executed { error.with_execution(true) } else { error }
    }

    /// The error of a call whose time is up.
    fn expired(&mut self, timeout: Duration) -> Error {
        let message = format!("no answer within {timeout:?}");
        let error = Error::new(ErrorKind::Deadline, Code::DeadlineExceeded, message);
        let is_out = self.is_under_way && self.is_sent.load(Ordering::SeqCst);
        self.after_last(error.with_execution(self.may_have_executed || is_out))
    }

    /// The error of a call that ran out of time says what it failed with before.
    fn after_last(&mut self, error: Error) -> Error {
        match self.last.take() {
            Some(last) if error.kind() == ErrorKind::Deadline => error.after(last),
            _ => error,
        }
    }
}

/// The service answered, be it with an error.
fn is_answer(error: &Error) -> bool {
    matches!(error.kind(), ErrorKind::Status | ErrorKind::Limit) && !error.is_deadline_exceeded()
}

fn with_token(metadata: &MetadataMap, token: Option<&AccessToken>) -> Result<MetadataMap, Error> {
    let Some(token) = token else { return Ok(metadata.clone()) };
    let mut headers = metadata.clone().into_headers();
    headers.insert(http::header::AUTHORIZATION, token.to_header()?);
    Ok(MetadataMap::from_headers(headers))
}

//! The loop for every call, whatever the RPC and the wire:
//!
//! ```text
//! deadline ─▶ token ─▶ attempt: permit ─▶ one request on the transport
//!               ▲         ▲                          │
//!               │         └── 202: pause, poll ◀─────┤
//!               └──────── backoff, another token ◀───┘
//! ```

use std::mem;
use std::pin::pin;
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue};
use tonic::metadata::MetadataMap;
use tracing::Instrument;

use super::CallOptions;
use super::bounds::{Bounds, NextRequest};
use super::call_state::{CallState, Next};
use super::context::CallContext;
use super::deployed::is_missing;
use super::pushback::Pushback;
use crate::auth::{AccessToken, Credentials};
use crate::error::{Error, ErrorKind};
use crate::headers::is_of_protocol;
use crate::pending::Polls;
use crate::rpc::MethodSpec;
use crate::telemetry;
use crate::timer::{BoxFuture, within};
use crate::transport::{Messages, Outgoing, Reply, retry_after};

/// The longest call: beyond it clocks overflow and `grpc-timeout` has no form.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

/// A server's `DEADLINE_EXCEEDED` counts as the call's own deadline if no more time than this is left: the clocks of
/// the client and the server are not more precise.
const LEAD: Duration = Duration::from_millis(50);

/// Whether the service itself reports an expired deadline.
fn is_of_service(error: &Error) -> bool {
    error.kind() == ErrorKind::Status && error.is_deadline_exceeded()
}

/// Returns the reply of a delete that finds nothing any more, after an attempt whose response was lost. A page or text
/// with the status 404 is that of a proxy.
fn deleted_before(error: Error, outgoing: &Outgoing<'_>) -> Result<Reply, Error> {
    let is_of_service = error.kind() == ErrorKind::Status && !error.is_foreign();
    let is_gone = error.is_not_found() && is_of_service && error.may_have_executed();
    if !(outgoing.spec().is_delete && is_gone) {
        return Err(error);
    }
    let reply = Reply::protobuf(Bytes::new()).with_metadata(error.metadata().clone());
    outgoing.decode(&reply).map(|()| reply)
}

/// Makes a call: decodes the response into `messages` and returns the reply. Boxed, so that it is compiled
/// once rather than for every RPC.
pub(super) fn execute<'a>(
    context: &'a CallContext,
    spec: &'static MethodSpec,
    messages: &'a dyn Messages,
    options: &'a CallOptions,
) -> BoxFuture<'a, Result<Reply, Error>> {
    Box::pin(call(context, spec, messages, options))
}

/// Makes a call, as [`execute`] does.
pub(super) async fn call(
    context: &CallContext,
    spec: &'static MethodSpec,
    messages: &dyn Messages,
    options: &CallOptions,
) -> Result<Reply, Error> {
    let policy = &context.policy;
    let timeout = options.timeout_or(context.timeout).min(LONGEST);
    let attempt_timeout = options.attempt_timeout.or(policy.attempt_timeout);
    if timeout.is_zero() || attempt_timeout.is_some_and(|time| time.is_zero()) {
        let message = "the timeout is zero, nothing was sent";
        let error = Error::deadline(message);
        return Err(error.unsent().with_spec(spec));
    }
    let outgoing = Outgoing::new(spec, messages);
    context.deployed.prepare(&outgoing).map_err(|error| error.with_spec(spec))?;
    let timer = &*policy.timer;
    let started = timer.now();
    let watched =
        telemetry::Call::begin(spec, timer, started, || context.links.likely().server(spec));
    let bounds = Bounds {
        timer: policy.timer.clone(),
        limit: options.limit_or(&policy.limit),
        deadline: started + timeout,
        timeout: attempt_timeout,
        flow: options.flow_name(),
    };
    let state =
        CallState::new(spec, policy, options.retry.unwrap_or(policy.retry), bounds.deadline);
    let (bounds, outgoing) = (&bounds, &outgoing);
    let mut running = Running { context, bounds, outgoing, state, pending_id: None };
    // tonic's own timeout ends with the response headers; this one covers the whole response.
    let result = {
        // Pinned first, because a future is copied whenever it is wrapped.
        let run = pin!(running.run(options));
        within(timer, timeout, run.instrument(watched.span())).await
    };
    // The server knows the deadline from `grpc-timeout`, and may be the first to report that it passed.
    let is_ours =
        |result: &Result<_, _>| result.as_ref().is_err_and(is_of_service) && bounds.left() < LEAD;
    let result = result.filter(|result| !is_ours(result));
    let result = result.unwrap_or_else(|| Err(running.state.expired(timeout, outgoing.has_head())));
    let result = result.or_else(|error| deleted_before(error, outgoing));
    let attempts = running.state.attempts;
    watched.end(result.as_ref().map(Reply::headers), attempts);
    result.map_err(|error| {
        context.deployed.explained(spec, error).with_spec(spec).with_attempts(attempts)
    })
}

/// A call in progress.
struct Running<'a> {
    context: &'a CallContext,
    bounds: &'a Bounds,
    outgoing: &'a Outgoing<'a>,
    state: CallState<'a>,
    /// Of the pending response that the next request asks for. Valid within one attempt only; its error carries it, in
    /// case another token can get the response.
    pending_id: Option<HeaderValue>,
}

impl Running<'_> {
    /// Makes attempts until one is final.
    async fn run(&mut self, options: &CallOptions) -> Result<Reply, Error> {
        let mut renewed = None;
        loop {
            let mut headers = self.headers(options)?;
            // A caller that supplies its own token wants that one to be used.
            let is_own = headers.contains_key(http::header::AUTHORIZATION);
            let credentials = self.context.credentials.as_deref().filter(|_| !is_own);
            let token = match (renewed.take(), credentials) {
                (Some(token), _) => token,
                (None, Some(credentials)) => self.token(credentials).await.map(Some),
                (None, None) => Ok(None),
            };
            let prepared = match token {
                Ok(token) => {
                    if let Some(token) = &token {
                        let header = token.to_header().map_err(|error| self.state.blamed(error))?;
                        headers.insert(http::header::AUTHORIZATION, header);
                    }
                    self.intercept(&mut headers).map(|()| token)
                }
                Err(error) => Err(error),
            };
            let error = match prepared {
                // Nothing is sent without a token, or if an interceptor refuses.
                Err(error) => error.unsent(),
                Ok(token) => {
                    let error = match self.attempt(&mut headers).await {
                        Ok(reply) => return Ok(reply),
                        Err(error) => error,
                    };
                    // A call that the service accepted must not be started again, whatever goes wrong between two polls.
                    self.pending_id = error.pending_id().cloned();
                    if let (Some(credentials), Some(token)) = (credentials, &token)
                        && let Some(other) = self.renew(credentials, token, &error).await
                    {
                        renewed = Some(other.map(Some));
                        self.state.last = Some(error);
                        continue;
                    }
                    error
                }
            };
            let pushback = Pushback::of(&error, self.bounds.timer.system_time());
            let error = error.with_retry_after(pushback.wait());
            match self.state.next(&error, pushback) {
                Next::Fail => return Err(self.state.failed(error)),
                Next::Again => {}
                Next::After(wait) => self.bounds.timer.sleep(wait).await,
            }
            self.state.last = Some(error);
        }
    }

    /// Returns the metadata of the client and of the call.
    fn headers(&self, options: &CallOptions) -> Result<HeaderMap, Error> {
        let mut metadata = self.context.metadata.clone();
        options.add_to(&mut metadata)?;
        Ok(metadata.into_headers())
    }

    /// Returns a token.
    async fn token(&mut self, credentials: &dyn Credentials) -> Result<AccessToken, Error> {
        self.state.is_logging_in = true;
        let token = credentials.token().await;
        self.state.is_logging_in = false;
        token.map_err(Error::of_credentials)
    }

    /// Applies the interceptors to the headers.
    fn intercept(&self, headers: &mut HeaderMap) -> Result<(), Error> {
        let interceptors = &self.context.interceptors;
        if interceptors.is_empty() {
            return Ok(());
        }
        let mut metadata = MetadataMap::from_headers(mem::take(headers));
        for interceptor in interceptors {
            interceptor(self.outgoing.spec(), &mut metadata)?;
        }
        *headers = metadata.into_headers();
        match headers.keys().map(HeaderName::as_str).find(|name| is_of_protocol(name)) {
            Some(name) => {
                Err(Error::config(format!("interceptor: {name:?} belongs to the protocol")))
            }
            None => Ok(()),
        }
    }

    /// Makes one attempt.
    async fn attempt(&mut self, headers: &mut HeaderMap) -> Result<Reply, Error> {
        self.state.begin();
        let result = self.exchange(headers).await;
        if let Err(error) = &result {
            self.context.links.failed(error);
        }
        self.state.end(result)
    }

    /// Sends the request, and repeats it as long as the response is pending: the same bytes, with the id of
    /// the last response.
    async fn exchange(&mut self, headers: &mut HeaderMap) -> Result<Reply, Error> {
        let context = self.context;
        let (mut polls, mut newer) = (None, None);
        let is_pending = self.pending_id.is_some();
        let mut link = context.links.choose(self.bounds, headers, is_pending).await?;
        self.state.sent = Some(link.watch());
        loop {
            let next = NextRequest {
                outgoing: self.outgoing,
                number: self.state.attempts,
                pending_id: self.pending_id.as_ref(),
                polls: polls.as_ref().map_or(0, |polls: &Polls| polls.count),
            };
            self.outgoing.set_head(false);
            let reply = match self.bounds.send(link, headers, &next).await {
                Ok(reply) => reply,
                Err(error) => match context.links.other(link, &error) {
                    Some(other) => {
                        link = other;
                        self.state.sent = Some(link.watch());
                        continue;
                    }
                    None if context.deployed.falls_back(self.outgoing, link, &error) => {
                        newer = Some(error);
                        continue;
                    }
                    // Neither name is there, or the resource is not: only the server's words say which.
                    None => {
                        return Err(match newer.filter(|_| is_missing(&error)) {
                            Some(newer) => newer.with_note(&format!(
                                "and by the path of older servers: {}",
                                error.message()
                            )),
                            None => error,
                        });
                    }
                },
            };
            let Some(id) = reply.pending_id().cloned() else {
                context.deployed.succeeded(self.outgoing);
                return Ok(reply);
            };
            self.pending_id = Some(id);
            self.state.is_pending = true;
            let now = self.bounds.timer.now();
            let polls = polls.get_or_insert_with(|| Polls::new(self.context.policy.pending, now));
            let asked = retry_after(reply.metadata().as_ref(), self.bounds.timer.system_time());
            let pause = polls.next(now, asked).map_err(|error| {
                error.with_metadata(reply.metadata().clone()).with_http_status(reply.http_status())
            })?;
            telemetry::pending(Some(self.outgoing.spec()), polls.count, pause);
            self.bounds.timer.sleep(pause).await;
        }
    }

    /// Returns another token if the service refused this one. The service did nothing, or refused only the poll of
    /// a pending response. A call renews the token once, and once more uses a token to which another call has renewed
    /// it meanwhile, so that many calls do not keep renewing in turn.
    async fn renew(
        &mut self,
        credentials: &dyn Credentials,
        token: &AccessToken,
        error: &Error,
    ) -> Option<Result<AccessToken, Error>> {
        let state = &self.state;
        if !error.is_unauthenticated() || (state.is_renewed && state.is_replaced) {
            return None;
        }
        let is_same =
            |other: &Result<AccessToken, Error>| other.as_ref().is_ok_and(|other| other == token);
        let mut other = self.token(credentials).await;
        let state = &mut self.state;
        if !is_same(&other) && !state.is_replaced {
            state.is_replaced = true;
        } else if state.is_renewed {
            return None;
        } else {
            state.is_renewed = true;
            if is_same(&other) {
                credentials.invalidate(token).await;
                other = self.token(credentials).await;
            }
        }
        let state = &mut self.state;
        state.may_have_executed |= error.may_have_executed();
        let is_other = !is_same(&other);
        telemetry::token_refused(self.outgoing.spec(), is_other && other.is_ok());
        is_other.then_some(other)
    }
}

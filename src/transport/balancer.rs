//! Spreads the attempts of a client over connections to several endpoints.
//!
//! Each attempt takes the connection with the fewest calls, in turn among equals. An endpoint that fails is ejected
//! for a while, and comes back after that. A connection that cannot be opened fails no attempt as long as another
//! endpoint accepts one: nothing was sent.

mod config;
mod ejection;
mod subchannels;

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::readiness::Readiness;
use super::{Reply, Request, Transport};
use crate::error::{Error, ErrorKind};
use crate::telemetry::Server;
use crate::timer::{BoxFuture, Timer};
pub(crate) use config::{Balancing, Target};
use subchannels::{Subchannel, Subchannels};

/// Spreads attempts.
#[derive(Debug)]
pub(crate) struct Balancer {
    subchannels: Arc<Subchannels>,
    timer: Arc<dyn Timer>,
    /// Where the next search for a connection begins.
    next: AtomicUsize,
}

impl Balancer {
    /// Creates a balancer that connects when there are calls. There must be a target.
    pub(crate) fn new(targets: Vec<Target>, balancing: Balancing) -> Self {
        let timer = balancing.timer.clone();
        let subchannels = Arc::new(Subchannels::new(targets, balancing));
        Self { subchannels, timer, next: AtomicUsize::new(0) }
    }

    /// Connects to one of the endpoints; the error is that of the last.
    pub(crate) async fn connect(&self) -> Result<(), Error> {
        let subchannels = Subchannels::current(&self.subchannels).await?;
        let mut failed = None;
        for subchannel in subchannels.iter().filter(|subchannel| subchannel.is_first) {
            match subchannel.transport.connect(&subchannel.name).await {
                Ok(()) => return Ok(()),
                Err(error) => failed = Some(self.failed(&subchannels, subchannel, error)),
            }
        }
        failed.map_or(Ok(()), Err)
    }

    /// Returns the first endpoint, for telemetry.
    pub(super) fn server(&self) -> Option<Server> {
        self.subchannels.server()
    }

    /// Returns the readiness of all connections together.
    pub(super) fn readiness(&self) -> &Readiness {
        &self.subchannels.readiness
    }

    async fn attempt(&self, mut request: Request<'_>) -> Result<Reply, Error> {
        let subchannels = Subchannels::current(&self.subchannels).await?;
        let mut result = None;
        // So often at most, in case endpoints come back and fail again meanwhile.
        for left in (0..subchannels.len()).rev() {
            let Some(subchannel) = self.pick(&subchannels, left + 1 == subchannels.len()) else {
                break;
            };
            let copy = (left > 0).then(|| request.clone());
            let sent = self.send(&subchannels, subchannel, &mut request).await;
            match (result.insert(sent), copy) {
                (Err(error), Some(copy)) if error.kind() == ErrorKind::Connect => request = copy,
                _ => break,
            }
        }
        result.unwrap_or_else(|| Err(Error::config("the client has no endpoint")))
    }

    async fn send(
        &self,
        subchannels: &[Subchannel],
        subchannel: &Subchannel,
        request: &mut Request<'_>,
    ) -> Result<Reply, Error> {
        let _in_flight = InFlight::begin(&subchannel.in_flight);
        let result = subchannel.transport.attempt(&subchannel.name, request).await;
        match result {
            Err(error) if subchannels.len() > 1 && is_endpoint_failure(&error) => {
                Err(self.failed(subchannels, subchannel, error))
            }
            result => {
                subchannel.ejection.end();
                result
            }
        }
    }

    /// Ejects the endpoint.
    fn failed(&self, all: &[Subchannel], failed: &Subchannel, error: Error) -> Error {
        let now = self.timer.now();
        failed.ejection.begin(now, &failed.name);
        self.subchannels.expire();
        let has_other = all.iter().any(|other| !other.ejection.is_on(now));
        if has_other { error.elsewhere() } else { error }
    }

    /// Picks the connection with the fewest calls. If all endpoints are ejected, it is the next in turn, or none if
    /// another was tried before.
    fn pick<'a>(&self, all: &'a [Subchannel], is_first: bool) -> Option<&'a Subchannel> {
        if let [only] = all {
            return is_first.then_some(only);
        }
        let now = self.timer.now();
        let begin = self.next.fetch_add(1, Ordering::Relaxed) % all.len().max(1);
        let (before, from) = all.split_at(begin);
        let mut in_turn = from.iter().chain(before);
        let accepted = in_turn.clone().filter(|subchannel| !subchannel.ejection.is_on(now));
        let picked = accepted
            .min_by_key(|subchannel| subchannel.in_flight.load(Ordering::Relaxed))
            .or_else(|| if is_first { in_turn.next() } else { None })?;
        picked.ejection.probe(now);
        Some(picked)
    }
}

impl Transport for Balancer {
    fn send<'a>(&'a self, request: Request<'a>) -> BoxFuture<'a, Result<Reply, Error>> {
        Box::pin(self.attempt(request))
    }
}

/// Whether the error says that the endpoint cannot be reached or broke the connection. A stream that a server refused
/// when it shut down a connection does not: the next connection may be good.
fn is_endpoint_failure(error: &Error) -> bool {
    match error.kind() {
        ErrorKind::Connect => true,
        ErrorKind::Transport => error.is_retryable() && !error.is_refused(),
        _ => false,
    }
}

/// Counts a call as long as it lives.
struct InFlight<'a>(&'a AtomicUsize);

impl<'a> InFlight<'a> {
    fn begin(count: &'a AtomicUsize) -> Self {
        count.fetch_add(1, Ordering::Relaxed);
        Self(count)
    }
}

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

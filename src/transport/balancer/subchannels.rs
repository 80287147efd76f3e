//! The connections to all addresses of all endpoints, looked up again from time to time.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use tokio::time::Instant;

use super::config::{Balancing, Target};
use super::ejection::Ejection;
use crate::error::Error;
use crate::single_flight::SingleFlight;
use crate::telemetry::Server;
use crate::transport::grpc::GrpcTransport;
use crate::transport::readiness::Readiness;
use crate::transport::resolver::Resolver;

/// How often addresses are looked up at most, as in gRPC; after a failure, sooner.
const LOOKUP_INTERVAL: Duration = Duration::from_secs(30);
const LOOKUP_INTERVAL_AFTER_FAILURE: Duration = Duration::from_secs(1);

/// One connection, opened when it has a call.
#[derive(Clone, Debug)]
pub(super) struct Subchannel {
    /// The endpoint, and its address if that was looked up.
    pub(super) name: Arc<str>,
    /// Whether it is the first to its address.
    pub(super) is_first: bool,
    pub(super) transport: GrpcTransport,
    pub(super) ejection: Arc<Ejection>,
    pub(super) in_flight: Arc<AtomicUsize>,
    target: usize,
    address: Option<SocketAddr>,
}

/// The connections of a client.
#[derive(Debug)]
pub(super) struct Subchannels {
    targets: Vec<Target>,
    balancing: Balancing,
    /// Of all connections together.
    pub(super) readiness: Readiness,
    all: RwLock<Arc<[Subchannel]>>,
    /// The first lookups, for which calls wait.
    first: Mutex<SingleFlight<Result<(), Error>>>,
    /// When addresses were looked up last.
    looked_up: Mutex<Option<Instant>>,
    /// Whether an endpoint failed since then.
    is_expired: AtomicBool,
}

impl Subchannels {
    pub(super) fn new(targets: Vec<Target>, balancing: Balancing) -> Self {
        let mut this = Self {
            targets,
            balancing,
            readiness: Readiness::default(),
            all: RwLock::default(),
            first: Mutex::default(),
            looked_up: Mutex::default(),
            is_expired: AtomicBool::new(false),
        };
        if this.balancing.resolver.is_none() {
            let targets = this.targets.iter().enumerate();
            let all = targets.flat_map(|(at, target)| this.open(at, target, None)).collect();
            this.all = RwLock::new(all);
        }
        this
    }

    /// The connections to one address of a target.
    fn open(
        &self,
        at: usize,
        target: &Target,
        address: Option<SocketAddr>,
    ) -> impl Iterator<Item = Subchannel> {
        let Balancing { connections, jitter, limits, timer, .. } = &self.balancing;
        let ejection = Arc::new(Ejection::new(jitter.clone()));
        let name: Arc<str> = match address {
            Some(address) => format!("{} ({address})", target.name).into(),
            None => target.name.as_str().into(),
        };
        (0..(*connections).max(1)).map(move |number| Subchannel {
            name: name.clone(),
            is_first: number == 0,
            transport: GrpcTransport::lazy(
                target.endpoint.clone(),
                target.connector.to_server(address, &self.readiness),
                *limits,
                timer.clone(),
            ),
            ejection: ejection.clone(),
            in_flight: Arc::default(),
            target: at,
            address,
        })
    }

    /// Returns the first endpoint.
    pub(super) fn server(&self) -> Option<Server> {
        self.targets.first().map(|target| Server::of(target.endpoint.uri()))
    }

    fn all(&self) -> Arc<[Subchannel]> {
        self.all.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Returns the connections. There is at least one.
    pub(super) async fn current(this: &Arc<Self>) -> Result<Arc<[Subchannel]>, Error> {
        let all = this.all();
        let Some(resolver) = &this.balancing.resolver else { return Ok(all) };
        if all.is_empty() {
            let first = {
                let mut first = this.first.lock().unwrap_or_else(PoisonError::into_inner);
                let all = this.all();
                if !all.is_empty() {
                    return Ok(all);
                }
                let under_way = first.under_way();
                under_way.unwrap_or_else(|| first.begin(this.clone().look_up(resolver.clone())))
            };
            first.await?;
            return Ok(this.all());
        }
        if this.is_due() {
            // Calls do not wait for it. If it fails, the addresses of before stay.
            tokio::spawn(this.clone().look_up(resolver.clone()));
        }
        Ok(all)
    }

    /// Makes the next call look the addresses up again soon.
    pub(super) fn expire(&self) {
        self.is_expired.store(true, Ordering::Relaxed);
    }

    /// Whether this call must have the addresses looked up again; no other one does then.
    fn is_due(&self) -> bool {
        let is_expired = self.is_expired.load(Ordering::Relaxed);
        let interval = if is_expired { LOOKUP_INTERVAL_AFTER_FAILURE } else { LOOKUP_INTERVAL };
        let now = self.balancing.timer.now();
        let mut looked_up = self.looked_up.lock().unwrap_or_else(PoisonError::into_inner);
        let is_due = looked_up.is_none_or(|at| now.saturating_duration_since(at) >= interval);
        if is_due {
            *looked_up = Some(now);
        }
        is_due
    }

    /// Looks up the addresses of all endpoints.
    async fn look_up(self: Arc<Self>, resolver: Arc<dyn Resolver>) -> Result<(), Error> {
        let now = self.balancing.timer.now();
        *self.looked_up.lock().unwrap_or_else(PoisonError::into_inner) = Some(now);
        self.is_expired.store(false, Ordering::Relaxed);
        let mut found = Vec::new();
        for target in &self.targets {
            found.push(match resolver.resolve(&target.host, target.port).await {
                Ok(addresses) if addresses.is_empty() => Err("it has no address".to_owned()),
                found => found.map_err(|error| error.to_string()),
            });
        }
        self.change(found)
    }

    /// Changes the connections to those to the addresses of each target. Connections to addresses that remain stay
    /// open. A target whose lookup failed keeps its addresses.
    fn change(&self, found: Vec<Result<Vec<SocketAddr>, String>>) -> Result<(), Error> {
        let mut all = self.all.write().unwrap_or_else(PoisonError::into_inner);
        let mut changed = Vec::new();
        let mut failed = None;
        for ((at, target), found) in self.targets.iter().enumerate().zip(found) {
            let of_target = all.iter().filter(|subchannel| subchannel.target == at);
            match found {
                Ok(mut addresses) => {
                    addresses.sort_unstable();
                    addresses.dedup();
                    for address in addresses {
                        let mut kept = of_target
                            .clone()
                            .filter(|kept| kept.address == Some(address))
                            .peekable();
                        if kept.peek().is_some() {
                            changed.extend(kept.cloned());
                        } else {
                            changed.extend(self.open(at, target, Some(address)));
                        }
                    }
                }
                Err(why) => {
                    changed.extend(of_target.cloned());
                    failed = Some(format!("cannot look up {}: {why}", target.name));
                }
            }
        }
        if let (true, Some(message)) = (changed.is_empty(), failed) {
            return Err(Error::no_connection(message));
        }
        *all = changed.into();
        Ok(())
    }
}

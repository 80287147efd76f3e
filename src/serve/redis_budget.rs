//! A budget that several servers share, in Redis or Valkey.

use std::fmt;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, Client, ConnectionAddr, RedisError, Script};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout};

use super::background::Background;
use crate::client::ClientBuilder;
use crate::error::Error;
use crate::rate_limiter::SharedLimit;
use crate::telemetry::Degraded;
use crate::timer::BoxFuture;
use crate::transport::tls::{TlsConfig, TlsConnector};

/// Takes the next turn of a key by GCRA (the generic cell rate algorithm): turns are an interval apart, by the clock of
/// Redis. Returns the microseconds until it comes, or -1 if that is too long. One script, so that nothing comes
/// between reading and writing.
const TAKE: &str = r"
local time = redis.call('TIME')
local now = tonumber(time[1]) * 1000000 + tonumber(time[2])
local interval, most, instances = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local free = tonumber(redis.call('GET', KEYS[1]) or '0')
-- The clock was set back: nobody waits for hours. Each instance takes one turn at a time.
if free > now + 60000000 + interval * instances then free = now end
local at = math.max(now, free)
if at - now > most then return -1 end
local expiry = math.ceil((at - now + interval) / 1000) + 1000
redis.call('SET', KEYS[1], string.format('%.0f', at + interval), 'PX', expiry)
return at - now
";

/// How long a call waits for Redis: for its answer, or for a connection.
const PATIENCE: Duration = Duration::from_millis(250);
/// How long connecting may take, in the background: the lookup of the name, and some handshakes at a distance.
const CONNECTING: Duration = Duration::from_millis(1500);
/// How often Redis is asked while it is unreachable.
const PAUSE: Duration = Duration::from_millis(500);
/// Lengthens the interval by one part in this number: calls that are sent evenly arrive less evenly.
const MARGIN: u32 = 25;

/// The rate limits of tenants, shared by all bridges that use the same Redis or Valkey server.
///
/// The calls of all instances leave evenly, and each tenant has 96 % of its rate, since calls that leave evenly arrive
/// less evenly. Calls wait for their turn at their bridge, where the callers of a tenant take turns, and those that
/// cannot have one before their deadline fail at once. While Redis does not answer within 250 ms, or is being connected to,
/// which may take 1.5 s, each instance takes `1/instances` of the rate, so the sum is never more; at most two seconds after
/// Redis is back, it decides again. A `tracing` event at level `WARN` says when Redis fails, and one when it is back;
/// [`eset_protect.serve.degraded`](crate::telemetry#metrics) counts it meanwhile.
pub struct RedisBudget {
    client: Client,
    tls: Option<TlsConnector>,
    script: Script,
    instances: u32,
    state: Mutex<State>,
    degraded: Degraded,
}

#[derive(Default)]
struct State {
    connection: Option<MultiplexedConnection>,
    /// Since when it is being connected to.
    connecting: Option<(Instant, Background)>,
    /// When to ask again, while Redis is unreachable.
    away: Option<Instant>,
}

impl RedisBudget {
    /// Uses the server at this address, such as `rediss://:PASSWORD@redis.internal:6379/0` (over TLS, with a certificate
    /// of an authority that the system trusts), `redis://localhost` or `redis+unix:///run/redis.sock`, with this number of
    /// bridges. Connects later.
    ///
    /// # Errors
    ///
    /// Fails if it is no such address. The error does not show it, since it may have a password.
    pub fn new(address: &str, instances: u32) -> Result<Arc<Self>, Error> {
        Self::with_tls(address, instances, &TlsConfig::new())
    }

    /// Uses a server as [`new`](Self::new) does, and verifies a `rediss` or `valkeys` server with these authorities.
    ///
    /// # Errors
    ///
    /// Fails if it is no such address, or the system trusts no authority and none was added.
    pub fn with_tls(address: &str, instances: u32, tls: &TlsConfig) -> Result<Arc<Self>, Error> {
        // The client of the crate `redis` would verify servers by the process's provider of cryptography, if any.
        let secure = ["rediss://", "valkeys://"].iter().find_map(|it| address.strip_prefix(it));
        let plain = secure.map(|rest| format!("redis://{rest}"));
        let client = Client::open(plain.as_deref().unwrap_or(address)).ok();
        // `#insecure` would turn the verification off.
        let client = client.filter(|_| !address.contains('#')).ok_or_else(|| {
            Error::config("expected rediss://HOST:PORT, redis://HOST:PORT or redis+unix:///PATH")
        })?;
        Ok(Arc::new(Self {
            client,
            tls: secure.map(|_| tls.connector(&[])).transpose()?,
            script: Script::new(TAKE),
            instances: instances.max(1),
            state: Mutex::default(),
            degraded: Degraded::new("redis"),
        }))
    }

    /// Shares the rate limit of a client with the clients of other bridges for the same tenant, if it has a limit.
    /// Redis keeps it under `eset-protect:budget:{TENANT}`, and the limits of callers with own tokens under that with
    /// the hash of the token.
    #[must_use]
    pub fn share(self: &Arc<Self>, tenant: &str, builder: ClientBuilder) -> ClientBuilder {
        let key = format!("eset-protect:budget:{{{tenant}}}");
        let budget = Arc::clone(self);
        builder.shared_limit(Arc::new(TenantLimit { budget, key, alone: Mutex::default() }))
    }

    /// Asks Redis; `None` if it is unreachable.
    async fn ask(self: &Arc<Self>, key: &str, interval: Duration, most: Duration) -> Option<i64> {
        let mut connection = self.connection().await?;
        let micros = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
        let mut call = self.script.key(key);
        call.arg(micros(interval)).arg(micros(most)).arg(self.instances);
        match timeout(PATIENCE, call.invoke_async(&mut connection)).await {
            Ok(Ok(wait)) => {
                if self.degraded.set(false) {
                    tracing::warn!(target: "eset_protect::server", "Redis decides about the budgets again");
                }
                return Some(wait);
            }
            Ok(Err(error)) => self.failed(&error.to_string()),
            Err(_) => self.failed(&format!("no answer within {PATIENCE:?}")),
        }
        None
    }

    /// Returns the connection, for which a call waits a moment once it is being made; `None` if there is none yet.
    async fn connection(self: &Arc<Self>) -> Option<MultiplexedConnection> {
        let (begun, connecting) = {
            let mut state = self.lock();
            if state.away.is_some_and(|until| Instant::now() < until) {
                return None;
            }
            if let Some(connection) = &state.connection {
                return Some(connection.clone());
            }
            let under_way = state.connecting.take().filter(|(_, one)| !one.is_over());
            state.connecting.insert(under_way.unwrap_or_else(|| self.begin())).clone()
        };
        let left = (begun + PATIENCE).saturating_duration_since(Instant::now());
        // What takes longer is for later calls.
        let _ = timeout(left, connecting.ended()).await;
        self.lock().connection.clone()
    }

    /// Begins to connect, in a task: no call waits as long as that may take.
    fn begin(self: &Arc<Self>) -> (Instant, Background) {
        let this = Arc::clone(self);
        let connecting = Background::begin(async move {
            match timeout(CONNECTING, this.connect()).await {
                Ok(Ok(connection)) => this.lock().connection = Some(connection),
                Ok(Err(error)) => this.failed(&error.to_string()),
                Err(_) => this.failed(&format!("no connection within {CONNECTING:?}")),
            }
        });
        (Instant::now(), connecting)
    }

    /// Records that Redis is out of reach.
    fn failed(&self, error: &str) {
        {
            let mut state = self.lock();
            state.connection = None;
            state.away = Some(Instant::now() + PAUSE);
        }
        if self.degraded.set(true) {
            let share = self.instances;
            tracing::warn!(target: "eset_protect::server", "Redis is unreachable; this instance takes 1/{share} of each budget: {error}");
        }
    }

    async fn connect(&self) -> Result<MultiplexedConnection, RedisError> {
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(Some(CONNECTING))
            .set_response_timeout(Some(PATIENCE));
        let info = self.client.get_connection_info();
        let (Some(tls), ConnectionAddr::Tcp(host, port)) = (&self.tls, info.addr()) else {
            return self.client.get_multiplexed_async_connection_with_config(&config).await;
        };
        let stream = TcpStream::connect((host.as_str(), *port)).await?;
        stream.set_nodelay(true)?;
        let stream = tls.connect(host, stream).await.map_err(io::Error::other)?;
        let (connection, driver) =
            MultiplexedConnection::new_with_config(info.redis_settings(), stream, config).await?;
        // It ends with the last clone of the connection.
        tokio::spawn(driver);
        Ok(connection)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for RedisBudget {
    /// Omits the address, which may have a password.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisBudget").field("instances", &self.instances).finish_non_exhaustive()
    }
}

#[derive(Debug)]
struct TenantLimit {
    budget: Arc<RedisBudget>,
    key: String,
    /// While Redis is unreachable: when the next call may be sent.
    alone: Mutex<Option<Instant>>,
}

impl SharedLimit for TenantLimit {
    fn alike(&self, name: &str) -> Arc<dyn SharedLimit> {
        let (budget, key) = (Arc::clone(&self.budget), format!("{}:{name}", self.key));
        Arc::new(Self { budget, key, alone: Mutex::default() })
    }

    fn take(&self, interval: Duration, left: Duration) -> BoxFuture<'_, Option<Duration>> {
        Box::pin(async move {
            let interval = interval.saturating_add(interval / MARGIN);
            let answer = self.budget.ask(&self.key, interval, left).await;
            let mut alone = self.alone.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(wait) = answer {
                *alone = None;
                return u64::try_from(wait).ok().map(Duration::from_micros);
            }
            let (now, share) = (Instant::now(), interval.saturating_mul(self.budget.instances));
            // The turns that Redis gave may all be of this second.
            let at = alone.unwrap_or_else(|| now + share).max(now);
            let wait = at.saturating_duration_since(now);
            if wait > left {
                *alone = Some(at);
                return None;
            }
            *alone = Some(at + share);
            Some(wait)
        })
    }
}

//! Detects dead connections, and pings less often if a server asks for it.
//!
//! A server with gRPC's default settings accepts a ping every five minutes during a call and none without a
//! call (gRFC A8); the third ping too many closes the connection with all calls on it. Therefore HTTP/2 pings
//! are rare by default, and TCP detects dead hosts: with its own keep-alive on idle connections, and with
//! `TCP_USER_TIMEOUT` (gRFC A18) if something was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

use crate::telemetry;

/// An interval that all servers with gRPC's default settings accept: their five minutes plus some time for
/// the network.
pub(crate) const INTERVAL: Duration = Duration::from_secs(330);

/// How long the response to a ping may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// The idle time before TCP's first probe,
const TCP_IDLE: Duration = Duration::from_secs(30);
/// the time between probes,
const TCP_INTERVAL: Duration = Duration::from_secs(10);
/// and the number of probes.
const TCP_RETRIES: u32 = 2;

/// The keep-alive of a client's connections.
#[derive(Clone, Debug)]
pub(crate) struct KeepAlive {
    /// In milliseconds; 0 means never.
    interval: Arc<AtomicU64>,
    timeout: Duration,
}

impl KeepAlive {
    pub(crate) fn new(interval: Option<Duration>, timeout: Duration) -> Self {
        let interval = interval.map_or(0, |interval| to_millis(interval).max(1));
        Self { interval: Arc::new(AtomicU64::new(interval)), timeout }
    }

    /// Returns after how long without data during a call a new HTTP/2 connection is pinged.
    pub(crate) fn interval(&self) -> Option<Duration> {
        let millis = self.interval.load(Ordering::Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// Handles that a server closed a connection with this interval because of too many pings. New
    /// connections get twice the interval (gRFC A8), and at least one that every server accepts, because each
    /// step in between would cost another connection and its calls. Several connections with the same
    /// interval count once.
    pub(super) fn too_many_pings(&self, interval: Duration) {
        let longer = interval.saturating_mul(2).max(INTERVAL);
        let (old, new) = (to_millis(interval), to_millis(longer));
        if self.interval.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            telemetry::too_many_pings(longer);
        }
    }

    /// Lets TCP detect dead hosts. On systems without `TCP_USER_TIMEOUT` (Windows, macOS), TCP's own rules
    /// decide when sent data is given up.
    pub(super) fn set_on<R>(&self, tcp: &mut HttpConnector<R>, connect_timeout: Duration) {
        tcp.set_keepalive(Some(TCP_IDLE));
        tcp.set_keepalive_interval(Some(TCP_INTERVAL));
        tcp.set_keepalive_retries(Some(TCP_RETRIES));
        // It also applies while connecting, which has its own timeout.
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(self.timeout.max(connect_timeout)));
        let _ = connect_timeout;
    }
}

fn to_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

//! How connections that died unseen are found, and how a server's wish for fewer pings is granted.
//!
//! A server with gRPC's defaults takes a ping every five minutes during a call, and none without a call
//! (gRFC A8); the third too many ends the connection, with all calls on it. So the pings of HTTP/2 are rare
//! by default, and it is TCP that finds a dead host: by its own keep-alive where the connection is silent,
//! and by `TCP_USER_TIMEOUT` (gRFC A18) where something was sent.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use hyper_util::client::legacy::connect::HttpConnector;

use crate::telemetry;

/// What no server with gRPC's defaults minds: its five minutes, and some for the network.
pub(crate) const INTERVAL: Duration = Duration::from_secs(330);

/// How long the answer to a ping may take.
pub(crate) const TIMEOUT: Duration = Duration::from_secs(20);

/// TCP asks after so long without a sign of life,
const TCP_IDLE: Duration = Duration::from_secs(30);
/// and again so often,
const TCP_INTERVAL: Duration = Duration::from_secs(10);
/// so many times.
const TCP_RETRIES: u32 = 2;

/// The keep-alive of the connections of one client.
#[derive(Clone, Debug)]
pub(crate) struct KeepAlive {
    /// In milliseconds; 0 is never.
    interval: Arc<AtomicU64>,
    timeout: Duration,
}

impl KeepAlive {
    pub(crate) fn new(interval: Option<Duration>, timeout: Duration) -> Self {
        let interval = interval.map_or(0, |interval| to_millis(interval).max(1));
        Self { interval: Arc::new(AtomicU64::new(interval)), timeout }
    }

    /// After how long without anything during a call a new connection of HTTP/2 is pinged.
    pub(crate) fn interval(&self) -> Option<Duration> {
        let millis = self.interval.load(Ordering::Relaxed);
        (millis > 0).then(|| Duration::from_millis(millis))
    }

    pub(crate) fn timeout(&self) -> Duration {
        self.timeout
    }

    /// A server has closed a connection that had this interval for too many pings. New ones have twice as
    /// much (gRFC A8), and what every server takes at least: each step in between would cost one more
    /// connection and the calls on it. Several connections that are told the same count once.
    pub(super) fn too_many_pings(&self, interval: Duration) {
        let longer = interval.saturating_mul(2).max(INTERVAL);
        let (old, new) = (to_millis(interval), to_millis(longer));
        if self.interval.compare_exchange(old, new, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            telemetry::too_many_pings(longer);
        }
    }

    /// Lets TCP find hosts that are gone. Where the system has no `TCP_USER_TIMEOUT` (Windows, macOS), it
    /// gives up on what was sent by its own rules.
    pub(super) fn set_on(&self, tcp: &mut HttpConnector, connect_timeout: Duration) {
        tcp.set_keepalive(Some(TCP_IDLE));
        tcp.set_keepalive_interval(Some(TCP_INTERVAL));
        tcp.set_keepalive_retries(Some(TCP_RETRIES));
        // It counts while connecting too, which has a timeout of its own.
        #[cfg(any(target_os = "android", target_os = "fuchsia", target_os = "linux"))]
        tcp.set_tcp_user_timeout(Some(self.timeout.max(connect_timeout)));
        #[cfg(not(any(target_os = "android", target_os = "fuchsia", target_os = "linux")))]
        let _ = connect_timeout;
    }
}

fn to_millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

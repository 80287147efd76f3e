//! How many connections there may be, and how long they may do nothing.

use std::time::Duration;

/// Limits of an emulator's connections.
///
/// Whoever does not keep to a limit of time loses the connection, or over gRPC and REST the call; others
/// are served on.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// So many connections at a time: 10,000 by default. A new one takes the place of the one that has
    /// been idle for longest; if calls are under way on all of them, it waits until one ends. Each takes a
    /// file descriptor. Where the system has none left (`ulimit -n`), the same happens earlier, and is told
    /// by [`Builder::on_notice`](crate::emulator::Builder::on_notice).
    pub max_connections: usize,
    /// How long a connection may be idle: five minutes by default. It is idle while no call is under way:
    /// whole heads of requests count, not single bytes of them or pings. Neither does an answer whose
    /// reader takes less than 4 KiB of it in that time. HTTP/2 is told by `GOAWAY` first. Connections of
    /// HTTP/1.1 have [`head_time`](Self::head_time) between their requests. `Watch` of `grpc.health.v1` is
    /// under way until its caller ends it.
    pub idle_time: Duration,
    /// How long the head of a request may take to arrive over HTTP/1.1, the wait for its first byte
    /// included, and over HTTP/2 the connection preface: 30 seconds by default.
    pub head_time: Duration,
    /// How long the body of a request may take to arrive after its head: 30 seconds by default. More is
    /// 408, and `DEADLINE_EXCEEDED` over gRPC.
    pub body_time: Duration,
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            idle_time: Duration::from_secs(300),
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
        }
    }
}

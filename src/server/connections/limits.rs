//! Limits the number of connections and how long they may be idle.

use std::time::Duration;

/// Limits of the connections of a server.
///
/// A client that exceeds a time limit loses its connection, or over gRPC and REST its call; others are not
/// affected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct ConnectionLimits {
    /// The maximum number of connections: 10,000 by default. A new connection replaces the one that has been
    /// idle for the longest time; if none is idle, one whose calls all need no token, such as health checks and
    /// reflection, or are not admitted yet; if there is no such connection, it waits until a call ends. Each takes a file
    /// descriptor. If the system runs out of them (`ulimit -n`), the same happens earlier and is reported to the operator.
    ///
    /// Whoever has no token can fill some 70 MiB of memory with a connection: 64 KiB of headers and 4 KiB of a message
    /// for each of 1,024 calls, and 1 MiB that has arrived and is not read. Answers of reflection that nobody reads take
    /// as much again.
    pub max_connections: usize,
    /// How long a connection may be idle: five minutes by default. It is idle while no call is in progress.
    /// Only complete request heads count, not single bytes or pings, and neither does a response of which the
    /// client reads less than 4 KiB in that time. HTTP/2 sends a `GOAWAY` first. Between requests, HTTP/1.1
    /// connections have [`head_time`](Self::head_time). `Watch` of `grpc.health.v1` is in progress until its
    /// caller ends it, the server stops, or a new connection takes its place.
    pub idle_time: Duration,
    /// How long a connection may be used: for any time by default. Then HTTP/2 sends a `GOAWAY`, calls in progress may
    /// finish, and the client connects again (gRFC A9). So clients that choose a server when they connect, or a balancer
    /// that does so for them, spread again over servers that have come meanwhile. Up to a tenth is taken from it or added,
    /// so that not all clients come back at once.
    pub max_connection_age: Option<Duration>,
    /// How long the head of an HTTP/1.1 request may take to arrive, including the wait for its first byte,
    /// and over HTTP/2 the connection preface: 30 seconds by default.
    pub head_time: Duration,
    /// How long the body of a request may take to arrive after its head: 30 seconds by default. Longer ones
    /// are answered with 408, or over gRPC with `DEADLINE_EXCEEDED`.
    pub body_time: Duration,
    /// How long a shutdown waits for current calls: ten seconds by default.
    pub drain_time: Duration,
}

/// Later than any end that matters, and early enough for every clock.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);

impl ConnectionLimits {
    /// Returns limits with which no clock overflows.
    pub(super) fn within_clocks(mut self) -> Self {
        let Self { idle_time, head_time, body_time, drain_time, max_connection_age, .. } =
            &mut self;
        let times = [idle_time, head_time, body_time, drain_time];
        for time in times.into_iter().chain(max_connection_age) {
            *time = (*time).min(LONGEST);
        }
        self
    }
}

impl Default for ConnectionLimits {
    fn default() -> Self {
        Self {
            max_connections: 10_000,
            idle_time: Duration::from_secs(300),
            max_connection_age: None,
            head_time: Duration::from_secs(30),
            body_time: Duration::from_secs(30),
            drain_time: Duration::from_secs(10),
        }
    }
}

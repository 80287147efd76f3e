//! Enforces the limit: tracks when the last calls can have arrived at the service.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// The longest time a call takes to reach the service over an open connection.
const TRAVEL: Duration = Duration::from_millis(250);

/// The same if it may have to connect first, perhaps with TLS, through a proxy and across an ocean.
const TRAVEL_WITH_CONNECTING: Duration = Duration::from_secs(1);

/// Connections without a call for this long may be closed.
const IDLE: Duration = Duration::from_secs(60);

/// The last calls, in the order in which they were sent.
///
/// The service counts a call when it arrives, but only the time it was sent and the time of its response are
/// known. Therefore a call counts from the latest moment at which it can have arrived, and the call `calls`
/// positions later is sent one window after that moment: whatever happens on the way, the service never sees
/// both in one window.
#[derive(Debug)]
pub(super) struct Arrivals {
    calls: usize,
    window: Duration,
    /// At most `calls` entries, and only those that still matter.
    entries: VecDeque<Entry>,
    /// The number of the first entry.
    first: u64,
    answered_at: Option<Instant>,
}

#[derive(Debug)]
struct Entry {
    sent: Instant,
    /// The latest moment at which the call can have arrived.
    arrived: Instant,
    is_settled: bool,
}

impl Entry {
    /// Returns the latest moment at which the call can have arrived if its response came now.
    fn at_best(&self, now: Instant) -> Instant {
        if self.is_settled { self.arrived } else { self.arrived.min(now) }
    }
}

impl Arrivals {
    pub(super) fn new(calls: u32, window: Duration) -> Self {
        let calls = usize::try_from(calls).unwrap_or(usize::MAX).max(1);
        Self { calls, window, entries: VecDeque::new(), first: 0, answered_at: None }
    }

    /// Returns how long the next call must wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let entry = self.limiting(0);
        entry.map_or(Duration::ZERO, |entry| until(now, entry.arrived, self.window))
    }

    /// Returns the minimum wait of the call with this number of calls ahead of it.
    pub(super) fn least_wait(&self, now: Instant, ahead: usize) -> Duration {
        let rounds = u32::try_from(ahead / self.calls).unwrap_or(u32::MAX);
        let entry = self.limiting(ahead % self.calls);
        let first =
            entry.map_or(Duration::ZERO, |entry| until(now, entry.at_best(now), self.window));
        first.saturating_add(self.window.saturating_mul(rounds))
    }

    /// Records that a call is sent and returns its number.
    pub(super) fn push(&mut self, now: Instant) -> u64 {
        while self.entries.len() >= self.calls || self.is_first_over(now) {
            self.entries.pop_front();
            self.first = self.first.wrapping_add(1);
        }
        let is_connected =
            self.answered_at.is_some_and(|at| now.saturating_duration_since(at) < IDLE);
        let travel = if is_connected { TRAVEL } else { TRAVEL_WITH_CONNECTING };
        let arrived = now.checked_add(travel).unwrap_or(now);
        self.entries.push_back(Entry { sent: now, arrived, is_settled: false });
        let last = u64::try_from(self.entries.len() - 1).unwrap_or(u64::MAX);
        self.first.wrapping_add(last)
    }

    /// Records the response to a call.
    pub(super) fn settle(&mut self, number: u64, now: Instant) {
        self.answered_at = self.answered_at.max(Some(now));
        let index = usize::try_from(number.wrapping_sub(self.first)).ok();
        if let Some(entry) = index.and_then(|index| self.entries.get_mut(index)) {
            entry.arrived = entry.arrived.min(now);
            entry.is_settled = true;
        }
    }

    /// Whether at least this number of calls was sent in the last window.
    pub(super) fn is_busy(&self, now: Instant, calls: usize) -> bool {
        let entry = self.entries.len().checked_sub(calls.max(1));
        entry
            .and_then(|index| self.entries.get(index))
            .is_some_and(|entry| now.saturating_duration_since(entry.sent) < self.window)
    }

    #[cfg(test)]
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    fn is_first_over(&self, now: Instant) -> bool {
        self.entries.front().is_some_and(|entry| until(now, entry.arrived, self.window).is_zero())
    }

    /// Returns the call that must be one window old before the call with this number of calls ahead may be
    /// sent.
    fn limiting(&self, ahead: usize) -> Option<&Entry> {
        let index = self.entries.len().checked_add(ahead)?.checked_sub(self.calls)?;
        self.entries.get(index)
    }
}

/// Returns the time until `duration` has passed since `then`.
pub(super) fn until(now: Instant, then: Instant, duration: Duration) -> Duration {
    duration
        .saturating_add(then.saturating_duration_since(now))
        .saturating_sub(now.saturating_duration_since(then))
}

//! Adapts the rate to the service's responses.

use std::time::Duration;

use tokio::time::Instant;

use super::arrivals::until;
use super::outcome::Outcome;

/// The rate that ESET grants to programs that call too much ([facts](crate::facts#rate-limit)).
const FAIR_USE: f64 = 2.0;

/// The lowest rate, as a share of the configured one.
const LEAST_SHARE: f64 = 0.2;

/// The factor for the rate after a refusal or a failure of the service.
const HALF: f64 = 0.5;

/// The factor for the rate after a pending response.
const PENDING: f64 = 0.9;

/// The share of the configured rate that a window's worth of responses recovers.
const GAIN: f64 = 0.1;

/// The longest time without calls, whatever the `Retry-After` says.
const LONGEST_BLOCK: Duration = Duration::from_secs(60 * 60);

/// The rate and its changes; [`RateLimiter`](super::RateLimiter) has the table.
#[derive(Debug)]
pub(super) struct Pace {
    /// The configured rate, in calls per second.
    limit: f64,
    /// The lowest rate.
    floor: f64,
    /// How much a second's worth of responses raises the rate.
    gain: f64,
    rate: f64,
    window: Duration,
    sent_at: Option<Instant>,
    slowed_at: Option<Instant>,
    blocked_until: Option<Instant>,
}

/// The conditions when a call was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) at: Instant,
    /// Whether most of the rate was in use.
    pub(super) is_busy: bool,
}

impl Pace {
    pub(super) fn new(calls: u32, window: Duration) -> Self {
        let limit = f64::from(calls) / window.as_secs_f64();
        Self {
            limit,
            floor: FAIR_USE.min(limit * LEAST_SHARE),
            gain: limit * GAIN / window.as_secs_f64(),
            rate: limit,
            window,
            sent_at: None,
            slowed_at: None,
            blocked_until: None,
        }
    }

    pub(super) fn rate(&self) -> f64 {
        self.rate
    }

    /// Returns the number of calls per window that are half of the current rate.
    pub(super) fn half(&self) -> usize {
        // The cast saturates.
        (self.rate * self.window.as_secs_f64() / 2.0).ceil() as usize
    }

    /// Returns how long the service will refuse every call.
    pub(super) fn block(&self, now: Instant) -> Duration {
        self.blocked_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// Returns how long the next call must wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let spacing = match self.sent_at {
            Some(at) if self.is_slowed() => until(now, at, seconds(1.0 / self.rate)),
            _ => Duration::ZERO,
        };
        spacing.max(self.block(now))
    }

    /// Returns the minimum wait of the call with this number of calls ahead of it, assuming that all of them
    /// are answered and raise the rate.
    pub(super) fn least_wait(&self, now: Instant, ahead: usize) -> Duration {
        let wait = self.wait(now);
        if !self.is_slowed() {
            return wait;
        }
        let calls = ahead as f64;
        let rising = (self.limit - self.rate) / self.gain;
        let risen = (self.limit + self.rate) / 2.0 * rising;
        let time = if calls < risen {
            ((self.rate * self.rate + 2.0 * self.gain * calls).sqrt() - self.rate) / self.gain
        } else {
            rising + (calls - risen) / self.limit
        };
        wait.saturating_add(seconds(time))
    }

    pub(super) fn sent(&mut self, now: Instant) {
        self.sent_at = self.sent_at.max(Some(now));
    }

    /// Processes an outcome and returns whether waiting calls now have to wait longer.
    pub(super) fn answered(&mut self, sent: Sent, now: Instant, outcome: Outcome) -> bool {
        match outcome {
            Outcome::Answered => {
                self.speed_up(sent.at);
                false
            }
            Outcome::Pending if !sent.is_busy => false,
            Outcome::Pending => self.slow_down(PENDING, sent.at, now),
            Outcome::Overloaded => self.slow_down(HALF, sent.at, now),
            Outcome::Refused { retry_after } => {
                let pause = retry_after.unwrap_or(self.window).min(LONGEST_BLOCK);
                self.blocked_until = self.blocked_until.max(now.checked_add(pause));
                self.slow_down(HALF, sent.at, now);
                true
            }
        }
    }

    fn is_slowed(&self) -> bool {
        self.rate < self.limit
    }

    /// Responses to calls sent before the rate fell say nothing about the current rate.
    fn is_old(&self, sent: Instant) -> bool {
        self.slowed_at.is_some_and(|at| sent <= at)
    }

    fn slow_down(&mut self, factor: f64, sent: Instant, now: Instant) -> bool {
        let is_recent =
            self.slowed_at.is_some_and(|at| now.saturating_duration_since(at) < self.window);
        if is_recent || self.is_old(sent) {
            return false;
        }
        self.rate = (self.rate * factor).max(self.floor);
        self.slowed_at = Some(now);
        true
    }

    fn speed_up(&mut self, sent: Instant) {
        if self.is_slowed() && !self.is_old(sent) {
            self.rate = (self.rate + self.gain / self.rate).min(self.limit);
        }
    }
}

fn seconds(seconds: f64) -> Duration {
    Duration::try_from_secs_f64(seconds).unwrap_or(Duration::MAX)
}

//! How fast to call, by what the service answers.

use std::time::Duration;

use tokio::time::Instant;

use super::Outcome;
use super::arrivals::until;

/// ESET lets those that call too much have about so many calls a second
/// ([facts](crate::facts#rate-limit)).
const FAIR_USE: f64 = 2.0;

/// The rate never falls below this share of the configured one.
const LEAST_SHARE: f64 = 0.2;

/// What a refusal or a failure of the service leaves of the rate.
const HALF: f64 = 0.5;

/// What a pending answer leaves of it.
const PENDING: f64 = 0.9;

/// What a window's worth of answers brings back of the configured rate.
const GAIN: f64 = 0.1;

/// No service stops all calls for longer, whatever its `Retry-After` says.
const LONGEST_BLOCK: Duration = Duration::from_secs(60 * 60);

/// The rate and what changes it; the table is at [`RateLimiter`](super::RateLimiter).
#[derive(Debug)]
pub(super) struct Pace {
    /// The configured rate, in calls a second.
    limit: f64,
    /// The least rate.
    floor: f64,
    /// By how much a second's worth of answers raises it.
    gain: f64,
    rate: f64,
    window: Duration,
    sent_at: Option<Instant>,
    slowed_at: Option<Instant>,
    blocked_until: Option<Instant>,
}

/// What was true when a call was sent.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sent {
    pub(super) at: Instant,
    /// The rate was used, for the most part.
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

    /// How many calls in a window are half of what the rate allows.
    pub(super) fn half(&self) -> usize {
        // Saturates.
        (self.rate * self.window.as_secs_f64() / 2.0).ceil() as usize
    }

    /// For how long the service refuses every call.
    pub(super) fn block(&self, now: Instant) -> Duration {
        self.blocked_until.map_or(Duration::ZERO, |until| until.saturating_duration_since(now))
    }

    /// How long the next call must wait.
    pub(super) fn wait(&self, now: Instant) -> Duration {
        let spacing = match self.sent_at {
            Some(at) if self.is_slowed() => until(now, at, seconds(1.0 / self.rate)),
            _ => Duration::ZERO,
        };
        spacing.max(self.block(now))
    }

    /// How long the call with so many others before it must wait at the least: if every one of them is
    /// answered and the rate rises so.
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

    /// Takes in an answer; returns whether those who wait have to wait longer now.
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

    /// What was sent before the rate fell says nothing about the rate that holds now.
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

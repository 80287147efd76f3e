//! Computes the wait before the next attempt of a call or login.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Exponential backoff: the wait before retry n is at most `initial × multiplier^(n-1)` and never more than
/// `max`. The actual wait is drawn between zero and that ("full jitter"), so that clients which failed at the
/// same time do not retry at the same time.
///
/// ```
/// use std::time::Duration;
/// use eset_protect::Backoff;
///
/// let backoff = Backoff::default();
/// let ceilings: Vec<_> = (1..=4).map(|retry| backoff.ceiling(retry)).collect();
/// assert_eq!(ceilings, [250, 500, 1000, 2000].map(Duration::from_millis));
/// assert_eq!(backoff.ceiling(1000), Duration::from_secs(10));
/// ```
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Backoff {
    initial: Duration,
    max: Duration,
    multiplier: f64,
}

impl Default for Backoff {
    /// Waits 250 ms, doubled up to 10 s. The first retry is early enough for a broken connection; four
    /// retries take about four seconds, as long as the failover of a load balancer.
    fn default() -> Self {
        Self { initial: Duration::from_millis(250), max: Duration::from_secs(10), multiplier: 2.0 }
    }
}

impl Backoff {
    /// Creates a backoff from `initial` to `max`, doubled each time. A `max` below `initial` counts as
    /// `initial`.
    pub fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max: max.max(initial), ..Self::default() }
    }

    /// Sets the factor between consecutive waits: 2 by default. Values below 1 and NaN count as 1.
    #[must_use]
    pub fn multiplier(mut self, multiplier: f64) -> Self {
        // `max` of NaN and 1 is 1.
        self.multiplier = multiplier.max(1.0);
        self
    }

    /// Returns the longest wait before retry n; the first retry is 1.
    pub fn ceiling(&self, retry: u32) -> Duration {
        let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.multiplier.powi(exponent);
        // The product is infinite on overflow and NaN for zero times infinity.
        Duration::try_from_secs_f64(seconds).map_or(self.max, |wait| wait.min(self.max))
    }
}

/// Draws a wait between zero and a ceiling.
#[derive(Clone)]
pub(crate) struct Jitter(Arc<dyn Fn(Duration) -> Duration + Send + Sync>);

impl Jitter {
    pub(crate) fn new(draw: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(draw))
    }

    /// Draws a wait between half the ceiling and the ceiling, for pauses that must not be skipped.
    pub(crate) fn draw_upper_half(&self, ceiling: Duration) -> Duration {
        let half = ceiling / 2;
        half + self.draw(ceiling - half)
    }

    /// Draws a wait that never exceeds the ceiling.
    pub(crate) fn draw(&self, ceiling: Duration) -> Duration {
        (self.0)(ceiling).min(ceiling)
    }
}

impl Default for Jitter {
    fn default() -> Self {
        Self::new(|ceiling| ceiling.mul_f64(fastrand::f64()))
    }
}

impl fmt::Debug for Jitter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Jitter")
    }
}

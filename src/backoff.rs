//! How long to wait before the next attempt, of a call or of a login.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// Exponential backoff: before the n-th retry at most `initial × multiplier^(n-1)`, never more than `max`.
/// What is really waited is drawn from zero to that ("full jitter"), so that clients which failed
/// together do not come back together.
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
    /// 250 ms, doubled, up to 10 s. The first retry is soon enough for a connection that broke; four of
    /// them spread over some four seconds, which is a load balancer's failover.
    fn default() -> Self {
        Self { initial: Duration::from_millis(250), max: Duration::from_secs(10), multiplier: 2.0 }
    }
}

impl Backoff {
    /// Backoff from `initial` to `max`, doubled each time. A `max` below `initial` counts as `initial`.
    pub fn new(initial: Duration, max: Duration) -> Self {
        Self { initial, max: max.max(initial), ..Self::default() }
    }

    /// By what each wait is longer than the one before: 2 by default. Less than 1, or no number, counts
    /// as 1.
    #[must_use]
    pub fn multiplier(mut self, multiplier: f64) -> Self {
        // `max` of a NaN and 1 is 1.
        self.multiplier = multiplier.max(1.0);
        self
    }

    /// The longest wait before the n-th retry; the first is 1.
    pub fn ceiling(&self, retry: u32) -> Duration {
        let exponent = i32::try_from(retry.saturating_sub(1)).unwrap_or(i32::MAX);
        let seconds = self.initial.as_secs_f64() * self.multiplier.powi(exponent);
        // Infinite where it overflows, and no number where nothing is doubled for ever.
        Duration::try_from_secs_f64(seconds).map_or(self.max, |wait| wait.min(self.max))
    }
}

/// Draws a wait from zero to a ceiling.
#[derive(Clone)]
pub(crate) struct Jitter(Arc<dyn Fn(Duration) -> Duration + Send + Sync>);

impl Jitter {
    pub(crate) fn new(draw: impl Fn(Duration) -> Duration + Send + Sync + 'static) -> Self {
        Self(Arc::new(draw))
    }

    /// A wait from half the ceiling to the ceiling, for what must rest in any case.
    pub(crate) fn draw_upper_half(&self, ceiling: Duration) -> Duration {
        let half = ceiling / 2;
        half + self.draw(ceiling - half)
    }

    /// A wait, never over the ceiling.
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

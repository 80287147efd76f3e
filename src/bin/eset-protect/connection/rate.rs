//! How many calls a second.

use std::time::Duration;

use eset_protect::{ClientBuilder, RateLimiter};

/// More is no limit.
const MOST: u32 = 10_000;

/// What somebody wants instead of the library's own rate.
#[derive(Clone, Copy, Debug)]
pub enum Rate {
    Unlimited,
    PerSecond(u32),
}

impl Rate {
    pub fn parse(text: &str) -> Result<Self, String> {
        match text.parse() {
            Ok(0) => Ok(Self::Unlimited),
            Ok(calls) if calls <= MOST => Ok(Self::PerSecond(calls)),
            _ if text == "off" => Ok(Self::Unlimited),
            _ => Err(format!(
                "expected calls a second, from 1 to {MOST}, or 0 or `off` for no limit"
            )),
        }
    }

    pub fn give(self, builder: ClientBuilder) -> ClientBuilder {
        match self {
            Self::Unlimited => builder.no_rate_limiter(),
            Self::PerSecond(calls) => {
                builder.rate_limiter(&RateLimiter::new(calls, Duration::from_secs(1)))
            }
        }
    }
}

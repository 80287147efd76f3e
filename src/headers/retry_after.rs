//! `Retry-After` (RFC 9110, 10.2.3).

use std::time::{Duration, SystemTime};

use http::{HeaderMap, HeaderValue, header};

/// Returns the wait from seconds or a date. A past date means now; invalid values are ignored.
pub(crate) fn retry_after(headers: &HeaderMap, now: SystemTime) -> Option<Duration> {
    let text = headers.get(header::RETRY_AFTER)?.to_str().ok()?.trim();
    if !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit()) {
        // More digits than fit mean a very long time.
        return Some(Duration::from_secs(text.parse().unwrap_or(u64::MAX)));
    }
    let date = httpdate::parse_http_date(text).ok()?;
    Some(date.duration_since(now).unwrap_or_default())
}

/// Returns the wait in seconds if it is a date and the response says what time its server has.
pub(super) fn by_its_own_date(headers: &HeaderMap) -> Option<HeaderValue> {
    let date = |name| httpdate::parse_http_date(headers.get(name)?.to_str().ok()?.trim()).ok();
    let wait = date(header::RETRY_AFTER)?.duration_since(date(header::DATE)?);
    Some(wait.unwrap_or_default().as_secs().into())
}

//! Times and spans of time of other crates.

use chrono::{DateTime, TimeDelta, Utc};

use super::*;

const SECOND: i64 = 1_000_000_000;

fn time(seconds: i64, nanos: i32) -> Timestamp {
    Timestamp { seconds, nanos }
}

#[test]
fn a_timestamp_is_a_time_of_jiff_and_of_chrono() {
    for text in [
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59.999999999Z",
        "1970-01-01T00:00:00Z",
        "2030-01-01T00:00:00.500Z",
        "9999-12-30T22:00:00.999999999Z",
    ] {
        let time: Timestamp = text.parse().unwrap();
        let jiff = jiff::Timestamp::try_from(time).unwrap();
        assert_eq!(jiff, text.parse::<jiff::Timestamp>().unwrap());
        assert_eq!(Timestamp::try_from(jiff).unwrap(), time);
        let chrono = DateTime::<Utc>::try_from(time).unwrap();
        assert_eq!(chrono, text.parse::<DateTime<Utc>>().unwrap());
        assert_eq!(Timestamp::try_from(chrono).unwrap(), time);
        assert_eq!(Timestamp::try_from(chrono.fixed_offset()).unwrap(), time);
    }
}

#[test]
fn a_time_out_of_range_is_an_error() {
    for time in
        [time(-62_135_596_801, 0), time(253_402_300_800, 0), time(0, -1), time(0, 1_000_000_000)]
    {
        assert!(jiff::Timestamp::try_from(time).is_err(), "{time}");
        assert!(DateTime::<Utc>::try_from(time).is_err(), "{time}");
    }
    assert!(Timestamp::try_from(jiff::Timestamp::MIN).is_err());
    assert!(Timestamp::try_from(DateTime::<Utc>::MIN_UTC).is_err());
    assert!(Timestamp::try_from(DateTime::<Utc>::MAX_UTC).is_err());
    let leap = "2016-12-31T23:59:60Z".parse::<DateTime<Utc>>().unwrap();
    assert!(Timestamp::try_from(leap).is_err(), "a leap second");
}

#[test]
fn a_duration_is_a_span_of_jiff_and_of_chrono() {
    for (seconds, nanos) in
        [(0, 0), (1, 500_000_000), (-1, -500_000_000), (0, -1), (315_576_000_000, 0)]
    {
        let duration = Duration { seconds, nanos };
        let whole = i128::from(seconds) * i128::from(SECOND) + i128::from(nanos);
        let jiff = jiff::SignedDuration::try_from(duration).unwrap();
        assert_eq!(jiff.as_nanos(), whole);
        assert_eq!(Duration::try_from(jiff).unwrap(), duration);
        let chrono = TimeDelta::try_from(duration).unwrap();
        assert_eq!(
            i128::from(chrono.num_seconds()) * i128::from(SECOND)
                + i128::from(chrono.subsec_nanos()),
            whole
        );
        assert_eq!(Duration::try_from(chrono).unwrap(), duration);
    }
    for (seconds, nanos) in [(315_576_000_001, 0), (1, -1), (0, i32::MIN), (i64::MIN, -1)] {
        let duration = Duration { seconds, nanos };
        assert_eq!(jiff::SignedDuration::try_from(duration), Err(duration));
        assert_eq!(TimeDelta::try_from(duration), Err(duration));
    }
    assert!(Duration::try_from(jiff::SignedDuration::MAX).is_err());
    assert!(Duration::try_from(TimeDelta::MIN).is_err());
}

//! Times and spans of time of other crates.

use chrono::{DateTime, TimeDelta, Utc};
use eset_protect::wkt::{ParseDurationError, ParseTimestampError, Struct};

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
    let last: Timestamp = "9999-12-31T23:59:59.999999999Z".parse().unwrap();
    let error = jiff::Timestamp::try_from(last).unwrap_err();
    assert_eq!(error, ParseTimestampError::Unrepresentable, "{error}");
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
        let error = ParseDurationError::OutOfRange;
        assert_eq!(jiff::SignedDuration::try_from(duration), Err(error));
        assert_eq!(TimeDelta::try_from(duration), Err(error));
        assert_eq!(std::time::Duration::try_from(duration), Err(error));
    }
    assert!(Duration::try_from(jiff::SignedDuration::MAX).is_err());
    assert!(Duration::try_from(TimeDelta::MIN).is_err());
}

#[test]
fn a_duration_is_a_span_of_the_standard_library() {
    let of = |seconds, nanos| std::time::Duration::try_from(Duration { seconds, nanos });
    assert_eq!(of(1, 5), Ok(std::time::Duration::new(1, 5)));
    assert_eq!(of(-1, 0), Err(ParseDurationError::Negative));
    assert_eq!(of(0, -1), Err(ParseDurationError::Negative));
    for (seconds, nanos) in [(1, 1_000_000_000), (i64::MAX, 0), (1, -1)] {
        assert_eq!(of(seconds, nanos), Err(ParseDurationError::OutOfRange));
    }
}

#[test]
fn a_duration_is_parsed_and_compared() {
    let parse = |text: &str| text.parse::<Duration>();
    assert_eq!(parse("-1.5s"), Ok(Duration { seconds: -1, nanos: -500_000_000 }));
    for text in ["", "s", "1", "1m", ".5s", "1.s", "+1s", "1.0123456789s"] {
        assert_eq!(parse(text), Err(ParseDurationError::Format), "{text}");
    }
    for text in ["315576000001s", "-99999999999999999999s"] {
        assert_eq!(parse(text), Err(ParseDurationError::OutOfRange), "{text}");
    }
    let texts = ["-2s", "-1.5s", "-1s", "-0.5s", "0s", "0.5s", "1s", "1.5s"];
    assert!(texts.map(|text| parse(text).unwrap()).is_sorted());
}

#[test]
fn times_are_those_of_prost_types() {
    let (seconds, nanos) = (-1, 1_000_000_000);
    let time = prost_types::Timestamp { seconds, nanos };
    assert_eq!(prost_types::Timestamp::from(Timestamp::from(time)), time);
    let duration = prost_types::Duration { seconds, nanos };
    assert_eq!(prost_types::Duration::from(Duration::from(duration)), duration);
}

#[test]
fn a_value_is_one_of_serde_json() {
    let json = serde_json::json!({"a": [null, true, -1.5, "b", {}, []]});
    let value = Value::try_from(json.clone()).unwrap();
    assert_eq!(serde_json::to_value(&value).unwrap(), json);
    assert_eq!(serde_json::Value::try_from(value).unwrap(), json);
    let members = json.as_object().unwrap().clone();
    let value = Struct::try_from(members.clone()).unwrap();
    assert_eq!(serde_json::Map::try_from(value).unwrap(), members);
    for value in [f64::NAN.into(), Value::default()] {
        assert!(serde_json::Value::try_from(value).is_err());
    }
}

//! Timestamps and durations: text in JSON.

use super::*;

#[test]
fn a_timestamp_ends_with_z_and_has_0_3_6_or_9_digits() {
    for (json, seconds, nanos) in [
        ("1970-01-01T00:00:00Z", 0, 0),
        ("1970-01-01T00:00:00.500Z", 0, 500_000_000),
        ("1970-01-01T00:00:00.000500Z", 0, 500_000),
        ("1970-01-01T00:00:00.000000500Z", 0, 500),
        ("1969-12-31T23:59:59.999999999Z", -1, 999_999_999),
        ("0001-01-01T00:00:00Z", -62_135_596_800, 0),
        ("9999-12-31T23:59:59.999999999Z", 253_402_300_799, 999_999_999),
        ("2024-02-29T12:00:00Z", 1_709_208_000, 0),
        ("2000-02-29T00:00:00Z", 951_782_400, 0),
        ("2100-02-28T23:59:59Z", 4_107_542_399, 0),
        ("2100-03-01T00:00:00Z", 4_107_542_400, 0),
    ] {
        both_ways(&format!("\"{json}\""), &time(seconds, nanos));
    }
}

#[test]
fn a_timestamp_is_read_in_every_form_of_rfc_3339() {
    for (text, seconds, nanos) in [
        ("1970-01-01T00:00:00.0Z", 0, 0),
        ("1970-01-01T00:00:00.5Z", 0, 500_000_000),
        ("1970-01-01T00:00:00.12345678Z", 0, 123_456_780),
        ("1970-01-01T02:00:00+02:00", 0, 0),
        ("1969-12-31T18:30:00-05:30", 0, 0),
        ("1970-01-01T00:00:00+00:00", 0, 0),
        ("1970-01-01T00:00:00-00:00", 0, 0),
        ("1970-01-01T23:59:00+23:59", 0, 0),
        ("0000-12-31T23:00:00-01:00", -62_135_596_800, 0),
        ("2024-03-01T00:30:00+01:00", 1_709_249_400, 0),
    ] {
        assert_eq!(read::<Timestamp>(&format!("\"{text}\"")), time(seconds, nanos), "{text}");
    }
}

#[test]
fn what_is_no_timestamp_is_refused() {
    for text in [
        "1970-01-01t00:00:00Z",
        "1970-01-01T00:00:00z",
        "1970-01-01 00:00:00Z",
        "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:00",
        "1970-01-01T00:00Z",
        "1970-01-01",
        "70-01-01T00:00:00Z",
        "01970-01-01T00:00:00Z",
        "1970-1-01T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-04-31T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "0000-12-31T23:59:59Z",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+01:60",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+01",
        "1970-01-01T00:00:00ZZ",
        "",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00Zü",
        "-001-01-01T00:00:00Z",
        "+970-01-01T00:00:00Z",
        "١٩٧٠-01-01T00:00:00Z",
    ] {
        let json = format!(r#"{{"expireTime":"{text}"}}"#);
        let error = error::<ManualTrigger>(&json);
        assert!(error.contains("`expireTime`") && error.contains(text), "{text}: {error}");
    }
    for json in ["0", "{}", "[]", "true", r#"{"nanos":0}"#, r#"{"seconds":0,"a":1}"#] {
        assert!(!error::<Timestamp>(json).is_empty());
    }
    assert!(strict_error::<Timestamp>(r#"{"seconds":0}"#).contains("expected a time"));
    for (seconds, nanos) in [
        (-62_135_596_801, 0),
        (253_402_300_800, 0),
        (0, -1),
        (0, 1_000_000_000),
        (i64::MIN, i32::MIN),
        (i64::MAX, i32::MAX),
    ] {
        let trigger = ManualTrigger { create_time: Some(time(seconds, nanos)), expire_time: None };
        let json = format!(r#"{{"createTime":{{"seconds":"{seconds}","nanos":{nanos}}}}}"#);
        let error = without_json(&json, &trigger);
        assert!(error.contains("`createTime`"), "{seconds} {nanos}: {error}");
    }
}

#[test]
fn a_duration_has_0_3_6_or_9_digits_and_one_sign() {
    let duration = |seconds, nanos| RetryInfo { retry_delay: Some(Duration { seconds, nanos }) };
    for (text, seconds, nanos) in [
        ("0s", 0, 0),
        ("1.500s", 1, 500_000_000),
        ("-1.500s", -1, -500_000_000),
        ("-0.000001s", 0, -1000),
        ("0.000000001s", 0, 1),
        ("315576000000s", 315_576_000_000, 0),
        ("-315576000000.999999999s", -315_576_000_000, -999_999_999),
    ] {
        both_ways(&format!(r#"{{"retryDelay":"{text}"}}"#), &duration(seconds, nanos));
    }
    for text in [
        "1",
        "1.s",
        ".5s",
        "s",
        "-s",
        "+1s",
        "1 s",
        "1S",
        "1.0000000001s",
        "315576000001s",
        "1e3s",
        "--1s",
    ] {
        let error = error::<RetryInfo>(&format!(r#"{{"retryDelay":"{text}"}}"#));
        assert!(error.contains("`retryDelay`") && error.contains(text), "{error}");
    }
    for (seconds, nanos) in [(1, -1), (-1, 1), (0, 1_000_000_000), (315_576_000_001, 0)] {
        let json = format!(r#"{{"retryDelay":{{"seconds":"{seconds}","nanos":{nanos}}}}}"#);
        assert!(without_json(&json, &duration(seconds, nanos)).contains("`retryDelay`"));
    }
}

#[test]
fn an_object_is_told_what_was_expected() {
    for (json, found) in [("{}", "without `seconds`"), (r#"{"time":1}"#, "with the member `time`")]
    {
        let time = error::<Timestamp>(json);
        assert!(time.contains("RFC 3339") && time.contains(found), "{json}: {time}");
        let duration = error::<Duration>(json);
        assert!(duration.contains(r#""1.5s""#) && duration.contains(found), "{json}: {duration}");
    }
}

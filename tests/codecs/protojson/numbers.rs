//! Integers and floats, in every spelling and at the limits of their ranges.

use super::*;

#[test]
fn integers_are_read_in_every_spelling() {
    for (json, value) in [
        ("0", 0),
        ("-0", 0),
        ("1", 1),
        ("1.0", 1),
        ("1e3", 1000),
        ("1E+3", 1000),
        ("10e-1", 1),
        (r#""1""#, 1),
        (r#""1e3""#, 1000),
        (r#""1.0""#, 1),
        (r#""10.00e-1""#, 1),
        (r#""0.5e1""#, 5),
        (r#""0e999999999999""#, 0),
        (r#""-0""#, 0),
        ("123e0", 123),
    ] {
        assert_eq!(read::<UInt32Value>(json).value, value, "{json}");
        assert_eq!(read::<Int32Value>(json).value, value.cast_signed(), "{json}");
        assert_eq!(read::<UInt64Value>(json).value, u64::from(value), "{json}");
        assert_eq!(read::<Int64Value>(json).value, i64::from(value), "{json}");
        let message: ListTasksRequest = read(&format!(r#"{{"pageSize":{json}}}"#));
        assert_eq!(message.page_size, value, "{json}");
    }
    both_ways("4294967295", &UInt32Value { value: u32::MAX });
    both_ways("-2147483648", &Int32Value { value: i32::MIN });
    both_ways(r#""18446744073709551615""#, &UInt64Value { value: u64::MAX });
    both_ways(r#""-9223372036854775808""#, &Int64Value { value: i64::MIN });
    assert_eq!(read::<UInt64Value>("18446744073709551615").value, u64::MAX);
    assert_eq!(read::<UInt64Value>(r#""18446744073709551615.0""#).value, u64::MAX);
    assert_eq!(read::<Int64Value>("-9223372036854775808").value, i64::MIN);
    both_ways(
        r#"{"quotaValue":"-1","futureQuotaValue":"0"}"#,
        &Violation { quota_value: -1, future_quota_value: Some(0), ..Default::default() },
    );
}

#[test]
fn what_is_no_integer_is_refused() {
    const NEVER: &[&str] = &[
        "1.5",
        "1e-1",
        "1e400",
        "-1e400",
        "01",
        "+1",
        ".5",
        "1.",
        "NaN",
        "true",
        "{}",
        "[]",
        "[1]",
        r#""01""#,
        r#""+1""#,
        r#"" 1""#,
        r#""1 ""#,
        r#""""#,
        r#""1.5""#,
        r#"".5""#,
        r#""1.""#,
        r#""-""#,
        r#""1e""#,
        r#""0x1""#,
        r#""1_000""#,
        r#""NaN""#,
        r#""Infinity""#,
        r#""١""#,
        r#""1e999999999999999999999""#,
        r#""1e-999999999999999999999""#,
        r#""1e30""#,
        "1e30",
        r#""99999999999999999999999999999999999999999999999999""#,
        r#"{"$serde_json::private::Numbers":"1"}"#,
    ];
    for json in NEVER {
        assert!(!error::<Int32Value>(json).is_empty());
        assert!(!error::<UInt32Value>(json).is_empty());
        assert!(!error::<Int64Value>(json).is_empty());
        assert!(!error::<UInt64Value>(json).is_empty());
    }
    for quote in ["", "\""] {
        let quoted = |number: &str| format!("{quote}{number}{quote}");
        error::<Int32Value>(&quoted("2147483648"));
        error::<Int32Value>(&quoted("-2147483649"));
        error::<UInt32Value>(&quoted("4294967296"));
        error::<UInt32Value>(&quoted("-1"));
        error::<Int64Value>(&quoted("9223372036854775808"));
        error::<Int64Value>(&quoted("-9223372036854775809"));
        error::<Int64Value>(&quoted("1e19"));
        error::<UInt64Value>(&quoted("18446744073709551616"));
        error::<UInt64Value>(&quoted("-1"));
    }
    let error = error::<ListTasksRequest>(r#"{"pageSize":"1.5"}"#);
    assert!(error.contains("`pageSize`: expected an unsigned 32-bit integer"), "{error}");
}

#[test]
fn nan_and_the_infinities_are_strings() {
    both_ways(r#""Infinity""#, &DoubleValue { value: f64::INFINITY });
    both_ways(r#""-Infinity""#, &DoubleValue { value: f64::NEG_INFINITY });
    both_ways(r#""-Infinity""#, &FloatValue { value: f32::NEG_INFINITY });
    assert!(read::<DoubleValue>(r#""NaN""#).value.is_nan());
    assert!(read::<FloatValue>(r#""NaN""#).value.is_nan());
    assert_eq!(write(&DoubleValue { value: f64::NAN }), r#""NaN""#);
    assert_eq!(write(&FloatValue { value: -f32::NAN }), r#""NaN""#);
    for json in [r#""nan""#, r#""inf""#, r#""+Infinity""#, r#""infinity""#, "NaN", "Infinity"] {
        error::<DoubleValue>(json);
        error::<FloatValue>(json);
    }
    // `google.protobuf.Value` cannot represent them: as strings they are strings.
    for (value, json) in [(f64::NAN, r#""NaN""#), (f64::NEG_INFINITY, r#""-Infinity""#)] {
        let value = Value::from(value);
        assert_eq!(write(&value), json);
        assert_eq!(read::<Value>(json), Value::from(json.trim_matches('"')));
        assert!(Writer::new().strict(true).write(&value).is_err());
    }
}

#[test]
fn a_float_out_of_range_is_an_error() {
    both_ways("3.4028235e+38", &FloatValue { value: f32::MAX });
    assert_eq!(read::<FloatValue>("-3.4028235e38").value, f32::MIN);
    assert_eq!(read::<FloatValue>(r#""1.5""#).value, 1.5);
    // Above it is 1.0000002, to which the nearest `f64` would be rounded.
    assert_eq!(read::<FloatValue>("1.00000017881393432617187499").value, 1.0000001);
    for json in ["3.5e38", "-1e39", "1e308", "1e400", r#""3.5e38""#, r#""1e400""#] {
        assert!(!error::<FloatValue>(json).is_empty());
    }
    both_ways("1.7976931348623157e+308", &DoubleValue { value: f64::MAX });
    both_ways("5e-324", &DoubleValue { value: 5e-324 });
    both_ways("0.1", &DoubleValue { value: 0.1 });
    // Without serde_json's float_roundtrip, one unit in the last place is lost.
    assert_eq!(read::<DoubleValue>("1.2345678901234567e-7").value, 1.234_567_890_123_456_7e-7);
    for json in [r#""1e""#, r#"" 1""#, r#""""#, "{}", "true"] {
        assert!(!error::<DoubleValue>(json).is_empty());
    }
    for json in ["1e309", "-1e400", r#""1e309""#, "1.7976931348623159e308"] {
        assert!(error::<DoubleValue>(json).contains("number out of range"), "{json}");
    }
    assert!(error::<FloatValue>("3.5e38").contains("number out of range: 3.5e38"));
}

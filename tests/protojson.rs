//! The ProtoJSON specification, row by row of the table in the crate's design, in both directions.

use std::fmt::Debug;

use era::policy::PolicyData;
use era::task::ess::OnDemandScan;
use eset_protect::proto::era::common::data_definition as era;
use eset_protect::proto::eset::dotnod::automation::v1::{
    DeviceTask, DeviceTaskRun, ListTaskRunsResponse, ListTasksRequest, ManualTrigger,
    TaskRunStatus, Trigger,
};
use eset_protect::proto::eset::dotnod::os_integration::v1::KillProcessByPidRequest;
use eset_protect::proto::eset::dotnod::patch_management::v1::ApplyApplicationPatchRequest;
use eset_protect::proto::eset::dotnod::policy_management::v2::{
    FeaturePolicy, ListPolicyAssignmentsRequest, Policy, PolicyTarget, SettingFlags, policy_target,
};
use eset_protect::proto::google::rpc::quota_failure::Violation;
use eset_protect::proto::google::rpc::{RetryInfo, Status};
use eset_protect::protojson::open_enum::unrecognised;
use eset_protect::protojson::{Reader, Writer};
use eset_protect::wkt::{
    Any, BytesValue, DoubleValue, Duration, Empty, FieldMask, FloatValue, Int32Value, Int64Value,
    ListValue, Struct, Timestamp, UInt32Value, UInt64Value, Value,
};
use serde::Serialize;
use serde::de::DeserializeOwned;

#[track_caller]
fn read<M: DeserializeOwned>(json: &str) -> M {
    serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"))
}

fn write<M: Serialize>(message: &M) -> String {
    serde_json::to_string(message).unwrap()
}

/// The error of reading.
#[track_caller]
fn error<M: DeserializeOwned + Debug>(json: &str) -> String {
    let shown: String = json.chars().take(80).collect();
    match serde_json::from_str::<M>(json) {
        Ok(message) => panic!("{shown} was read as {message:?}"),
        Err(error) => error.to_string(),
    }
}

/// The JSON is read as the message, and the message written as the JSON.
#[track_caller]
fn both_ways<M>(json: &str, message: &M)
where
    M: Serialize + DeserializeOwned + PartialEq + Debug,
{
    assert_eq!(read::<M>(json), *message, "{json}");
    assert_eq!(write(message), json);
}

fn time(seconds: i64, nanos: i32) -> Timestamp {
    Timestamp { seconds, nanos }
}

#[test]
fn an_any_has_its_type_in_at_type() {
    let scan = OnDemandScan { cleaning_enabled: Some(false), ..Default::default() };
    let url = "type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan";
    both_ways(&format!(r#"{{"@type":"{url}","cleaningEnabled":false}}"#), &Any::pack(&scan));
    assert!(error::<Any>(r#"{"typeUrl":"x.Y","value":""}"#).contains("`@type`"));
}

#[test]
fn a_field_mask_is_a_string() {
    let mask = |paths: &[&str]| FieldMask { paths: paths.iter().map(|&p| p.into()).collect() };
    both_ways(r#""""#, &mask(&[]));
    both_ways(r#""a,bC""#, &mask(&["a", "b_c"]));
    both_ways(
        r#""targets.devicesUuids,displayName""#,
        &mask(&["targets.devices_uuids", "display_name"]),
    );
    for json in [r#"{"paths":["a"]}"#, r#"["a"]"#, r#""a_b""#, r#"",""#, r#""a,""#, "1"] {
        assert!(!error::<FieldMask>(json).is_empty());
    }
    for path in ["displayName", "a__b", "a_", "a_B", "a_1", "a,b", ""] {
        assert!(serde_json::to_string(&mask(&[path])).is_err(), "{path} has no way back");
    }
}

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
    for json in ["0", "{}", "[]", "true", r#"{"seconds":0}"#] {
        assert!(!error::<Timestamp>(json).is_empty());
    }
    for (seconds, nanos) in [
        (-62_135_596_801, 0),
        (253_402_300_800, 0),
        (0, -1),
        (0, 1_000_000_000),
        (i64::MIN, i32::MIN),
        (i64::MAX, i32::MAX),
    ] {
        let trigger = ManualTrigger { create_time: Some(time(seconds, nanos)), expire_time: None };
        let error = serde_json::to_string(&trigger).unwrap_err().to_string();
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
        assert!(serde_json::to_string(&duration(seconds, nanos)).is_err());
    }
}

fn run(status: i32) -> DeviceTaskRun {
    DeviceTaskRun { status, ..Default::default() }
}

#[test]
fn an_enum_number_without_a_name_is_a_number() {
    for number in [6, 77, i32::MAX, -1, i32::MIN] {
        both_ways(&format!(r#"{{"status":{number}}}"#), &run(number));
    }
    both_ways(r#"{"status":"TASK_RUN_STATUS_FAILED"}"#, &run(4));
    for json in ["4", "4.0", "4e0", r#""4""#, r#""TASK_RUN_STATUS_FAILED""#] {
        assert_eq!(read::<DeviceTaskRun>(&format!(r#"{{"status":{json}}}"#)), run(4));
    }
    for json in ["4.5", "2147483648", "true", "[]", "{}", r#""""#, "1e400"] {
        let error = error::<DeviceTaskRun>(&format!(r#"{{"status":{json}}}"#));
        assert!(error.contains("status") || json == "1e400", "{error}");
    }
}

#[test]
fn an_unknown_enum_name_is_kept() {
    let json = r#"{"status":"TASK_RUN_STATUS_PAUSED"}"#;
    let message: DeviceTaskRun = read(json);
    assert_eq!(write(&message), json);
    // The documented number, on the gRPC wire too: i32::MIN | FNV-1a-32 of the name.
    let hash = "TASK_RUN_STATUS_PAUSED"
        .bytes()
        .fold(2_166_136_261_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(16_777_619));
    let number = i32::MIN | hash.cast_signed();
    assert_eq!(message.status, number);
    assert_eq!(TaskRunStatus::try_from(number).ok(), None, "it is no value of the enum");
    assert_eq!(
        unrecognised("eset.dotnod.automation.v1.TaskRunStatus", "TASK_RUN_STATUS_PAUSED"),
        number
    );
    let sent = prost::Message::encode_to_vec(&message);
    let received: DeviceTaskRun = prost::Message::decode(sent.as_slice()).unwrap();
    assert_eq!(received.status, number);
    // Names that two enums do not have are two names.
    both_ways(
        r#"{"source":"TASK_RUN_STATUS_PAUSED"}"#,
        &read::<DeviceTask>(r#"{"source":"TASK_RUN_STATUS_PAUSED"}"#),
    );
    assert!(read::<DeviceTaskRun>(r#"{"status":"task_run_status_failed"}"#).status < 0);
}

#[test]
fn one_unknown_enum_name_fails_no_list() {
    let json = r#"{"taskRuns":[{"status":"TASK_RUN_STATUS_FAILED"},{"status":"NEWER"},{}]}"#;
    let list: ListTaskRunsResponse = read(json);
    assert_eq!(list.task_runs.len(), 3);
    assert_eq!(list.task_runs[0].status(), TaskRunStatus::Failed);
    assert_eq!(list.task_runs[1].status(), TaskRunStatus::Unspecified, "prost's view of it");
    assert_ne!(list.task_runs[1].status, TaskRunStatus::Unspecified as i32);
    assert_eq!(write(&list), json);
    let problem = Reader::new().strict(true).read::<ListTaskRunsResponse>(json.as_bytes());
    let problem = problem.unwrap_err().to_string();
    assert!(problem.contains("taskRuns[1].status") && problem.contains("NEWER"), "{problem}");
}

#[test]
fn unknown_names_do_not_fill_the_memory() {
    // More than 4,096 names are read; those beyond are written as their numbers.
    let long = "N".repeat(100_000);
    let message: DeviceTaskRun = read(&format!(r#"{{"status":"{long}"}}"#));
    assert_eq!(write(&message), format!(r#"{{"status":{}}}"#, message.status));
}

#[test]
fn null_is_the_default() {
    let task = r#"{"uuid":null,"versionId":null,"source":null,"triggers":null,"targets":null,
        "action":null,"createTime":null}"#;
    assert_eq!(read::<DeviceTask>(task), DeviceTask::default());
    let feature = r#"{"featureId":null,"flags":null,"configuration":null}"#;
    assert_eq!(read::<FeaturePolicy>(feature), FeaturePolicy::default());
    assert_eq!(read::<SettingFlags>(r#"{"readOnly":null}"#), SettingFlags::default());
    assert_eq!(read::<PolicyTarget>(r#"{"deviceUuid":null}"#), PolicyTarget::default());
    let scan = r#"{"scanProfile":null,"scanTargets":null,"cleaningEnabled":null,"powerActions":null,
        "customProfileName":null}"#;
    assert_eq!(read::<OnDemandScan>(scan), OnDemandScan::default());
    assert_eq!(read::<PolicyData>(r#"{"data":null}"#), PolicyData::default());
    // Presence: a default that stands there is not absence.
    assert_eq!(
        write(&read::<OnDemandScan>(r#"{"cleaningEnabled":false}"#)),
        r#"{"cleaningEnabled":false}"#
    );
    assert!(read::<Trigger>(r#"{"manual":{}}"#).kind.is_some());
}

#[test]
fn null_is_no_element_and_no_message() {
    for json in [r#"{"triggers":[null]}"#, r#"{"targets":{"devicesUuids":["a",null]}}"#] {
        let error = error::<DeviceTask>(json);
        assert!(error.contains("null is not an element"), "{error}");
    }
    assert!(error::<FeaturePolicy>(r#"{"flags":{"a":null}}"#).contains(r#"flags["a"]"#));
    assert!(!error::<DeviceTask>("null").is_empty());
}

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
    // `google.protobuf.Value` has no place for them: as strings they would be strings.
    assert!(serde_json::to_string(&Value::from(f64::NAN)).is_err());
    assert!(serde_json::to_string(&Value::from(f64::INFINITY)).is_err());
}

#[test]
fn a_float_out_of_range_is_an_error() {
    both_ways("3.4028235e+38", &FloatValue { value: f32::MAX });
    assert_eq!(read::<FloatValue>("-3.4028235e38").value, f32::MIN);
    assert_eq!(read::<FloatValue>(r#""1.5""#).value, 1.5);
    for json in ["3.5e38", "-1e39", "1e308", "1e400", r#""3.5e38""#, r#""1e400""#] {
        assert!(!error::<FloatValue>(json).is_empty());
    }
    both_ways("1.7976931348623157e+308", &DoubleValue { value: f64::MAX });
    both_ways("5e-324", &DoubleValue { value: 5e-324 });
    both_ways("0.1", &DoubleValue { value: 0.1 });
    // One unit in the last place is lost without serde_json's float_roundtrip.
    assert_eq!(read::<DoubleValue>("1.2345678901234567e-7").value, 1.234_567_890_123_456_7e-7);
    for json in ["1e309", "-1e400", r#""1e309""#, r#""1e""#, r#"" 1""#, r#""""#, "{}", "true"] {
        assert!(!error::<DoubleValue>(json).is_empty());
    }
}

#[test]
fn a_oneof_is_set_once() {
    let device = |uuid: &str| PolicyTarget {
        target: Some(policy_target::Target::DeviceUuid(uuid.to_owned())),
    };
    both_ways(r#"{"deviceUuid":"a"}"#, &device("a"));
    both_ways(r#"{"deviceUuid":""}"#, &device(""));
    for json in [
        r#"{"deviceUuid":"a","deviceGroupUuid":null}"#,
        r#"{"deviceGroupUuid":null,"deviceUuid":"a"}"#,
        r#"{"deviceGroupUuid":null,"subscriptionUuid":null,"deviceUuid":"a"}"#,
    ] {
        assert_eq!(read::<PolicyTarget>(json), device("a"), "{json}");
    }
    for json in [
        r#"{"deviceUuid":"a","deviceGroupUuid":"b"}"#,
        r#"{"deviceUuid":"a","deviceUuid":"a"}"#,
        r#"{"deviceUuid":"a","device_uuid":"a"}"#,
        r#"{"deviceUuid":"","subscriptionUuid":""}"#,
    ] {
        assert!(error::<PolicyTarget>(json).contains("oneof"), "{json}");
    }
    let json = r#"{"target":{"deviceUuid":"a","deviceGroupUuid":"b"}}"#;
    let error = error::<ListPolicyAssignmentsRequest>(json);
    assert!(error.contains("`target.deviceGroupUuid`"), "{error}");
}

#[test]
fn unknown_members_are_tolerated_unless_strict() {
    for json in [
        r#"{"added":1,"uuid":"u"}"#,
        r#"{"uuid":"u","added":{"deep":[{"uuid":"x"}]},"":null}"#,
        r#"{"uuid":"u","targets":{"added":1e400}}"#,
        r#"{"uuid":"u","triggers":[{"periodic":{}}]}"#,
        r#"{"uuid":"u","@type":"x.Y"}"#,
    ] {
        assert_eq!(read::<DeviceTask>(json).uuid, "u", "{json}");
    }
    for (json, path) in [
        (r#"{"added":1}"#, "`added`"),
        (r#"{"targets":{"added":1}}"#, "`targets.added`"),
        (r#"{"triggers":[{},{"manual":{"added":1}}]}"#, "`triggers[1].manual.added`"),
        (
            r#"{"action":{"params":{"@type":"google.rpc.Status","added":1}}}"#,
            "`action.params.added`",
        ),
        (
            r#"{"action":{"params":{"added":1,"@type":"google.rpc.Status"}}}"#,
            "`action.params.added`",
        ),
        (r#"{"display_Name":""}"#, "`display_Name`"),
        (r#"{"DisplayName":""}"#, "`DisplayName`"),
    ] {
        assert!(serde_json::from_str::<DeviceTask>(json).is_ok(), "{json}");
        let error = Reader::new().strict(true).read::<DeviceTask>(json.as_bytes()).unwrap_err();
        let error = error.to_string();
        assert!(error.contains(path) && error.contains("no such field"), "{json}: {error}");
    }
    // The option ends with its reader.
    assert!(serde_json::from_str::<DeviceTask>(r#"{"added":1}"#).is_ok());
}

#[test]
fn a_field_that_stands_twice_is_an_error() {
    for (json, name) in [
        (r#"{"uuid":"a","uuid":"a"}"#, "uuid"),
        (r#"{"displayName":"a","display_name":"a"}"#, "displayName"),
        (r#"{"display_name":"a","displayName":null}"#, "displayName"),
        (r#"{"uuid":null,"uuid":"a"}"#, "uuid"),
        (r#"{"\u0075uid":"a","uuid":"a"}"#, "uuid"),
        (r#"{"triggers":[],"triggers":[]}"#, "triggers"),
        (r#"{"targets":{},"targets":null}"#, "targets"),
        (r#"{"createTime":null,"create_time":null}"#, "createTime"),
    ] {
        let error = error::<DeviceTask>(json);
        assert!(error.contains("duplicate") && error.contains(name), "{json}: {error}");
    }
    let twice = error::<FeaturePolicy>(r#"{"flags":{"a":{},"a":{}}}"#);
    assert!(twice.contains(r#"flags["a"]"#) && twice.contains("twice"), "{twice}");
    assert!(error::<Struct>(r#"{"a":1,"a":1}"#).contains("twice"));
}

#[test]
fn deep_json_is_an_error_and_no_overflow() {
    const DEPTH: usize = 100_000;
    let status = r#"{"@type":"google.rpc.Status","details":["#;
    let any = r#"{"@type":"google.protobuf.Any","value":"#;
    let bombs = [
        "[".repeat(DEPTH),
        format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH)),
        r#"{"a":"#.repeat(DEPTH),
        format!("{}1{}", r#"{"a":"#.repeat(DEPTH), "}".repeat(DEPTH)),
        status.repeat(DEPTH),
        format!("{}{}", any.repeat(DEPTH), "}".repeat(DEPTH)),
        // `@type` last at every level.
        format!(
            "{}{{}}{}",
            r#"{"value":"#.repeat(DEPTH),
            r#","@type":"google.protobuf.Any"}"#.repeat(DEPTH)
        ),
        format!(
            "{}{}",
            r#"{"details":["#.repeat(DEPTH),
            r#"],"@type":"google.rpc.Status"}"#.repeat(DEPTH)
        ),
        format!(r#"{{"@type":"x.Y","a":{}{}}}"#, "[".repeat(DEPTH), "]".repeat(DEPTH)),
        format!(
            r#"{{"@type":"google.rpc.Status","a":{}{}}}"#,
            "[".repeat(DEPTH),
            "]".repeat(DEPTH)
        ),
        format!(
            r#"{{"@type":"google.protobuf.ListValue","value":{}{}}}"#,
            "[".repeat(DEPTH),
            "]".repeat(DEPTH)
        ),
    ];
    for bomb in &bombs {
        assert!(!error::<Any>(bomb).is_empty());
        assert!(!error::<Status>(&format!(r#"{{"details":[{bomb}]}}"#)).is_empty());
        assert!(!error::<Struct>(&format!(r#"{{"a":{bomb}}}"#)).is_empty());
        assert!(!error::<ListValue>(bomb).is_empty());
    }
    // serde_json would read it, but Anys nest 100 levels at most.
    let error = error::<Any>(&format!("{}{{}}{}", any.repeat(120), "}".repeat(120)));
    assert!(error.contains("nested deeper than 100"), "{error}");
    // Outside an Any what the message does not have is passed over, however deep it is.
    for (start, end) in [("[", "]"), (r#"{"a":["#, "]}")] {
        let added = format!("{}{}", start.repeat(DEPTH), end.repeat(DEPTH));
        let deep = format!(r#"{{"targets":{{"added":{added}}},"uuid":"u"}}"#);
        assert_eq!(read::<DeviceTask>(&deep).uuid, "u");
        assert!(Reader::new().strict(true).read::<DeviceTask>(deep.as_bytes()).is_err());
    }
}

#[test]
fn deep_json_within_the_limits_goes_both_ways() {
    // As deep as a small thread must stand: an Any in an Any, 90 times, the type last or first.
    let run = || {
        for (start, end) in [
            (r#"{"@type":"google.protobuf.Any","value":"#, "}"),
            (r#"{"value":"#, r#","@type":"google.protobuf.Any"}"#),
            (r#"{"@type":"google.protobuf.Any","added":1,"value":"#, "}"),
            (r#"{"@type":"google.rpc.Status","details":["#, "]}"),
            (r#"{"@type":"google.rpc.Status","added":1,"details":["#, "]}"),
            (r#"{"details":["#, r#"],"@type":"google.rpc.Status"}"#),
        ] {
            let depth = if start.contains("details") { 45 } else { 90 };
            let json = format!("{}{{}}{}", start.repeat(depth), end.repeat(depth));
            let any: Any = read(&json);
            assert_eq!(read::<Any>(&write(&any)), any, "{start}");
        }
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}

#[test]
fn lone_surrogates_are_errors() {
    for json in [
        r#"{"uuid":"\ud800"}"#,
        r#"{"uuid":"\udc00\ud800"}"#,
        r#"{"uuid":"\ud800a"}"#,
        r#"{"uuid":"\ud800\u0041"}"#,
    ] {
        let error = error::<DeviceTask>(json);
        assert!(error.contains("`uuid`") && error.contains("escape"), "{json}: {error}");
    }
    assert!(!error::<DeviceTask>(r#"{"\ud800":1}"#).is_empty());
    assert!(!error::<Any>(r#"{"@type":"x.Y","\ud800":1}"#).is_empty());
    assert!(!error::<Any>(r#"{"@type":"\ud800"}"#).is_empty());
    both_ways(r#"{"uuid":"😀"}"#, &DeviceTask { uuid: "😀".to_owned(), ..Default::default() });
    assert_eq!(read::<DeviceTask>(r#"{"uuid":"\ud83d\ude00"}"#).uuid, "😀");
    // And so are bytes that are not UTF-8.
    for json in [b"{\"uuid\":\"\xff\"}".as_slice(), b"{\"\xff\":1}", b"\xff"] {
        assert!(Reader::new().read::<DeviceTask>(json).is_err());
    }
}

#[test]
fn base64_is_read_in_both_alphabets_with_padding_or_none() {
    let data = |bytes: &[u8]| PolicyData { data: Some(bytes.to_vec().into()), product: None };
    both_ways(r#"{"data":""}"#, &data(b""));
    both_ways(r#"{"data":"+/8="}"#, &data(&[0xfb, 0xff]));
    both_ways(r#"{"data":"/w=="}"#, &data(&[0xff]));
    for text in ["+/8=", "-_8=", "+/8", "-_8"] {
        assert_eq!(read::<BytesValue>(&format!("\"{text}\"")).value[..], [0xfb, 0xff], "{text}");
    }
    for text in [
        "A", "AAAAA", "A===", "=", "====", "A=AA", "AA=", "AAA==", "A A=", "A*==", "ÄAAA", "+_AA",
        "AA\\n",
    ] {
        let error = error::<PolicyData>(&format!(r#"{{"data":"{text}"}}"#));
        assert!(error.contains("`data`") && error.contains("base64"), "{text}: {error}");
    }
    let inside = r#"{"features":[{},{"configuration":{"@type":
        "type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData","data":"*"}}]}"#;
    let error = error::<Policy>(inside);
    assert!(
        error.contains("`features[1].configuration.data`") && error.contains("base64"),
        "{error}"
    );
}

#[test]
fn both_spellings_of_a_name_are_read() {
    let expected = DeviceTask { display_name: "d".to_owned(), version_id: 7, ..Default::default() };
    for json in [r#"{"displayName":"d","versionId":"7"}"#, r#"{"display_name":"d","version_id":7}"#]
    {
        assert_eq!(read::<DeviceTask>(json), expected);
    }
    assert_eq!(write(&expected), r#"{"versionId":"7","displayName":"d"}"#);
}

#[test]
fn the_hash_of_a_process_has_esets_spelling() {
    let kill =
        KillProcessByPidRequest { executable_hash_sha2_256: "h".to_owned(), ..Default::default() };
    both_ways(r#"{"executableHashSha2_256":"h"}"#, &kill);
    for name in ["executableHashSha2256", "executable_hash_sha2_256"] {
        assert_eq!(read::<KillProcessByPidRequest>(&format!(r#"{{"{name}":"h"}}"#)), kill);
        let twice = format!(r#"{{"executableHashSha2_256":"h","{name}":"h"}}"#);
        assert!(error::<KillProcessByPidRequest>(&twice).contains("duplicate"));
    }
}

#[test]
fn the_application_of_a_patch_has_esets_spelling() {
    let patch = ApplyApplicationPatchRequest { application_uuid: "u".to_owned() };
    both_ways(r#"{"application_uuid":"u"}"#, &patch);
    assert_eq!(read::<ApplyApplicationPatchRequest>(r#"{"applicationUuid":"u"}"#), patch);
}

#[test]
fn dynamic_values_are_json() {
    both_ways("null", &Value::from(()));
    both_ways(
        "[null,true,1.5,\"a\",{\"b\":[]}]",
        &read::<Value>(r#"[null,true,1.5,"a",{"b":[]}]"#),
    );
    assert_eq!(read::<ListValue>("[null]").values, [Value::from(())]);
    assert_eq!(read::<Struct>(r#"{"a":1}"#).fields["a"], Value::from(1.0));
    assert_eq!(write(&Value::default()), "null");
    let odd = r#"{"$serde_json::private::Numbers":"1"}"#;
    both_ways(odd, &read::<Value>(odd));
    assert!(error::<Struct>(r#"{"a":[1e400]}"#).contains("range"));
    for json in ["[]", "1", "null"] {
        assert!(!error::<Struct>(json).is_empty());
    }
    both_ways("{}", &Empty {});
}

#[test]
fn a_wrong_kind_of_json_says_where_and_what_is_expected() {
    for (json, path, expected) in [
        (r#"{"uuid":1}"#, "`uuid`", "string"),
        (r#"{"triggers":{}}"#, "`triggers`", "a list"),
        (r#"{"triggers":[[]]}"#, "`triggers[0]`", "Trigger"),
        (r#"{"targets":{"devicesUuids":["a",2]}}"#, "`targets.devicesUuids[1]`", "string"),
        (r#"{"targets":"a"}"#, "`targets`", "DeviceTaskTargets"),
        (r#"{"versionId":true}"#, "`versionId`", "64-bit"),
        (r#"{"source":[]}"#, "`source`", "DeviceTaskSource"),
        (r#"{"action":{"params":[]}}"#, "`action.params`", "@type"),
    ] {
        let error = error::<DeviceTask>(json);
        assert!(error.contains(path) && error.contains(expected), "{json}: {error}");
        assert!(error.contains("line 1 column"), "{error}");
    }
    assert!(!error::<DeviceTask>(r#"{"uuid":"a"} x"#).is_empty());
    assert!(Reader::new().read::<DeviceTask>(br#"{} {}"#).is_err());
    assert!(Reader::new().read::<DeviceTask>(b"").is_err());
}

#[test]
fn defaults_are_written_on_demand() {
    let writer = Writer::new().emit_defaults(true);
    let written = |message: &DeviceTask| String::from_utf8(writer.write(message).unwrap()).unwrap();
    assert_eq!(
        written(&DeviceTask::default()),
        r#"{"uuid":"","versionId":"0","displayName":"","description":"","triggers":[],"source":"DEVICE_TASK_SOURCE_UNSPECIFIED","assetGroupUuid":""}"#,
    );
    let flags = FeaturePolicy::default();
    assert_eq!(writer.write(&flags).unwrap(), br#"{"featureId":0,"flags":{}}"#);
    assert_eq!(writer.write(&PolicyTarget::default()).unwrap(), b"{}", "a oneof is unset");
    assert_eq!(writer.write(&OnDemandScan::default()).unwrap(), br#"{"scanTargets":[]}"#);
    // The option ends with its writer.
    assert_eq!(write(&DeviceTask::default()), "{}");
}

//! The ProtoJSON specification, row by row of its table, in both directions.

#[cfg(unix)]
mod conformance;
mod conversions;
mod enums;
mod formats;
mod limits;
mod members;
mod numbers;
mod times;

use std::fmt::Debug;

use era::policy::PolicyData;
use era::task::ess::OnDemandScan;
use eset_protect::JsonMessage;
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
use eset_protect::protojson::{Reader, Writer, unrecognized_enum_number};
use eset_protect::wkt::{
    Any, BytesValue, DoubleValue, Duration, Empty, FieldMask, FloatValue, Int32Value, Int64Value,
    ListValue, Struct, Timestamp, TypeRegistry, UInt32Value, UInt64Value, Value,
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

/// Returns the error of strict reading.
#[track_caller]
fn strict_error<M: JsonMessage + Debug>(json: &str) -> String {
    match Reader::new().strict(true).read::<M>(json.as_bytes()) {
        Ok(message) => panic!("{json} was read as {message:?}"),
        Err(error) => error.to_string(),
    }
}

/// Checks a value without a JSON form of its own: it is written as this JSON, which can be read again, and
/// strict readers and writers refuse it. Returns the error of the writer.
#[track_caller]
fn without_json<M>(json: &str, message: &M) -> String
where
    M: JsonMessage + PartialEq + Debug,
{
    both_ways(json, message);
    assert!(!strict_error::<M>(json).is_empty());
    Writer::new().strict(true).write(message).unwrap_err().to_string()
}

/// Checks that the JSON is read as the message, and the message is written as the JSON.
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
    assert!(strict_error::<Any>(r#"{"typeUrl":"x.Y","value":""}"#).contains("`@type`"));
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
    both_ways(r#""Foo.a1B2""#, &mask(&["_foo.a1_b2"]));
    both_ways(r#""*""#, &mask(&["*"]));
    both_ways(r#""a.*.bC,*.d""#, &mask(&["a.*.b_c", "*.d"]));
    for json in [r#"{"paths":[1]}"#, "{}", r#"["a"]"#, r#""a_b""#, r#"",""#, r#""a,""#, "1"] {
        assert!(!error::<FieldMask>(json).is_empty());
    }
    for path in ["displayName", "a__b", "a_", "a_B", "a_1", "a,b", "", "_", "a_.b"] {
        let json = format!(r#"{{"paths":["b_c","{path}"]}}"#);
        let error = without_json(&json, &mask(&["b_c", path]));
        assert!(error.contains(&format!("{path:?}")), "{path} has no way back: {error}");
    }
    for path in [
        "a*", "**", "a.**", "a b", " a", " *", "a-b", "a.", ".a", "a..b", "1a", "a.1", "ä", "aÄ",
        "a`b`", "a\"b",
    ] {
        let error = error::<FieldMask>(&serde_json::to_string(path).unwrap());
        assert!(error.contains("is not in lowerCamelCase"), "{path}: {error}");
        assert!(Writer::new().strict(true).write(&mask(&[path])).is_err(), "{path}");
    }
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
    let refused = Writer::new().strict(true).write(&Value::default()).unwrap_err();
    assert_eq!(refused.to_string(), "a google.protobuf.Value has no kind");
    let odd = r#"{"$serde_json::private::Numbers":"1"}"#;
    both_ways(odd, &read::<Value>(odd));
    assert!(error::<Struct>(r#"{"a":[1e400]}"#).contains("range"));
    for json in ["[]", "1", "null"] {
        assert!(!error::<Struct>(json).is_empty());
    }
    both_ways("{}", &Empty {});
}

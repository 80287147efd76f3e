//! Examples on ESET's pages and observed responses are read correctly and written again without loss.

use std::fmt::Debug;

use era::common::allowed_actions::Postpone;
use era::policy::PolicyData;
use era::task::ess::OnDemandScan;
use era::task::ess::on_demand_scan::ScanProfile;
use era::task::os::{RunCommand, ShutdownComputer};
use eset_protect::proto::era::common::data_definition as era;
use eset_protect::proto::eset::dotnod::automation::v1::{
    CreateTaskRequest, DeviceTaskSource, GetTaskResponse, ListTasksResponse, trigger,
};
use eset_protect::proto::eset::dotnod::os_integration::v1::KillProcessByPidRequest;
use eset_protect::proto::eset::dotnod::policy_management::v2::{
    CreatePolicyRequest, GetPolicyResponse,
};
use eset_protect::proto::google::rpc::Status;
use eset_protect::protojson::Writer;
use eset_protect::wkt::{Any, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

/// Reads JSON and checks that it is written again with the same meaning.
#[track_caller]
fn round_trip<M: Serialize + DeserializeOwned + PartialEq + Debug>(json: &str) -> M {
    let message: M = serde_json::from_str(json).unwrap_or_else(|error| panic!("{error}: {json}"));
    let written = serde_json::to_string(&message).unwrap();
    let value = |json: &str| without_defaults(serde_json::from_str(json).unwrap());
    assert_eq!(value(&written), value(json));
    assert_eq!(serde_json::from_str::<M>(&written).unwrap(), message);
    message
}

/// Removes members that mean the same as their absence: fields without presence at their default. Members
/// inside an `Any` have presence and are kept, except empty lists.
fn without_defaults(json: Value) -> Value {
    fn strip(json: Value, in_any: bool) -> Value {
        match json {
            Value::Array(list) => list.into_iter().map(|value| strip(value, in_any)).collect(),
            Value::Object(members) => {
                let in_any = in_any || members.contains_key("@type");
                let members = members.into_iter().filter(|(_, value)| match value {
                    Value::Array(list) => !list.is_empty(),
                    Value::Null => false,
                    Value::Object(_) => true,
                    value if in_any => !value.is_null(),
                    Value::Bool(value) => *value,
                    Value::Number(number) => number.as_u64() != Some(0),
                    Value::String(text) => {
                        !(text.is_empty() || text == "0" || text.ends_with("_UNSPECIFIED"))
                    }
                });
                Value::Object(members.map(|(name, value)| (name, strip(value, in_any))).collect())
            }
            other => other,
        }
    }
    let mut json = strip(json, false);
    // An empty map means the same as its absence.
    if let Some(features) = json.pointer_mut("/policy/features").and_then(Value::as_array_mut) {
        for feature in features.iter_mut().filter_map(Value::as_object_mut) {
            feature.retain(|name, value| {
                name != "flags" || value != &Value::Object(Default::default())
            });
        }
    }
    json
}

#[test]
fn the_example_of_get_task() {
    // The page shows its times as `string`, which is not a time; an example response has times there.
    let json = r#"{
      "task": {
        "action": {"name": "string", "params": {"@type": "string"}},
        "description": "string",
        "displayName": "string",
        "source": "DEVICE_TASK_SOURCE_UNSPECIFIED",
        "targets": {"deviceGroupsUuids": ["string"], "devicesUuids": ["string"]},
        "triggers": [{"manual": {
          "createTime": "2024-02-29T23:59:59.123Z", "expireTime": "2030-01-01T00:00:00Z"}}],
        "uuid": "string",
        "versionId": "18446744073709551615"
      }
    }"#;
    let task = round_trip::<GetTaskResponse>(json).task.unwrap();
    assert_eq!((task.uuid.as_str(), task.version_id), ("string", u64::MAX));
    assert_eq!(task.source(), DeviceTaskSource::Unspecified);
    let targets = task.targets.unwrap();
    assert_eq!((targets.devices_uuids.len(), targets.device_groups_uuids.len()), (1, 1));
    let Some(trigger::Kind::Manual(manual)) = &task.triggers[0].kind else { panic!("manual") };
    assert_eq!(manual.expire_time, Some(Timestamp { seconds: 1_893_456_000, nanos: 0 }));
    assert_eq!(manual.create_time.unwrap().nanos, 123_000_000);
    // The page's type is a placeholder: an unknown type, kept unchanged.
    let params = task.action.unwrap().params.unwrap();
    assert_eq!(params.unknown().unwrap().type_url, "string");

    // As printed on the page, the error says where the placeholders are.
    let page = json.replace("2024-02-29T23:59:59.123Z", "string");
    let error = serde_json::from_str::<GetTaskResponse>(&page).unwrap_err().to_string();
    assert!(error.contains("`task.triggers[0].manual.createTime`"), "{error}");
    let page = json.replace("18446744073709551615", "string");
    let error = serde_json::from_str::<GetTaskResponse>(&page).unwrap_err().to_string();
    assert!(error.contains("`task.versionId`"), "{error}");
}

#[test]
fn the_example_of_get_policy() {
    let json = r#"{
      "policy": {
        "builtIn": true,
        "description": "string",
        "displayName": "string",
        "features": [{"configuration": {"@type": "string"}, "featureId": 0, "flags": {}}],
        "uuid": "string"
      }
    }"#;
    let policy = round_trip::<GetPolicyResponse>(json).policy.unwrap();
    assert!(policy.built_in);
    assert_eq!(policy.uuid, "string");
    let feature = &policy.features[0];
    assert_eq!((feature.feature_id, feature.flags.len()), (0, 0));
    assert_eq!(feature.configuration.as_ref().unwrap().unknown().unwrap().type_url, "string");
}

#[test]
fn the_example_of_an_error() {
    let json = r#"{"code": 0, "message": "string", "details": [{"@type": "string"}]}"#;
    let status = round_trip::<Status>(json);
    assert_eq!((status.code, status.message.as_str(), status.details.len()), (0, "string", 1));
    // Other bodies on the pages are not messages; the error says so and nothing panics.
    for body in ["null", "[]", "", "<html>"] {
        assert!(serde_json::from_str::<Status>(body).is_err(), "{body}");
    }
}

#[test]
fn the_documented_way_to_create_a_policy() {
    // {"policy":{"format":"1"}}
    let json = r#"{
      "policy": {
        "displayName": "Endpoint", "description": "d",
        "features": [{
          "featureId": 4294967295,
          "configuration": {
            "@type": "type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData",
            "data": "eyJwb2xpY3kiOnsiZm9ybWF0IjoiMSJ9fQ==",
            "product": "eset.local.products.endpoint"
          },
          "flags": {}
        }]
      }
    }"#;
    let policy = round_trip::<CreatePolicyRequest>(json).policy.unwrap();
    let feature = &policy.features[0];
    assert_eq!(feature.feature_id, 0xFFFF_FFFF);
    assert!(feature.flags.is_empty());
    let data: PolicyData = feature.configuration.as_ref().unwrap().unpack().unwrap();
    assert_eq!(data.product.as_deref(), Some("eset.local.products.endpoint"));
    assert_eq!(data.data.as_deref(), Some(br#"{"policy":{"format":"1"}}"#.as_slice()));
}

#[test]
fn a_policy_with_flags() {
    let json = r#"{"policy": {"features": [{"featureId": 7, "flags": {
        "a.b_c": {"applyForcefully": true}, "d": {"readOnly": true, "applyForcefully": false}}}]}}"#;
    let policy = round_trip::<CreatePolicyRequest>(json).policy.unwrap();
    let flags = &policy.features[0].flags;
    assert!(flags["a.b_c"].apply_forcefully && !flags["a.b_c"].read_only);
    assert!(flags["d"].read_only && !flags["d"].apply_forcefully);
}

#[test]
fn a_task_that_shuts_down() {
    let json = r#"{"task":{"displayName":"Shut down","description":"d","action":{"name":"ShutdownComputer",
      "params":{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.OS.ShutdownComputer",
      "restart":false,"actions":{"cancelAction":false,"postpone":"OneHour"}}},
      "targets":{"devicesUuids":["3f0f2b5e-6a3c-4d0b-9f6e-0d3f5f1c2a11"],"deviceGroupsUuids":[]},
      "triggers":[{"manual":{"expireTime":"2030-01-01T00:00:00Z"}}]}}"#;
    let task = round_trip::<CreateTaskRequest>(json).task.unwrap();
    let action = task.action.unwrap();
    assert_eq!(action.name, "ShutdownComputer");
    let params: ShutdownComputer = action.params.unwrap().unpack().unwrap();
    assert_eq!(params.restart, Some(false), "sent, although it is the default");
    let actions = params.actions.unwrap();
    assert_eq!((actions.cancel_action, actions.postpone()), (Some(false), Postpone::OneHour));
}

#[test]
fn the_params_of_a_scan() {
    let json = r#"{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan",
      "scanProfile":"InDepth","customProfileName":"","scanTargets":[""],"cleaningEnabled":false,
      "shutdownEnabled":false,"shutdownLocked":false,
      "powerActions":{"cancelAction":false,"postpone":"Cannot"}}"#;
    let scan: OnDemandScan = round_trip::<Any>(json).unpack().unwrap();
    assert_eq!(scan.scan_profile, Some(ScanProfile::InDepth.into()));
    assert_eq!(scan.custom_profile_name.as_deref(), Some(""));
    assert_eq!(scan.scan_targets, [""]);
    assert_eq!(scan.shutdown_locked, Some(false));
    assert_eq!(scan.power_actions.unwrap().postpone, Some(Postpone::Cannot.into()));
}

#[test]
fn the_params_of_a_command() {
    let json = r#"{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.OS.RunCommand",
      "commandLine":"ipconfig /all","currentDirectory":"C:\\"}"#;
    let command: RunCommand = round_trip::<Any>(json).unpack().unwrap();
    assert_eq!(command.command_line.as_deref(), Some("ipconfig /all"));
    assert_eq!(command.current_directory.as_deref(), Some("C:\\"));
}

#[test]
fn the_params_of_ending_a_process() {
    let json = r#"{"@type":"type.googleapis.com/eset.dotnod.os_integration.v1.KillProcessByPidRequest",
      "pid":4321,"executableHashSha1":"da39a3ee5e6b4b0d3255bfef95601890afd80709"}"#;
    let kill: KillProcessByPidRequest = round_trip::<Any>(json).unpack().unwrap();
    assert_eq!(kill.pid, 4321);
    assert_eq!(kill.executable_hash_sha1.len(), 40);
    assert_eq!(kill.executable_hash_sha2_256, "");
}

#[test]
fn tasks_without_params_and_with_triggers_that_the_api_does_not_show() {
    let json = r#"{"tasks":[
      {"uuid":"1","action":{"name":"StartNetworkIsolation"},"triggers":[]},
      {"uuid":"2","action":{"name":"Shutdown computer"},"triggers":[{}]},
      {"uuid":"3","triggers":[{"periodic":{"cron":"0 0 * * *"}}]}],"nextPageToken":""}"#;
    let list: ListTasksResponse = serde_json::from_str(json).unwrap();
    assert_eq!(list.tasks.len(), 3);
    assert!(list.tasks[0].action.as_ref().unwrap().params.is_none());
    assert!(list.tasks[0].triggers.is_empty());
    assert!(list.tasks[1].triggers[0].kind.is_none());
    assert!(list.tasks[2].triggers[0].kind.is_none());
}

/// A response to CreateTask in the observed form (FACTS.md#json): the order of members, the defaults that are
/// present, and what is omitted.
#[test]
fn the_shape_of_an_answer() {
    let json = concat!(
        r#"{"task":{"uuid":"9d2f0c1e-5a77-4be5-8a0e-6f4b3a7c1d20","versionId":"4032","#,
        r#""displayName":"Scan","description":"","action":{"name":"OnDemandScan","params":{"#,
        r#""@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","#,
        r#""scanProfile":"InDepth","scanTargets":[],"cleaningEnabled":true,"shutdownEnabled":false}},"#,
        r#""targets":{"devicesUuids":["3f0f2b5e-6a3c-4d0b-9f6e-0d3f5f1c2a11"],"deviceGroupsUuids":[]},"#,
        r#""triggers":[{"manual":{"expireTime":"2030-01-01T00:00:00Z"}}],"#,
        r#""source":"DEVICE_TASK_SOURCE_UNSPECIFIED","assetGroupUuid":""}}"#,
    );
    let answer = round_trip::<GetTaskResponse>(json);
    let task = answer.task.as_ref().unwrap();
    assert_eq!(task.version_id, 4032);
    let scan: OnDemandScan =
        task.action.as_ref().unwrap().params.as_ref().unwrap().unpack().unwrap();
    assert_eq!((scan.cleaning_enabled, scan.shutdown_enabled), (Some(true), Some(false)));
    assert_eq!((scan.custom_profile_name, scan.power_actions), (None, None));

    let written = Writer::new().emit_defaults(true).write(&answer).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), json, "the same members in the same order");

    // Without params, and with an empty trigger, as for other actions.
    let bare = json
        .replace(r#","params":{"@type":"type.googleapis.com/Era.Common.DataDefinition.Task.ESS.OnDemandScan","scanProfile":"InDepth","scanTargets":[],"cleaningEnabled":true,"shutdownEnabled":false}"#, "")
        .replace(r#"{"expireTime":"2030-01-01T00:00:00Z"}"#, "{}");
    let answer = round_trip::<GetTaskResponse>(&bare);
    let written = Writer::new().emit_defaults(true).write(&answer).unwrap();
    assert_eq!(String::from_utf8(written).unwrap(), bare);
    assert!(!bare.contains("params"), "the test took them out");
}

//! Members of a message: null, oneofs, names, and unknown members.

use super::*;

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
    // Presence: an explicit default differs from absence.
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
        r#"{"deviceUuid":"a","deviceGroupUuid":null,"subscriptionUuid":"b"}"#,
        r#"{"deviceUuid":"","subscriptionUuid":""}"#,
    ] {
        assert!(error::<PolicyTarget>(json).contains("oneof"), "{json}");
    }
    for json in [
        r#"{"deviceUuid":"a","deviceUuid":"a"}"#,
        r#"{"deviceUuid":"a","device_uuid":"a"}"#,
        r#"{"deviceUuid":"a","deviceUuid":null}"#,
        r#"{"deviceUuid":null,"device_uuid":"a"}"#,
        r#"{"device_uuid":null,"deviceUuid":null}"#,
        r#"{"deviceUuid":null,"deviceGroupUuid":"a","deviceUuid":null}"#,
    ] {
        let error = error::<PolicyTarget>(json);
        assert!(error.contains("field `deviceUuid`: it appears twice"), "{json}: {error}");
    }
    let error = error::<Trigger>(r#"{"manual":{},"manual":{}}"#);
    assert!(error.contains("field `manual`: it appears twice"), "{error}");
    let json = r#"{"target":{"deviceUuid":"a","deviceGroupUuid":"b"}}"#;
    let error = super::error::<ListPolicyAssignmentsRequest>(json);
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
        assert!(error.contains("twice") && error.contains(name), "{json}: {error}");
    }
    let twice = error::<FeaturePolicy>(r#"{"flags":{"a":{},"a":{}}}"#);
    assert!(twice.contains(r#"flags["a"]"#) && twice.contains("twice"), "{twice}");
    assert!(error::<Struct>(r#"{"a":1,"a":1}"#).contains("twice"));
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
        assert!(error::<KillProcessByPidRequest>(&twice).contains("appears twice"));
    }
}

#[test]
fn the_application_of_a_patch_has_esets_spelling() {
    let patch = ApplyApplicationPatchRequest { application_uuid: "u".to_owned() };
    both_ways(r#"{"application_uuid":"u"}"#, &patch);
    assert_eq!(read::<ApplyApplicationPatchRequest>(r#"{"applicationUuid":"u"}"#), patch);
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

/// Strings are searched for characters to escape in words of eight bytes.
#[test]
fn characters_are_escaped_wherever_they_are() {
    let characters = (0..0x80).map(char::from).chain(['\u{80}', '\u{a2}', '\u{dc}', '\u{10ffff}']);
    for character in characters {
        for (before, after) in
            (0..18).flat_map(|length| (0..=length).map(move |at| (at, length - at)))
        {
            let text = format!("{}{character}{}", "a".repeat(before), "é".repeat(after));
            let json = format!(r#"{{"displayName":{}}}"#, serde_json::to_string(&text).unwrap());
            assert_eq!(write(&DeviceTask { display_name: text, ..Default::default() }), json);
        }
    }
}

//! Policies as files.

use eset_protect::params::PolicyData;
use eset_protect::policy::{PolicyFile, SettingFile, SettingValue, Settings, container_of};
use eset_protect::policy_management::v2::{FeaturePolicy, Policy, SettingFlags};
use eset_protect::wkt::Any;

use crate::public;

fn policy() -> Policy {
    let mut feature = FeaturePolicy::product("eset.local.products.endpoint", public());
    let flags = SettingFlags { apply_forcefully: true, read_only: false };
    feature.flags.insert("endpoint.gui".to_owned(), flags);
    let damaged = FeaturePolicy::product("p", &b"\xffno container"[..]);
    let other: Any =
        serde_json::from_str(r#"{"@type":"type.googleapis.com/eset.v9.Newer","x":1.50}"#).unwrap();
    let other = FeaturePolicy { feature_id: 7, configuration: Some(other), ..Default::default() };
    Policy {
        display_name: "Strict".into(),
        description: "d".into(),
        features: vec![feature, damaged, other, FeaturePolicy::default()],
        ..Default::default()
    }
}

#[test]
fn a_file_loses_nothing() {
    let policy = policy();
    let file = PolicyFile::from_policy(&policy);
    assert_eq!(file.features[0].settings.as_ref().unwrap().len(), 9);
    let json = serde_json::to_string(&file).unwrap();
    let yaml = serde_saphyr::to_string(&file).unwrap();
    for read in
        [serde_json::from_str::<PolicyFile>(&json).unwrap(), serde_saphyr::from_str(&yaml).unwrap()]
    {
        assert_eq!(read.to_policy().unwrap(), policy);
    }
    assert!(yaml.contains("endpoint.gui.UI_CONFIG.ShowSplash: \"1\"\n"), "{yaml}");
    let error = serde_json::from_str::<PolicyFile>(r#"{"name":"x","setings":{}}"#).unwrap_err();
    assert!(error.to_string().contains("unknown field `setings`"), "{error}");
}

#[test]
fn edited_settings_are_laid_over_the_configuration() {
    let mut file = PolicyFile::from_policy(&policy());
    let settings = file.features[0].settings.as_mut().unwrap();
    let splash = "endpoint.gui.UI_CONFIG.ShowSplash";
    settings.insert(splash.into(), SettingFile::Value("0".into()));
    settings.remove("endpoint.gui.UI_CONFIG.PlaySound");
    let made = file.to_policy().unwrap();
    let container = container_of(&made.features[0]).unwrap().unwrap();
    assert_eq!(container.layers(), 1);
    let settings = container.contents().settings;
    assert_eq!(settings.iter().filter(|s| s.value != SettingValue::Group).count(), 8);
    let set = container.get(&splash.parse().unwrap()).unwrap();
    assert_eq!((set.value, set.kind), (SettingValue::Text("0".into()), Some("9".into())));
    assert_eq!(made.features[1..], policy().features[1..]);

    let settings = file.features[0].settings.as_mut().unwrap();
    settings.insert("endpoint.new".into(), SettingFile::Value("0".into()));
    let error = file.to_policy().unwrap_err().to_string();
    let expected = "features[0]: settings: there is no setting endpoint.new yet; give its value, kind and flags, \
                    such as {value: '0', kind: '9', flags: '4'}";
    assert_eq!(error, expected);
}

/// Without them, it would be left to a guess whether those of the configuration stay.
#[test]
fn settings_are_left_out_only_where_there_are_none() {
    let mut file = PolicyFile::from_policy(&policy());
    let settings = file.features[0].settings.take().unwrap();
    assert_eq!(
        file.to_policy().unwrap_err().to_string(),
        "features[0]: settings: expected those of the configuration that stay, or {} to remove all, found none"
    );
    file.features[0].settings = Some(Default::default());
    let made = file.to_policy().unwrap();
    let contents = container_of(&made.features[0]).unwrap().unwrap().contents();
    assert!(contents.settings.iter().all(|setting| setting.value == SettingValue::Group));
    file.features[0].settings = Some(settings);
    assert_eq!(file.to_policy().unwrap(), policy());
}

/// A name without a value may be meant either way.
#[test]
fn no_member_is_null() {
    let whole = serde_json::json!({
        "name": "X",
        "description": "d",
        "assignments": [{ "group": "g", "rank": 1 }],
        "features": [{ "featureId": 1, "flags": { "a": { "readOnly": true } }, "settings": {}, "configuration": {} }],
        "export": { "before": "", "after": "" },
    });
    serde_json::from_value::<PolicyFile>(whole.clone()).unwrap();
    let places = "/name /description /assignments /assignments/0 /assignments/0/group /assignments/0/rank /features \
                  /features/0 /features/0/featureId /features/0/flags /features/0/flags/a \
                  /features/0/flags/a/readOnly /features/0/settings /features/0/configuration /export /export/after";
    for place in places.split_whitespace() {
        let mut file = whole.clone();
        *file.pointer_mut(place).unwrap() = serde_json::Value::Null;
        let read = serde_json::from_value::<PolicyFile>(file);
        assert!(read.is_err(), "{place}");
    }
}

#[test]
fn a_file_by_hand_needs_no_data() {
    let yaml = "
name: New
features:
- settings:
    endpoint.gui.Splash: {value: '1', kind: '9', flags: '4'}
  configuration: {'@type': type.googleapis.com/Era.Common.DataDefinition.Policy.PolicyData, product: p}
assignments:
- group: g
  rank: 2
";
    let file: PolicyFile = serde_saphyr::from_str(yaml).unwrap();
    let policy = file.to_policy().unwrap();
    assert_eq!(policy.features[0].feature_id, u32::MAX);
    let data: PolicyData = policy.features[0].configuration.as_ref().unwrap().unpack().unwrap();
    let data = String::from_utf8(data.data.unwrap().to_vec()).unwrap();
    let leaf =
        r#""data":{"endpoint":{"gui":{"Splash":{"ce_flags":"4","ce_type":"9","ce_value":"1"}}}}"#;
    assert!(data.contains(leaf), "{data}");
}

/// Each error says where it is, what is there, and what was expected.
#[test]
fn mistakes_in_files_are_named() {
    let rank = "expected a whole number from 1 to 4294967295";
    let one = "expected one of device, group and subscription";
    for (member, expected) in [
        (
            "assignments: [{group: g, rnk: 1}]",
            "assignments[0]: unknown field `rnk`, expected one of",
        ),
        (
            "assignments: [{group: g}, {group: g, device: d}]",
            &format!("assignments: {one}, found device d and group g"),
        ),
        ("assignments: [{rank: 1}]", &format!("assignments: {one}, found none")),
        (
            "assignments: [{group: g, rank: first}]",
            &format!("assignments[0].rank: invalid type: string \"first\", {rank}"),
        ),
        (
            "assignments: [{group: g, rank: 0}]",
            &format!("assignments[0].rank: invalid value: integer `0`, {rank}"),
        ),
        (
            "assignments: [{group: g, rank: -1}]",
            &format!("assignments[0].rank: invalid value: integer `-1`, {rank}"),
        ),
        (
            "features: [{settings: {a.b: 1}}]",
            "features[0].settings.a.b: invalid type: integer `1`, expected the value of a setting in \
             quotes, such as '1', or a new setting, such as {value: '1', kind: '9', flags: '4'}",
        ),
        (
            "features: [{settings: {a.b: {value: '1'}}}]",
            "features[0].settings.a.b: missing field `kind`",
        ),
        (
            "features: [{configuration: 5}]",
            "features[0].configuration: invalid type: integer `5`, expected an object with `@type`",
        ),
        (
            "features: [{featureId: x}]",
            "features[0].featureId: invalid type: string \"x\", expected a whole number from 0",
        ),
        ("features: [x]", "features[0]: invalid type: string \"x\", expected a feature, an object"),
    ] {
        let yaml: serde_json::Value =
            serde_saphyr::from_str(&format!("name: X\n{member}\n")).unwrap();
        let error = serde_path_to_error::deserialize::<_, PolicyFile>(yaml);
        let error = error.unwrap_err().to_string();
        let (place, problem) = expected.split_once(": ").unwrap();
        assert!(error.starts_with(place) && error.contains(problem), "{error}");
    }
}

#[test]
fn an_export_is_written_as_it_was_with_its_headers() {
    let data = public();
    let unpadded = data.trim_end_matches('=');
    let lines: Vec<_> =
        data.as_bytes().chunks(64).map(|line| str::from_utf8(line).unwrap()).collect();
    let product = "eset.local.products.endpoint";
    let exports = [
        format!("{data}{product}"),
        format!("ESET Policy Export\nversion 2\n\n{data}{product}\n"),
        format!("\u{feff}ESET Policy Export\r\nversion 2\r\n  {data}{product}\r\n\r\n"),
        format!("header\n{data}\n"),
    ];
    for text in &exports {
        let settings = Settings::read(text.as_bytes()).unwrap();
        assert_eq!(settings.write(), text.as_bytes());
        // Also by way of a file that people edit.
        let file = PolicyFile::from_settings("name", &settings);
        let yaml = serde_saphyr::to_string(&file).unwrap();
        let read: PolicyFile = serde_saphyr::from_str(&yaml).unwrap();
        assert_eq!(read.to_export().unwrap(), *text);
    }
    // The other forms, and base64 of other shapes.
    let others = [
        "\u{feff} {\"policy\":{\"data\":{}}} \n".to_owned(),
        format!(" {unpadded}\n"),
        lines.join("\r\n"),
        format!("\"{data}\"\n"),
    ];
    for text in others {
        assert_eq!(Settings::read(text.as_bytes()).unwrap().write(), text.as_bytes(), "{text}");
    }
    // With other settings, the headers stay.
    let mut settings = Settings::read(exports[2].as_bytes()).unwrap();
    settings.data = bytes::Bytes::from_static(b"{}");
    let expected = exports[2].replace(&data, "e30=");
    assert_eq!(settings.write(), expected.as_bytes());
}

#[test]
fn flags_are_set_by_path() {
    let mut feature = policy().features[0].clone();
    let path = |text: &str| text.parse::<eset_protect::policy::SettingPath>().unwrap();
    let both = SettingFlags { apply_forcefully: true, read_only: true };
    let splash = path("endpoint.gui.UI_CONFIG.ShowSplash");
    feature.set_flags(&splash, SettingFlags { apply_forcefully: false, read_only: true }).unwrap();
    // That of the group above it comes with it.
    assert_eq!(feature.flags_of(&splash), both);
    assert_eq!(feature.flags_of(&path("endpoint.guide")), SettingFlags::default());
    feature.set_flags(&splash, SettingFlags::default()).unwrap();
    assert_eq!(feature.flags.len(), 1);
    let container = container_of(&feature).unwrap().unwrap();
    let arrays = container.contents().settings;
    let array = arrays.iter().find(|s| matches!(s.value, SettingValue::Array { .. })).unwrap();
    feature.set_flags(&array.path, both).unwrap();
    let before = feature.clone();
    let element = format!("{}.`1`", array.path);
    for (wrong, why) in [
        (
            element.as_str(),
            format!("{} is in an array; expected the path of the whole array", path(&element)),
        ),
        ("endpoint.no", "there is no setting endpoint.no".to_owned()),
    ] {
        assert_eq!(feature.set_flags(&path(wrong), both).unwrap_err().to_string(), why);
        assert!(feature.set_flags(&path("endpoint.no"), SettingFlags::default()).is_err());
    }
    assert_eq!(feature, before);
    // What cannot be read may have any setting.
    let mut unread = policy().features[1].clone();
    unread.set_flags(&path("any"), both).unwrap();
}

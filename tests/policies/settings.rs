//! Settings by path.

use eset_protect::policy::{Container, EditError, NewSetting, SettingPath, SettingValue};

use crate::public;

fn path(text: &str) -> SettingPath {
    text.parse().unwrap()
}

fn container(data: &str) -> Container {
    let json = format!(r#"{{"policy":{{"format":"1","data":{data}}}}}"#);
    Container::decode(json).unwrap()
}

fn data(container: &Container) -> &str {
    let json = container.json();
    json.strip_prefix(r#"{"policy":{"format":"1","data":"#).unwrap().strip_suffix("}}").unwrap()
}

#[test]
fn the_public_example_has_nine_settings() {
    let mut contents = Container::decode(public()).unwrap().contents();
    assert_eq!(contents.unread, []);
    let groups = contents.settings.extract_if(.., |s| s.value == SettingValue::Group);
    assert_eq!(
        groups.map(|s| s.flags).collect::<Vec<_>>(),
        [Some("0".to_owned()), Some("0".to_owned())]
    );
    let paths: Vec<_> = contents.settings.iter().map(|s| s.path.to_string()).collect();
    assert_eq!(paths[0], "endpoint.plugins.ShellExt.settings.active");
    assert_eq!(paths[8], "endpoint.gui.UI_CONFIG.GuiStartMode");
    assert_eq!(paths.len(), 9);
    let arrays = contents.settings.iter().filter(|s| matches!(s.value, SettingValue::Array { .. }));
    assert_eq!(arrays.count(), 2);
    let splash = &contents.settings[1];
    assert_eq!(splash.value, SettingValue::Text("1".into()));
    assert_eq!((splash.kind.as_deref(), splash.flags.as_deref()), (Some("9"), Some("4")));
}

#[test]
fn a_changed_setting_changes_nothing_else() {
    let text = public();
    let mut changed = Container::decode(text.clone()).unwrap();
    let before = changed.json().to_owned();
    let start = path("endpoint.gui.UI_CONFIG.GuiStartMode");
    changed.set(&start, "3").unwrap();
    let expected =
        before.replace(r#""ce_type":"2","ce_value":"0""#, r#""ce_type":"2","ce_value":"3""#);
    assert_eq!(changed.json(), expected);
    changed.set(&start, "0").unwrap();
    assert_eq!(changed.encode(), text.into_bytes());
}

#[test]
fn what_is_not_understood_is_shown_and_kept() {
    let text = r#"{ "a":{"ce_value":1.50,"ce_new":[1, 2],"ce_flags":"0"}, "b" : 12345678901234567890,
        "c":{"ce_array":"1","ce_array_order":"2,1","1":{"ce_value":"x"},"ce_flags":4}, "d":{"ce_flags":"0"}}"#;
    let mut container = container(text);
    let shown: Vec<_> = container
        .contents()
        .settings
        .iter()
        .map(|s| format!("{}={} {:?} {:?}", s.path, s.value, s.flags, s.others))
        .collect();
    assert_eq!(
        shown,
        [
            r#"a=1.50 Some("0") {"ce_new": "[1, 2]"}"#,
            "b=12345678901234567890 None {}",
            r#"c=array "2,1" None {"ce_flags": "4"}"#,
            r#"c.1="x" None {}"#,
            r#"d=group Some("0") {}"#,
        ]
    );
    for unknown in ["a", "b"] {
        let error = container.set(&path(unknown), "1").unwrap_err();
        assert!(matches!(error, EditError::NoText(_)), "{error}");
    }
    container.set(&path("c.1"), "ü").unwrap();
    container.set(&path("c"), "1").unwrap();
    assert_eq!(data(&container), text.replace(r#""x""#, r#""ü""#).replace("2,1", "1"));
}

#[test]
fn settings_are_added_and_removed() {
    let new = |value: &str| NewSetting { value: value.into(), kind: "9".into(), flags: "4".into() };
    let leaf = |value: &str| format!(r#"{{"ce_flags":"4","ce_type":"9","ce_value":"{value}"}}"#);
    let mut container = container("{ }");
    container.insert(&path("g.a"), &new("1")).unwrap();
    assert_eq!(data(&container), format!(r#"{{"g":{{"a":{}}}}}"#, leaf("1")));
    container.insert(&path("g.`x.y`"), &new("2")).unwrap();
    container.insert(&path("g.c"), &new("3")).unwrap();
    let all = format!(r#"{{"g":{{"a":{},"x.y":{},"c":{}}}}}"#, leaf("1"), leaf("2"), leaf("3"));
    assert_eq!(data(&container), all);
    assert_eq!(container.get(&path("g.`x.y`")).unwrap().value, SettingValue::Text("2".into()));
    for taken in ["g", "g.a"] {
        let error = container.insert(&path(taken), &new("")).unwrap_err();
        assert_eq!(error.to_string(), format!("there is a setting or group {taken} already"));
    }
    for (gone, left) in [
        ("g.`x.y`", format!(r#"{{"g":{{"a":{},"c":{}}}}}"#, leaf("1"), leaf("3"))),
        ("g.a", format!(r#"{{"g":{{"c":{}}}}}"#, leaf("3"))),
        ("g.c", r#"{"g":{}}"#.to_owned()),
    ] {
        container.unset(&path(gone)).unwrap();
        assert_eq!(data(&container), left);
        let error = container.unset(&path(gone)).unwrap_err();
        assert_eq!(error.to_string(), format!("there is no setting {gone}"));
    }
    assert!(container.set(&path("g"), "1").is_err(), "a group has no value");
}

#[test]
fn paths_read_as_they_are_written() {
    for names in ["a", "a.b", "`a.b`.c", "`x``y`", "``````.a", "`e.lzma`:a.b", "m:a", "`é`"] {
        assert_eq!(path(names).to_string(), names);
    }
    assert_eq!(path("`a`.b"), path("a.b"));
    for wrong in ["", ".", "a.", ".a", "a b", "`a", "a:b:c", "a.b:c", "é", "a`b`", "a[0]"] {
        let error = wrong.parse::<SettingPath>().unwrap_err().to_string();
        assert!(error.contains(&format!("found {wrong:?}")), "{error}");
    }
}

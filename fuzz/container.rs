//! What holds for any bytes.

use eset_protect::policy::{Container, NewSetting, SettingValue, Settings};

/// Reads the bytes as a file and as a container. What is read is written as it was, and changed nowhere but where it
/// should be.
pub fn check(bytes: &[u8]) {
    if let Ok(settings) = Settings::read(bytes) {
        assert_eq!(settings.write(), bytes);
    }
    let container = match Container::decode(bytes.to_vec()) {
        Ok(container) => container,
        Err(error) => return assert!(!error.to_string().is_empty()),
    };
    assert_eq!(container.encode(), bytes);
    let contents = container.contents();
    for setting in contents.settings.iter().take(8) {
        let path = &setting.path;
        assert_eq!(path.to_string().parse().as_ref(), Ok(path));
        let is_value = matches!(setting.value, SettingValue::Text(_) | SettingValue::Array { .. });
        let mut changed = container.clone();
        if changed.set(path, "changed").is_ok() {
            assert!(is_value, "{path}");
            let read = Container::decode(changed.encode()).expect("what was changed can be read");
            assert_eq!(read.layers(), container.layers());
            let same = read.contents();
            assert_eq!(same.settings.len(), contents.settings.len());
            read.get(path).expect("the setting is still there");
        }
        if changed.unset(path).is_ok() {
            Container::decode(changed.encode()).expect("what was removed can be read");
        }
    }
    let mut added = container;
    let new = NewSetting { value: "1".into(), kind: "1".into(), flags: "4".into() };
    let path = "added.`by the fuzzer`".parse().expect("a path");
    if added.insert(&path, &new).is_ok() {
        let read = Container::decode(added.encode()).expect("what was added can be read");
        assert_eq!(read.get(&path).expect("it was added").value, SettingValue::Text("1".into()));
    }
}

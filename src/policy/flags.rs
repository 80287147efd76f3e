//! The flags of settings: `applyForcefully` and `readOnly`.

use super::file::container_of;
use super::path::SettingPath;
use super::setting::SettingValue;
use super::settings::EditError;
use crate::policy_management::v2::{FeaturePolicy, SettingFlags};

impl FeaturePolicy {
    /// Returns the flags of a setting: those that its path or a path above it has.
    pub fn flags_of(&self, path: &SettingPath) -> SettingFlags {
        let mut found = SettingFlags::default();
        for (key, flags) in &self.flags {
            if key.parse().is_ok_and(|selector| covers(&selector, path)) {
                found.apply_forcefully |= flags.apply_forcefully;
                found.read_only |= flags.read_only;
            }
        }
        found
    }

    /// Sets the flags of the setting or group with this path, and so of all below it. Flags that are both off are
    /// removed. The archive member of the path is left out: a key of `flags` is a path alone
    /// ([facts](crate::facts#policy-management)).
    ///
    /// # Errors
    ///
    /// [`EditError::NotFound`] if there is no such setting or group, unless a part of the settings cannot be read
    /// and may have it; [`EditError::Element`] if the path leads into an array. Nothing is changed then.
    pub fn set_flags(
        &mut self,
        selector: &SettingPath,
        flags: SettingFlags,
    ) -> Result<(), EditError> {
        let key = SettingPath { member: None, names: selector.names.clone() }.to_string();
        if flags == SettingFlags::default() {
            let found = self.flags.remove(&key).map(drop);
            return found.ok_or_else(|| EditError::NotFound(selector.clone()));
        }
        if let Some(container) = container_of(self).ok().flatten() {
            let contents = container.contents();
            let is_array = |value: &SettingValue| matches!(value, SettingValue::Array { .. });
            let is_above = |path: &SettingPath| covers(path, selector) && !covers(selector, path);
            if contents.settings.iter().any(|s| is_array(&s.value) && is_above(&s.path)) {
                return Err(EditError::Element(selector.clone()));
            }
            let is_there = contents.settings.iter().any(|found| covers(selector, &found.path));
            if !is_there && contents.unread.is_empty() {
                return Err(EditError::NotFound(selector.clone()));
            }
        }
        self.flags.insert(key, flags);
        Ok(())
    }
}

/// Whether a path is the selector or below it.
fn covers(selector: &SettingPath, path: &SettingPath) -> bool {
    let mut names = path.names();
    selector.names().all(|name| names.next() == Some(name))
}

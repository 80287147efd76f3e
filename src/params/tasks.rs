//! Constructors for tasks: what to run where, and when.

use super::RunCommand;
use crate::automation::v1::{DeviceTaskTargets, ManualTrigger, Trigger, trigger};
use crate::wkt::Timestamp;

impl RunCommand {
    /// Creates params that run a command in the default directory.
    pub fn new(command_line: impl Into<String>) -> Self {
        Self { command_line: Some(command_line.into()), current_directory: None }
    }
}

impl DeviceTaskTargets {
    /// Single devices.
    pub fn devices<T: Into<String>>(uuids: impl IntoIterator<Item = T>) -> Self {
        Self { devices_uuids: uuids.into_iter().map(Into::into).collect(), ..Self::default() }
    }

    /// Targets all devices of these groups.
    pub fn groups<T: Into<String>>(uuids: impl IntoIterator<Item = T>) -> Self {
        Self { device_groups_uuids: uuids.into_iter().map(Into::into).collect(), ..Self::default() }
    }
}

impl Trigger {
    /// Runs the task as soon as possible, but not after `expire_time`. `None` means about 30 days from now
    /// ([facts](crate::facts#actions)).
    pub fn manual(expire_time: Option<Timestamp>) -> Self {
        let manual = ManualTrigger { create_time: None, expire_time };
        Self { kind: Some(trigger::Kind::Manual(manual)) }
    }

    /// Returns the manual trigger; `None` if the trigger has no kind, or a kind that this API does not support.
    pub fn as_manual(&self) -> Option<&ManualTrigger> {
        match &self.kind {
            Some(trigger::Kind::Manual(manual)) => Some(manual),
            None => None,
        }
    }
}

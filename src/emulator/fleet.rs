//! The devices that tasks run on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::automation::v1::DeviceTaskTargets;
use crate::wkt::Timestamp;

/// A device of the emulator's fleet.
///
/// Any uuid may be a target, also one that is not in the fleet: such a device is on and its runs end
/// well. The fleet is there for groups, and for devices that are off or that fail.
#[derive(Clone, Debug)]
pub struct Device {
    uuid: String,
    groups: BTreeSet<String>,
    power: Power,
    fails: bool,
}

#[derive(Clone, Copy, Debug)]
enum Power {
    On,
    OffUntil(Timestamp),
    Off,
}

impl Device {
    /// A device that is on and whose runs end well.
    pub fn new(uuid: impl Into<String>) -> Self {
        Self { uuid: uuid.into(), groups: BTreeSet::new(), power: Power::On, fails: false }
    }

    /// Puts the device into a group, beside the groups that it is in.
    #[must_use]
    pub fn in_group(mut self, group_uuid: impl Into<String>) -> Self {
        self.groups.insert(group_uuid.into());
        self
    }

    /// The device is off until this time. A task reaches it then, unless its trigger has expired.
    #[must_use]
    pub fn off_until(mut self, time: SystemTime) -> Self {
        self.power = Power::OffUntil(time.into());
        self
    }

    /// The device is off for ever: no task reaches it.
    #[must_use]
    pub fn off(mut self) -> Self {
        self.power = Power::Off;
        self
    }

    /// Runs on the device fail.
    #[must_use]
    pub fn failing(mut self) -> Self {
        self.fails = true;
        self
    }

    /// The device's uuid.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// The groups that the device is in.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }
}

/// All devices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fleet {
    devices: BTreeMap<String, Device>,
    groups: BTreeMap<String, BTreeSet<String>>,
}

impl Fleet {
    /// Adds a device, or replaces the one of the same uuid.
    pub(crate) fn add(&mut self, device: Device) {
        if let Some(old) = self.devices.remove(&device.uuid) {
            for members in self.groups.values_mut() {
                members.remove(&old.uuid);
            }
        }
        for group in &device.groups {
            self.groups.entry(group.clone()).or_default().insert(device.uuid.clone());
        }
        self.devices.insert(device.uuid.clone(), device);
    }

    /// The devices of targets, each once: the single ones and all of the groups. A group that is not
    /// in the fleet has none.
    pub(crate) fn resolve(&self, targets: &DeviceTaskTargets) -> BTreeSet<String> {
        let mut devices: BTreeSet<String> = targets.devices_uuids.iter().cloned().collect();
        for group in &targets.device_groups_uuids {
            devices.extend(self.groups.get(group).into_iter().flatten().cloned());
        }
        devices
    }

    /// When a task that is triggered at `time` reaches the device; `None` for never.
    pub(crate) fn reached(&self, device: &str, time: Timestamp) -> Option<Timestamp> {
        match self.devices.get(device).map_or(Power::On, |device| device.power) {
            Power::On => Some(time),
            Power::OffUntil(on) => Some(on.max(time)),
            Power::Off => None,
        }
    }

    /// Whether runs on the device fail.
    pub(crate) fn fails(&self, device: &str) -> bool {
        self.devices.get(device).is_some_and(|device| device.fails)
    }
}

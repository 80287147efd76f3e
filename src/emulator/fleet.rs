//! The devices that tasks run on.

use std::collections::{BTreeMap, BTreeSet};
use std::time::SystemTime;

use crate::automation::v1::DeviceTaskTargets;
use crate::wkt::Timestamp;

/// A device of the emulator's fleet.
///
/// Tasks may target any UUID, even if it is not in the fleet: such a device is on, and its runs succeed. The
/// fleet is for groups, and for devices that are off or fail.
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
    /// Creates a device that is on and whose runs succeed.
    pub fn new(uuid: impl Into<String>) -> Self {
        Self { uuid: uuid.into(), groups: BTreeSet::new(), power: Power::On, fails: false }
    }

    /// Adds the device to a group, in addition to its other groups.
    #[must_use]
    pub fn in_group(mut self, group_uuid: impl Into<String>) -> Self {
        self.groups.insert(group_uuid.into());
        self
    }

    /// Turns the device off until this time. A task reaches it then, unless its trigger has expired.
    #[must_use]
    pub fn off_until(mut self, time: SystemTime) -> Self {
        self.power = Power::OffUntil(time.into());
        self
    }

    /// Turns the device off forever: no task reaches it.
    #[must_use]
    pub fn off(mut self) -> Self {
        self.power = Power::Off;
        self
    }

    /// Lets runs on the device fail.
    #[must_use]
    pub fn failing(mut self) -> Self {
        self.fails = true;
        self
    }

    /// Returns the device's UUID.
    pub fn uuid(&self) -> &str {
        &self.uuid
    }

    /// Returns the groups of the device.
    pub fn groups(&self) -> impl Iterator<Item = &str> {
        self.groups.iter().map(String::as_str)
    }
}

/// All devices by UUID.
#[derive(Clone, Debug, Default)]
pub(crate) struct Fleet(BTreeMap<String, Device>);

impl Fleet {
    /// Adds a device, or replaces the device with the same UUID.
    pub(crate) fn add(&mut self, device: Device) {
        self.0.insert(device.uuid.clone(), device);
    }

    /// Adds the devices whose UUIDs are not taken.
    pub(crate) fn add_others(&mut self, devices: impl IntoIterator<Item = Device>) {
        for device in devices {
            self.0.entry(device.uuid.clone()).or_insert(device);
        }
    }

    /// Whether this device is in the fleet.
    pub(crate) fn has(&self, device: &str) -> bool {
        self.0.contains_key(device)
    }

    /// Whether a device of the fleet is in this group.
    pub(crate) fn has_group(&self, group: &str) -> bool {
        self.0.values().any(|device| device.groups.contains(group))
    }

    /// Returns the devices of targets without duplicates: individual ones and those of the groups. A group
    /// that is not in the fleet has no devices.
    pub(crate) fn resolve(&self, targets: &DeviceTaskTargets) -> BTreeSet<String> {
        let groups = &targets.device_groups_uuids;
        let is_inside = |device: &&Device| groups.iter().any(|group| device.groups.contains(group));
        let members = self.0.values().filter(is_inside).map(|device| &device.uuid);
        targets.devices_uuids.iter().chain(members).cloned().collect()
    }

    /// Returns when a task triggered at `time` reaches the device; `None` for never.
    pub(crate) fn reached(&self, device: &str, time: Timestamp) -> Option<Timestamp> {
        match self.0.get(device).map_or(Power::On, |device| device.power) {
            Power::On => Some(time),
            Power::OffUntil(on) => Some(on.max(time)),
            Power::Off => None,
        }
    }

    /// Whether runs on the device fail.
    pub(crate) fn fails(&self, device: &str) -> bool {
        self.0.get(device).is_some_and(|device| device.fails)
    }
}

//! Seeds a small company: its devices, tasks and policies.

mod company;
mod policies;
mod tasks;

use std::time::{Duration, SystemTime};

use uuid::Uuid;

use self::company::{AWAY, FAILING, GROUPS, Group, LOST};
use super::environment::Environment;
use super::failure::Failure;
use super::fleet::Device;
use super::ids::IdSource;
use super::store::Change;

/// Returns the fleet, always with the same UUIDs.
pub(crate) fn devices(now: SystemTime) -> Vec<Device> {
    let tomorrow = now.checked_add(Duration::from_secs(86_400)).unwrap_or(now);
    let device = |group: &Group, uuid: &str| {
        let device = Device::new(uuid).in_group(group.uuid);
        match uuid {
            FAILING => device.failing(),
            AWAY => device.off_until(tomorrow),
            LOST => device.off(),
            _ => device,
        }
    };
    GROUPS
        .iter()
        .flat_map(|group| group.devices.iter().map(move |uuid| device(group, uuid)))
        .collect()
}

/// Generates the UUIDs of the seed, always the same ones.
pub(crate) struct SeedIds;

impl IdSource for SeedIds {
    fn id(&self, sequence: u64) -> String {
        // Has the form of version 4, and differs from all other sources.
        Uuid::from_u64_pair(0x5eed_0000_0000_4000, 0x8000_0000_0000_0000 | sequence).to_string()
    }
}

/// Fills an empty store.
pub(crate) fn fill(change: &mut Change<'_>, environment: &Environment) -> Result<(), Failure> {
    policies::fill(change, environment)?;
    tasks::fill(change, environment)
}

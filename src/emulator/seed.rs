//! Seeds a small company: its devices, tasks and policies.

mod policies;
mod tasks;

use std::time::{Duration, SystemTime};

use serde::de::DeserializeOwned;
use uuid::Uuid;

use super::environment::Environment;
use super::failure::Failure;
use super::fleet::Device;
use super::ids::IdSource;
use super::store::Change;

/// A group of devices: its UUID, name and devices.
struct Group {
    uuid: &'static str,
    name: &'static str,
    devices: &'static [&'static str],
}

/// A cash register on which everything fails: its disk is full.
const FAILING: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40104";
/// A notebook whose owner is on holiday until tomorrow.
const AWAY: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40203";
/// A notebook that was lost and never returns.
const LOST: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40204";

const GROUPS: [Group; 3] = [
    Group {
        uuid: "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001",
        name: "Shops",
        devices: &[
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40101",
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40102",
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40103",
            FAILING,
        ],
    },
    Group {
        uuid: "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0002",
        name: "Notebooks",
        devices: &[
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40201",
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40202",
            AWAY,
            LOST,
        ],
    },
    Group {
        uuid: "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0003",
        name: "Servers",
        devices: &[
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40301",
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40302",
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40303",
            "5f0c1a62-7d0e-4b57-9c35-30d2a1c40304",
        ],
    },
];

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

/// Reads a part of the seed.
fn read<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::internal(format!("the seed: {error}")))
}

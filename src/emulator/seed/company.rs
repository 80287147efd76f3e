//! The groups and devices of the seeded company.

use serde::de::DeserializeOwned;

use crate::emulator::failure::Failure;

/// A group of devices.
pub(super) struct Group {
    pub(super) uuid: String,
    pub(super) name: &'static str,
    /// Their UUIDs.
    pub(super) devices: [String; 4],
}

/// A cash register on which everything fails: its disk is full.
pub(super) const FAILING: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40104";
/// A notebook whose owner is on holiday until tomorrow.
pub(super) const AWAY: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40203";
/// A notebook that was lost and never returns.
pub(super) const LOST: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40204";

/// Returns the groups with these devices.
pub(super) fn groups() -> [Group; 3] {
    [(1, "Shops"), (2, "Notebooks"), (3, "Servers")].map(|(group, name)| Group {
        uuid: format!("c2b7e8d4-19a3-4f6e-8b21-5d90fe7a000{group}"),
        name,
        devices: [1, 2, 3, 4].map(|number| device(group, number)),
    })
}

/// Returns the UUID of a device of the company.
pub(super) fn device(group: u8, number: u8) -> String {
    format!("5f0c1a62-7d0e-4b57-9c35-30d2a1c4{group:02}{number:02}")
}

/// Reads a part of the seed.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::internal(format!("the seed: {error}")))
}

//! The groups and devices of the seeded company.

use serde::de::DeserializeOwned;

use crate::emulator::failure::Failure;

/// A group of devices: its UUID, name and devices.
pub(super) struct Group {
    pub(super) uuid: &'static str,
    pub(super) name: &'static str,
    pub(super) devices: &'static [&'static str],
}

/// A cash register on which everything fails: its disk is full.
pub(super) const FAILING: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40104";
/// A notebook whose owner is on holiday until tomorrow.
pub(super) const AWAY: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40203";
/// A notebook that was lost and never returns.
pub(super) const LOST: &str = "5f0c1a62-7d0e-4b57-9c35-30d2a1c40204";

pub(super) const GROUPS: [Group; 3] = [
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

/// Reads a part of the seed.
pub(super) fn read<T: DeserializeOwned>(json: &str) -> Result<T, Failure> {
    serde_json::from_str(json).map_err(|error| Failure::internal(format!("the seed: {error}")))
}

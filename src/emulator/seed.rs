//! Seeds a small company: groups of devices, tasks and policies, and what every service knows of them.

mod company;
#[cfg(feature = "incident-management")]
mod detections;
mod devices;
mod policies;
mod resources;
mod tasks;
mod times;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime};

use uuid::Uuid;

use self::company::{AWAY, FAILING, LOST, groups};
use self::times::Times;
use super::api::Methods;
use super::failure::Failure;
use super::fleet::Device;
use super::ids::IdSource;
use super::store::{Change, Read};

/// Returns how the devices behave, always with the same UUIDs. Their groups are in the store.
pub(crate) fn devices(now: SystemTime) -> Vec<Device> {
    let tomorrow = now.checked_add(Duration::from_secs(86_400)).unwrap_or(now);
    let device = |uuid: String| {
        let device = Device::new(&uuid);
        match &*uuid {
            FAILING => device.failing(),
            AWAY => device.off_until(tomorrow),
            LOST => device.off(),
            _ => device,
        }
    };
    groups().into_iter().flat_map(|group| group.devices).map(device).collect()
}

/// Generates the UUIDs of the seed, always the same ones, however many devices there are.
#[derive(Default)]
pub(crate) struct SeedIds(AtomicU64);

impl IdSource for SeedIds {
    fn id(&self, _sequence: u64) -> String {
        let number = self.0.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        // Has the form of version 4, and differs from all other sources.
        Uuid::from_u64_pair(0x5eed_0000_0000_4000, 0x8000_0000_0000_0000 | number).to_string()
    }
}

/// The number of devices of the company, unless more are asked for.
pub(crate) const DEVICES: usize = devices::COMPANY;

/// Fills an empty store.
pub(crate) fn fill(
    change: &mut Change<'_>,
    methods: &Methods,
    devices: usize,
) -> Result<(), Failure> {
    let times = Times(change.environment().clock.now());
    devices::fill(change, &times, devices)?;
    policies::fill(change)?;
    tasks::fill(change)?;
    #[cfg(feature = "incident-management")]
    detections::fill(change, &times)?;
    resources::fill(change, methods, &times)
}

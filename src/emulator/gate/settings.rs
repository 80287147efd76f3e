//! The settings of a gate.

use std::time::Duration;

use crate::emulator::auth::Auth;
use crate::emulator::cors::Origin;
use crate::emulator::faults::Faults;
use crate::emulator::serving::ConnectionLimits;

/// The settings of a gate.
#[derive(Clone, Debug)]
pub(in crate::emulator) struct Settings {
    pub(in crate::emulator) auth: Option<Auth>,
    pub(in crate::emulator) rate_limit: bool,
    pub(in crate::emulator) pending_after: Duration,
    pub(in crate::emulator) faults: Faults,
    pub(in crate::emulator) head: bool,
    pub(in crate::emulator) origins: Vec<Origin>,
    pub(in crate::emulator) limits: ConnectionLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            auth: None,
            rate_limit: false,
            // FACTS.md#errors.
            pending_after: Duration::from_secs(30),
            faults: Faults::new(),
            head: false,
            origins: Vec::new(),
            limits: ConnectionLimits::default(),
        }
    }
}

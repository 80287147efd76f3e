//! The settings of a gate.

use std::time::Duration;

use crate::emulator::auth::Auth;
use crate::emulator::faults::Faults;
use crate::rpc::Deployment;
use crate::server::{ConnectionLimits, Origin};

/// The settings of a gate.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) deployment: Deployment,
    pub(crate) auth: Option<Auth>,
    pub(crate) rate_limit: bool,
    pub(crate) pending_after: Duration,
    pub(crate) faults: Faults,
    pub(crate) head: bool,
    pub(crate) origins: Vec<Origin>,
    pub(crate) limits: ConnectionLimits,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            deployment: Deployment::Cloud,
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

//! What a bridge keeps until it is started again.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::server::{ConnectionLimits, Origin};

/// The settings of a [`Config`](super::Config) that a bridge takes when it starts. All others can be replaced while it
/// serves.
#[derive(Clone, Debug)]
pub struct FixedSettings {
    pub(super) listen: SocketAddr,
    pub(super) has_tls: bool,
    pub(super) origins: Vec<Origin>,
    pub(super) limits: ConnectionLimits,
    pub(super) audit_log: Option<PathBuf>,
    pub(super) operations: Option<SocketAddr>,
}

impl FixedSettings {
    /// Returns the keys whose values differ in `other`, which a bridge that has these ignores until it is started again.
    pub fn changed(&self, other: &Self) -> Vec<&'static str> {
        let all = [
            ("listen", self.listen != other.listen),
            ("allow_origins", self.origins != other.origins),
            ("audit_log", self.audit_log != other.audit_log),
            ("operations", self.operations != other.operations),
            ("[tls]", self.has_tls != other.has_tls),
            ("[limits]", self.limits != other.limits),
        ];
        all.into_iter().filter(|(_, differs)| *differs).map(|(key, _)| key).collect()
    }
}

//! What a bridge keeps until it is started again.

use std::net::SocketAddr;
use std::path::PathBuf;

use crate::server::{ConnectionLimits, Origin};

/// The settings of a [`Config`](super::Config) that a bridge takes when it starts. All others can be replaced while it
/// serves.
#[derive(Clone, Debug)]
pub(in crate::serve) struct FixedSettings {
    pub(in crate::serve) listen: SocketAddr,
    pub(in crate::serve) has_tls: bool,
    pub(in crate::serve) origins: Vec<Origin>,
    pub(in crate::serve) limits: ConnectionLimits,
    pub(in crate::serve) audit_log: Option<PathBuf>,
    pub(in crate::serve) operations: Option<SocketAddr>,
}

impl FixedSettings {
    /// Returns the keys whose values differ in `other`, which a bridge that has these ignores until it is started again.
    pub(in crate::serve) fn changed(&self, other: &Self) -> Vec<&'static str> {
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

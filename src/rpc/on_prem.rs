//! Where ESET PROTECT On-Prem has an RPC.

/// Where ESET PROTECT On-Prem has an RPC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct OnPrem {
    /// The version that brought it, major and minor.
    pub since: (u16, u16),
    /// The version that brought the first of its HTTP bindings, if earlier ones have only the others.
    pub renamed_in: Option<(u16, u16)>,
}

impl OnPrem {
    /// Describes an RPC that a version brought, and whose first HTTP binding another one brought.
    pub const fn new(since: (u16, u16), renamed_in: Option<(u16, u16)>) -> Self {
        Self { since, renamed_in }
    }
}

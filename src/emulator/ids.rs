//! The source of identifiers, as an argument.

use uuid::Uuid;

/// Generates the identifiers of tasks, runs, policies and assignments.
pub trait IdSource: Send + Sync + 'static {
    /// Returns an identifier of 1 to 100 characters. `sequence` is a number that the store issues only once,
    /// even across restarts, so the identifier may depend on it alone. If the store already has the
    /// identifier, the call fails with `INTERNAL`.
    fn id(&self, sequence: u64) -> String;
}

/// Generates random UUIDs (version 4).
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn id(&self, _sequence: u64) -> String {
        Uuid::new_v4().to_string()
    }
}

/// Generates sequential UUIDs, for tests and demonstrations: the same calls give the same identifiers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialIds;

impl IdSource for SequentialIds {
    fn id(&self, sequence: u64) -> String {
        // Has the form of version 4, which clients that validate UUIDs expect.
        Uuid::from_u64_pair(0x4000, 0x8000_0000_0000_0000 | sequence).to_string()
    }
}

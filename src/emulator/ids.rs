//! Where identifiers come from, as an argument.

use uuid::Uuid;

/// Makes the identifiers of tasks, runs, policies and assignments.
pub trait IdSource: Send + Sync + 'static {
    /// An identifier of 1 to 100 characters. `sequence` is a number that the store gives out once,
    /// also over restarts, so a source may derive the identifier from it alone. An identifier that
    /// the store already has makes the call fail with `INTERNAL`.
    fn id(&self, sequence: u64) -> String;
}

/// Random uuids (version 4).
#[derive(Clone, Copy, Debug, Default)]
pub struct RandomIds;

impl IdSource for RandomIds {
    fn id(&self, _sequence: u64) -> String {
        Uuid::new_v4().to_string()
    }
}

/// Uuids that count upwards, for tests and demonstrations: the same calls give the same identifiers.
#[derive(Clone, Copy, Debug, Default)]
pub struct SequentialIds;

impl IdSource for SequentialIds {
    fn id(&self, sequence: u64) -> String {
        // Looks like version 4, which is what clients that validate uuids expect.
        Uuid::from_u64_pair(0x4000, 0x8000_0000_0000_0000 | sequence).to_string()
    }
}

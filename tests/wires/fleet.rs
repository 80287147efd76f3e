//! The seeded company: its groups, devices, detections and incidents hang together, and what changes one of them
//! is seen in the others.

mod groups;
mod incidents;
mod policies;
mod quarantine;
mod strict;
mod verbs;

const ALL: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0000";
const SHOPS: &str = "c2b7e8d4-19a3-4f6e-8b21-5d90fe7a0001";

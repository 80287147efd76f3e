//! What a user gets when things go wrong, on both wires: a server for each fault, on real sockets, with a
//! driven clock. This test writes and checks `table.md`; the files next to it check the retry policy against
//! its documentation.

#![cfg(feature = "rest")]

#[path = "../support/mod.rs"]
mod support;

mod fault;
mod faults;
mod settings;
mod stage;

mod attempts;
mod table;
mod tasks;
mod throttle;
mod times;
mod tokens;
mod waits;

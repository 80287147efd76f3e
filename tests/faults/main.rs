//! What a user gets when things go wrong, on both wires: a server for each fault, on real sockets, with
//! driven time. `table.md` is written by it and checked against it; the files beside it hold the call
//! policy to its documentation.

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

//! The emulator through its public API: bare stubs over loopback sockets.
#![cfg(feature = "emulator")]

mod assignments;
mod durability;
mod paging;
mod policies;
mod reflection;
mod runs;
mod serving;
mod support;
mod tasks;

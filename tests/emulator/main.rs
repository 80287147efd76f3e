//! The emulator through its public API: bare stubs over loopback sockets.
#![cfg(feature = "emulator")]

mod assignments;
mod child;
mod compression;
mod connections;
mod deadlines;
#[path = "../support/directory.rs"]
mod directory;
mod durability;
mod full_disk;
mod paging;
mod policies;
mod raw;
mod reflection;
mod runs;
mod serving;
#[path = "../support/skip.rs"]
mod skip;
mod support;
mod tasks;

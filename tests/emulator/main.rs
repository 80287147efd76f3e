//! The emulator through its public API: plain stubs over loopback sockets.
#![cfg(feature = "emulator")]

#[path = "../support/mod.rs"]
mod support;

mod assignments;
mod child;
mod compression;
mod connections;
mod deadlines;
mod durability;
mod fixture;
mod full_disk;
mod paging;
mod policies;
mod raw;
mod reflection;
mod rest_front;
mod runs;
mod serving;
mod tasks;

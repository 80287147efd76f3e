//! The REST front of the emulator, its logins, limits and faults, over loopback sockets.
#![cfg(all(feature = "emulator", feature = "rest"))]

mod browsers;
mod calls;
mod client;
mod faults;
mod fixture;
mod limits;
mod logins;
mod on_prem;
mod openapi;
mod operations;
mod pending;

//! What the tests share.

// Each test binary uses a part of it.
#![allow(dead_code)]

pub mod directory;
#[cfg(feature = "emulator")]
pub mod driven_timer;
pub mod greeter;
pub mod hasty;
pub mod messages;
#[cfg(feature = "rest")]
pub mod scripted;
pub mod skip;
#[cfg(feature = "rest")]
pub mod timer;
#[cfg(feature = "tls")]
pub mod tls;

//! What the tests share.

// Each test binary uses a part of it.
#![allow(dead_code)]

pub mod causes;
pub mod directory;
#[cfg(feature = "rest")]
pub mod driven_timer;
#[cfg(feature = "emulator")]
pub mod emulator_timer;
pub mod greeter;
pub mod messages;
pub mod recording;
#[cfg(feature = "rest")]
pub mod scripted;
pub mod skip;
#[cfg(feature = "tls")]
pub mod tls;

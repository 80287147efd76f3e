//! Access tokens: one for many calls, and the logins that give them.

#![cfg(feature = "rest")]

#[path = "../faults/driven_timer.rs"]
mod driven_timer;
#[path = "../scripted/mod.rs"]
mod scripted;

mod cache;
mod logins;

/// What the service answers when its token is right.
const TASK: &str = r#"{"task":{}}"#;

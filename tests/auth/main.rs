//! Access tokens: one for many calls, and the logins that give them.

#![cfg(feature = "rest")]

#[path = "../support/mod.rs"]
mod support;

mod cache;
mod logins;

/// What the service answers when its token is right.
const TASK: &str = r#"{"task":{}}"#;

//! Access tokens: one for many calls, and the logins that give them.

#![cfg(feature = "rest")]

mod cache;
mod logins;

/// What the service answers when its token is right.
const TASK: &str = r#"{"task":{}}"#;

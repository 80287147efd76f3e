//! Access tokens: one for many calls, and the logins that issue them.

#![cfg(feature = "rest")]

mod cache;
mod logins;

/// The service's response to a valid token.
const TASK: &str = r#"{"task":{}}"#;

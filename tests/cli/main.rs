//! The command `eset-protect`, run as its users run it: arguments, pipes and exit codes.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod assignments;
mod attempts;
mod bulk;
mod checks;
mod completions;
mod convert;
mod demo;
mod descriptors;
#[path = "../support/directory.rs"]
mod directory;
mod emulator;
mod failures;
mod files;
mod hints;
mod lists;
mod logins;
mod policies;
mod settings;
#[path = "../support/skip.rs"]
mod skip;
mod support;
mod targets;
mod tasks;
mod tls;
mod unread;
mod verbose;
mod waiting;
mod wires;

//! Runs the command `eset-protect` as users do: arguments, pipes and exit codes.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "../support/mod.rs"]
mod support;

mod api;
mod assignments;
mod attempts;
mod bulk;
mod call;
mod checks;
mod command;
mod completions;
mod convert;
mod demo;
mod descriptors;
mod device_names;
mod emulator;
mod failures;
mod files;
mod hints;
mod jobs;
mod journals;
mod lists;
mod logins;
mod masks;
mod named;
mod nouns;
mod operations;
mod outputs;
mod policies;
mod policies_as_code;
mod policy_folders;
mod profiles;
mod prompts;
mod rollouts;
mod safety;
mod serve;
mod settings;
mod targets;
mod tasks;
mod tls;
mod unread;
mod verbose;
mod waiting;
mod wires;
mod wording;
mod yaml;

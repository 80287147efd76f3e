//! Clients of a scripted server, and their calls.

use std::time::Duration;

use eset_protect::{Client, ClientBuilder, RetryPolicy, Wire};

pub use crate::refused::http2::{create, get};
use crate::support::scripted::Scripted;

/// A task as ESET's services write it.
pub const TASK: &str = r#"{"task":{"uuid":"t-1","versionId":"3","displayName":"Scan","targets":{"devicesUuids":[]},"triggers":[],"source":"DEVICE_TASK_SOURCE_UNSPECIFIED"}}"#;

pub const PAUSE: Duration = Duration::from_millis(1);

/// Without retries: these tests are about single attempts.
pub fn builder(server: &Scripted) -> ClientBuilder {
    Client::builder(&server.endpoint())
        .wire(Wire::Rest)
        .pending_pause(PAUSE, PAUSE)
        .retry(RetryPolicy::none())
}

pub fn client(server: &Scripted) -> Client {
    builder(server).connect_lazy().unwrap()
}

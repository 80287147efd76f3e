//! Connects the examples to a server.

use eset_protect::emulator::{Emulator, Running};
use eset_protect::{Client, Error};

/// A client, and its emulator if there is one.
pub struct Target {
    /// The client.
    pub client: Client,
    emulator: Option<Running>,
}

impl Target {
    /// Stops the emulator.
    pub async fn close(self) {
        if let Some(emulator) = self.emulator {
            emulator.shutdown().await;
        }
    }
}

/// Connects to `ESET_PROTECT_ENDPOINT`, or to a new seeded emulator if that is not set.
pub async fn target() -> Result<Target, Box<dyn std::error::Error>> {
    if let Ok(endpoint) = std::env::var("ESET_PROTECT_ENDPOINT") {
        return Ok(Target { client: connect(&endpoint).await?, emulator: None });
    }
    let emulator = Emulator::builder().seed(true).build()?.start().await?;
    let client = connect(&emulator.endpoint()).await?;
    Ok(Target { client, emulator: Some(emulator) })
}

async fn connect(endpoint: &str) -> Result<Client, Error> {
    Client::connect(endpoint).await
}

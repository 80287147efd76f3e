//! `eset-protect demo`: shows in seconds what this crate does, without a server.

mod policy;
mod stage;
mod task;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use eset_protect::Client;
use eset_protect::emulator::{Emulator, ManualClock, SequentialIds};

use crate::failure::Failure;
use crate::run::block_on;
use crate::text::program;
use stage::{Stage, other};

/// 2030-01-01T00:00:00Z, so that the demo is the same every time.
const NOW: Duration = Duration::from_secs(1_893_456_000);

/// Send a task and a policy over gRPC to an emulator in this process
///
/// Needs no server and no credentials, and leaves nothing behind.
#[derive(clap::Args, Debug)]
pub struct Demo {}

impl Demo {
    pub fn run(self) -> Result<(), Failure> {
        block_on(show())
    }
}

async fn show() -> Result<(), Failure> {
    let mut stage = Stage::new();
    stage.title("A device task and a policy over gRPC, against an emulator in this process")?;

    let clock = Arc::new(ManualClock::new(start()));
    let emulator = Emulator::builder().clock(Arc::clone(&clock)).ids(SequentialIds);
    let running = emulator.build().map_err(other)?.start().await.map_err(other)?;
    stage.step("An emulator of ESET's services starts")?;
    stage.fact("address", &running.endpoint())?;
    stage.fact("its time", "2030-01-01T00:00:00Z, and it moves only when we say so")?;

    let client = Client::connect(&running.endpoint()).await?;
    let task = task::create_and_read(&mut stage, &client).await?;
    task::survive(&mut stage, &client, &task).await?;
    task::progress(&mut stage, &client, &clock, &task.uuid).await?;
    let policy = policy::create_and_read(&mut stage, &client).await?;
    policy::assign(&mut stage, &client, &policy).await?;

    drop(client);
    running.shutdown().await;
    what_next(&mut stage)
}

fn start() -> SystemTime {
    UNIX_EPOCH.checked_add(NOW).unwrap_or(UNIX_EPOCH)
}

fn what_next(stage: &mut Stage) -> Result<(), Failure> {
    let program = program();
    stage.end(
        "That was all real gRPC. Try it yourself:",
        &[
            (format!("{program} emulator --seed --no-auth"), "in another terminal"),
            (format!("{program} tasks list"), "a month of tasks"),
            (format!("{program} policies list --output json"), "ProtoJSON, a policy a line"),
            (format!("{program} convert --list"), "the types, JSON to binary and back"),
        ],
    )
}

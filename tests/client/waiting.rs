//! Waits for tasks and creates them once, over both wires, with a driven clock.

#![cfg(all(feature = "emulator", feature = "rest"))]

mod answers;
mod ends;
mod faults;
mod guard;
mod one_account;
mod polling;
mod states;

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::support::emulator_timer::EmulatorTimer;
use eset_protect::automation::v1::{Action, DeviceTask, DeviceTaskTargets, Trigger};
use eset_protect::emulator::{Builder, Clock, Emulator, ManualClock, Running, SequentialIds};
use eset_protect::{Client, DeviceCounts, TaskProgress, TaskWatch, Wire};

/// 2030-01-01T00:00:00Z.
const BEGIN: Duration = Duration::from_secs(1_893_456_000);

/// A client on one wire with a driven clock, and an emulator with the same clock.
struct Fixture {
    client: Client,
    timer: EmulatorTimer,
    clock: Arc<ManualClock>,
    emulator: Running,
    wire: Wire,
}

impl Fixture {
    async fn start(wire: Wire, builder: Builder) -> Self {
        let clock = Arc::new(ManualClock::new(UNIX_EPOCH + BEGIN));
        let emulator = builder.clock(clock.clone()).ids(SequentialIds).build().unwrap();
        let emulator = emulator.start().await.unwrap();
        let timer = EmulatorTimer::new(clock.clone());
        let client = Client::builder(&emulator.endpoint()).wire(wire).timer(timer.clone());
        Self { client: client.connect().await.unwrap(), timer, clock, emulator, wire }
    }

    /// Creates a task and returns its UUID.
    async fn create(&self, task: DeviceTask) -> String {
        let created = self.client.device_tasks().create_task(task).await.unwrap();
        created.uuid
    }

    fn watch(&self, task: &str) -> TaskWatch {
        self.client.device_tasks().watch_task(task)
    }

    /// Returns how many times an RPC was called.
    fn calls(&self, method: &str) -> usize {
        self.emulator.log().iter().filter(|arrival| arrival.is_rpc(method)).count()
    }

    fn now(&self) -> SystemTime {
        self.clock.now()
    }

    /// Watches to the end: returns when each item came, in seconds, and its contents.
    async fn seen(&self, mut watch: TaskWatch) -> Vec<String> {
        let mut seen = Vec::new();
        while let Some(item) = watch.next().await {
            seen.push(match item {
                Ok(progress) => {
                    format!("{:?}: {}", self.timer.passed(), described(&progress))
                }
                Err(error) => format!("{:?}: {error}", self.timer.passed()),
            });
        }
        seen
    }
}

/// Runs a test over each wire.
async fn over_both_wires(builder: impl Fn() -> Builder, test: impl AsyncFn(Fixture)) {
    for wire in [Wire::Grpc, Wire::Rest] {
        test(Fixture::start(wire, builder()).await).await;
    }
}

/// Returns a task with an action without params.
pub fn task(targets: DeviceTaskTargets) -> DeviceTask {
    DeviceTask {
        display_name: "Isolate".to_owned(),
        action: Some(Action::start_network_isolation()),
        targets: Some(targets),
        triggers: vec![Trigger::manual(None)],
        ..Default::default()
    }
}

pub fn devices(uuids: &[&str]) -> DeviceTaskTargets {
    DeviceTaskTargets::devices(uuids.iter().copied())
}

fn seconds(number: u64) -> Duration {
    Duration::from_secs(number)
}

/// Formats the counts that are not zero, and the end.
fn described(progress: &TaskProgress) -> String {
    let counts = progress.counts();
    let DeviceCounts { not_started, queued, running, finished, failed, .. } = counts;
    let mut parts: Vec<_> = [
        ("not started", not_started),
        ("queued", queued),
        ("running", running),
        ("finished", finished),
        ("failed", failed),
        ("suppressed", counts.suppressed),
        ("expired", counts.expired),
        ("other", counts.other),
    ]
    .into_iter()
    .filter(|(_, number)| *number > 0)
    .map(|(what, number)| format!("{number} {what}"))
    .collect();
    if progress.is_complete() {
        parts.push("complete".to_owned());
    }
    parts.join(", ")
}

fn builder() -> Builder {
    Emulator::builder()
}

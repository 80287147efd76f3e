//! Emulators, and clients over either wire that do not wait.

use eset_protect::emulator::{Builder, Emulator, Running};
use eset_protect::{Client, ClientBuilder, Wire};

use crate::support::driven_timer::DrivenTimer;

pub const METHOD: &str = "eset.dotnod.automation.v1.DeviceTasks/ListTasks";
pub const BOTH: [Wire; 2] = [Wire::Grpc, Wire::Rest];

pub async fn emulator(configure: impl FnOnce(Builder) -> Builder) -> Running {
    configure(Emulator::builder().seed(true)).build().unwrap().start().await.unwrap()
}

pub fn builder(running: &Running, wire: Wire) -> ClientBuilder {
    Client::builder(&running.endpoint()).wire(wire).timer(DrivenTimer::new())
}

pub fn client(running: &Running, wire: Wire) -> Client {
    builder(running, wire).connect_lazy().unwrap()
}

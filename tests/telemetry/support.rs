//! Emulators, and clients of them over either wire that do not wait.

use std::time::{Duration, SystemTime};

use eset_protect::auth::BoxFuture;
use eset_protect::emulator::{Builder, Emulator, Running};
use eset_protect::{Client, ClientBuilder, Timer, Wire};
use tokio::time::Instant;

pub const METHOD: &str = "eset.dotnod.automation.v1.DeviceTasks/ListTasks";
pub const BOTH: [Wire; 2] = [Wire::Grpc, Wire::Rest];

/// Every pause is over at once; a deadline is not.
#[derive(Debug)]
pub struct Hasty;

impl Timer for Hasty {
    fn now(&self) -> Instant {
        Instant::now()
    }

    fn system_time(&self) -> SystemTime {
        SystemTime::now()
    }

    fn sleep(&self, _: Duration) -> BoxFuture<'static, ()> {
        Box::pin(async {})
    }

    fn expiry(&self, duration: Duration) -> BoxFuture<'static, ()> {
        Box::pin(tokio::time::sleep(duration))
    }
}

pub async fn emulator(configure: impl FnOnce(Builder) -> Builder) -> Running {
    configure(Emulator::builder().seed(true)).build().unwrap().start().await.unwrap()
}

pub fn builder(running: &Running, wire: Wire) -> ClientBuilder {
    Client::builder(&running.endpoint()).wire(wire).timer(Hasty)
}

pub fn client(running: &Running, wire: Wire) -> Client {
    builder(running, wire).connect_lazy().unwrap()
}

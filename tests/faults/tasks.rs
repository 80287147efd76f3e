//! The resources a client uses, and what remains when it is dropped.

use std::future::poll_fn;
use std::mem::size_of;
use std::task::Poll;
use std::time::Duration;

use eset_protect::{Client, DeviceTasks, Policies, PolicyAssignments, Wire};
use tokio::runtime::{Builder, Handle};

use crate::fault::{Api, Setting};
use crate::settings::{Says, WIRES, down, says};
use crate::stage::{Stage, create, get};
use crate::support::scripted::Answer;

#[test]
fn a_client_is_a_pointer() {
    assert_eq!(size_of::<Client>(), size_of::<usize>());
    assert_eq!(size_of::<DeviceTasks>(), size_of::<usize>());
    assert_eq!(size_of::<Policies>(), size_of::<usize>());
    assert_eq!(size_of::<PolicyAssignments>(), size_of::<usize>());
    assert_eq!(size_of::<Option<Client>>(), size_of::<usize>());
}

#[tokio::test]
async fn ten_thousand_clones_share_a_connection_and_a_token() {
    for wire in WIRES {
        let stage = Stage::of(says(wire, &[], Says::Task)).await;
        let client = stage.builder(wire).no_rate_limiter().connect_lazy().unwrap();
        get(&client).await.unwrap();
        let tasks = Handle::current().metrics().num_alive_tasks();
        let clones = vec![client; 10_000];
        assert_eq!(Handle::current().metrics().num_alive_tasks(), tasks, "clones have no tasks");
        for clone in clones.iter().step_by(200) {
            get(clone).await.unwrap();
        }
        assert_eq!(stage.connections(), 1, "{wire:?}");
        assert_eq!((stage.requests(), stage.logins().len()), (51, 1));
    }
}

/// How a client's calls end.
#[derive(Clone, Copy, Debug)]
enum Calls {
    None,
    Answered,
    Failed,
    Dropped,
    Refused,
}

/// Returns a server for it.
fn setting(wire: Wire, calls: Calls) -> Setting {
    match calls {
        Calls::None | Calls::Answered => says(wire, &[], Says::Task),
        Calls::Failed => down(wire),
        Calls::Dropped => {
            let mut setting = says(wire, &[Says::Task], Says::Task);
            match &mut setting.api {
                Api::Http1 { otherwise, .. } => *otherwise = Answer::Hang(vec![]),
                Api::Http2 { otherwise, .. } => *otherwise = vec![],
                Api::Nobody => {}
            }
            setting
        }
        Calls::Refused => Setting::new(Api::Nobody, wire == Wire::Rest),
    }
}

async fn make(calls: Calls, client: &Client, stage: &Stage) {
    match calls {
        Calls::None => {}
        Calls::Answered => {
            for _ in 0..3 {
                get(client).await.unwrap();
            }
            create(client).await.unwrap();
        }
        Calls::Failed | Calls::Refused => {
            get(client).await.unwrap_err();
            create(client).await.unwrap_err();
        }
        Calls::Dropped => {
            get(client).await.unwrap();
            for number in 0..3 {
                let mut call = Box::pin(get(client));
                // Waits until it has arrived, then gives it up.
                while stage.requests() < number + 2 {
                    let poll = poll_fn(|cx| Poll::Ready(call.as_mut().poll(cx)));
                    assert!(poll.await.is_pending());
                    tokio::task::yield_now().await;
                }
            }
        }
    }
}

/// Waits until the runtime has no tasks.
async fn until_there_is_none() {
    while Handle::current().metrics().num_alive_tasks() > 0 {
        tokio::task::yield_now().await;
    }
}

#[test]
fn no_task_outlives_its_client() {
    // The servers continue in a separate runtime, so the tasks do not end because of them.
    let servers = Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
    let clients = Builder::new_current_thread().enable_all().build().unwrap();
    let tasks = || clients.metrics().num_alive_tasks();
    for wire in WIRES {
        for calls in [Calls::None, Calls::Answered, Calls::Failed, Calls::Dropped, Calls::Refused] {
            let stage = servers.block_on(Stage::of(setting(wire, calls)));
            let builder = stage.builder(wire).no_rate_limiter();
            clients.block_on(async {
                let client = builder.connect_lazy().unwrap();
                make(calls, &client, &stage).await;
                let handle = client.device_tasks();
                let is_connected = matches!(calls, Calls::Answered | Calls::Failed);
                assert!(tasks() > 0 || !is_connected, "a connection is a task");
                drop(client);
                assert!(tasks() > 0 || !is_connected, "a handle keeps its client");
                drop(handle);
                let over = tokio::time::timeout(Duration::from_secs(20), until_there_is_none());
                let is_over = over.await.is_ok();
                assert!(is_over, "{wire:?} {calls:?}: {} tasks are left", tasks());
            });
        }
    }
}

#[tokio::test]
async fn a_call_keeps_what_it_needs_until_it_is_answered() {
    for wire in WIRES {
        let stage = Stage::of(says(wire, &[], Says::Task)).await;
        let client = stage.builder(wire).connect_lazy().unwrap();
        let call = client.device_tasks().get_task("t-1");
        drop(client);
        assert_eq!(call.await.unwrap().uuid, "t-1");
    }
}

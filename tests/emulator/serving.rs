//! Start, stop and health checks.

use std::collections::BTreeSet;
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::SystemTime;

use eset_protect::automation::v1::device_tasks_client::DeviceTasksClient;
use eset_protect::automation::v1::{CreateTaskRequest, ListTasksRequest};
use eset_protect::emulator::{Clock, Emulator, EmulatorError};
use tokio::net::{TcpListener, TcpStream};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::fixture::*;
use crate::raw::{flagged, framed, grpc, send, whole};

/// The services of the crate.
pub fn services() -> BTreeSet<&'static str> {
    eset_protect::rpc::METHODS.iter().map(|spec| spec.service).collect()
}

#[tokio::test]
async fn all_services_are_healthy() {
    let fixture = fixture().await;
    let mut health = HealthClient::new(channel(&fixture.running.endpoint()).await);
    for service in services().into_iter().chain([""]) {
        let request = HealthCheckRequest { service: service.to_owned() };
        let reply = health.check(request).await.unwrap();
        assert_eq!(reply.get_ref().status(), ServingStatus::Serving);
    }
    let request = HealthCheckRequest { service: "none".to_owned() };
    assert_eq!(code(health.check(request).await), Code::NotFound);
}

/// A clock that panics once when it has been read this many times.
struct Broken(AtomicUsize);

impl Clock for Broken {
    fn now(&self) -> SystemTime {
        let left = self.0.fetch_sub(1, Ordering::Relaxed);
        assert_ne!(left, 1, "the clock is broken");
        SystemTime::now()
    }
}

#[tokio::test]
async fn a_panic_ends_its_call_alone() {
    let clock = Arc::new(Broken(AtomicUsize::new(usize::MAX)));
    let builder = Emulator::builder().seed(true).clock(Arc::clone(&clock));
    let running = builder.build().unwrap().start().await.unwrap();
    let mut tasks = DeviceTasksClient::new(channel(&running.endpoint()).await);
    // Before the call, and in a short read, which runs on the connection's thread.
    for reads in [1, 2] {
        clock.0.store(reads, Ordering::Relaxed);
        let broken = tasks.list_tasks(ListTasksRequest::default()).await.unwrap_err();
        assert_eq!((broken.code(), broken.message()), (Code::Internal, "the call panicked"));
        clock.0.store(usize::MAX, Ordering::Relaxed);
        tasks.list_tasks(ListTasksRequest::default()).await.unwrap();

        clock.0.store(reads, Ordering::Relaxed);
        let broken = send(&running, false, "GET", "/v1/device_tasks", &[], whole("")).await;
        assert_eq!(broken.http, 500, "{broken:?}");
        clock.0.store(usize::MAX, Ordering::Relaxed);
    }
}

#[tokio::test]
async fn a_shutdown_and_a_drop_both_stop_everything() {
    for is_dropped in [false, true] {
        let mut fixture = fixture().await;
        let address = fixture.running.local_addr();
        fixture.create(task("t", &[])).await;
        // A client that is connected and sends nothing does not delay it.
        let silent = TcpStream::connect(address).await.unwrap();
        if is_dropped {
            drop(fixture.running);
        } else {
            let started = std::time::Instant::now();
            fixture.running.shutdown().await;
            // Ten seconds are the limit for current calls, and there are none.
            assert!(started.elapsed() < std::time::Duration::from_secs(9));
        }
        let mut byte = [0];
        loop {
            silent.readable().await.unwrap();
            match silent.try_read(&mut byte) {
                Ok(0) => break,
                Err(error) if error.kind() != ErrorKind::WouldBlock => break,
                _ => {}
            }
        }
        let reply = fixture.tasks.list_tasks(ListTasksRequest::default()).await;
        // tonic returns `Unavailable` or `Cancelled`.
        assert!(reply.is_err());
        while TcpStream::connect(address).await.is_ok() {
            tokio::task::yield_now().await;
        }
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn calls_at_once_and_a_shutdown_among_them_lose_nothing() {
    let mut fixture = fixture().await;
    let mut calls = tokio::task::JoinSet::new();
    for n in 0..60 {
        let mut tasks = fixture.tasks.clone();
        let request = CreateTaskRequest { task: Some(task(&n.to_string(), &["d"])) };
        calls.spawn(async move { tasks.create_task(request).await });
    }
    let mut uuids = BTreeSet::new();
    while uuids.len() < 30 {
        let reply = calls.join_next().await.unwrap().unwrap().unwrap();
        uuids.insert(reply.into_inner().task.unwrap().uuid);
    }
    let request = ListTasksRequest { page_size: 1000, ..Default::default() };
    let tasks = fixture.tasks.list_tasks(request).await.unwrap().into_inner().tasks;
    let there: BTreeSet<_> = tasks.into_iter().map(|task| task.uuid).collect();
    assert!(uuids.is_subset(&there));
    // The others are either answered or refused; none hangs.
    fixture.running.shutdown().await;
    while let Some(reply) = calls.join_next().await {
        match reply.unwrap() {
            Ok(reply) => assert!(uuids.insert(reply.into_inner().task.unwrap().uuid)),
            Err(status) => assert!(
                matches!(status.code(), Code::Unavailable | Code::Cancelled | Code::Unknown),
                "{status:?}"
            ),
        }
    }
}

#[tokio::test]
async fn an_emulator_serves_on_a_given_listener_until_told_to_stop() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let endpoint = format!("http://{}", listener.local_addr().unwrap());
    let (stop, stopped) = tokio::sync::oneshot::channel::<()>();
    let emulator = Emulator::builder().seed(true).build().unwrap();
    let server = tokio::spawn(emulator.serve(listener, async { drop(stopped.await) }));
    let mut tasks = DeviceTasksClient::connect(endpoint).await.unwrap();
    let page = tasks.list_tasks(ListTasksRequest::default()).await.unwrap().into_inner();
    assert_eq!(page.tasks.len(), 50);
    stop.send(()).unwrap();
    server.await.unwrap().unwrap();
}

#[tokio::test]
async fn an_address_in_use_is_an_error() {
    let fixture = fixture().await;
    let address = fixture.running.local_addr();
    let error = Emulator::builder().build().unwrap().listen(address).await.unwrap_err();
    assert!(matches!(error, EmulatorError::Listen { address: at, .. } if at == address));
    assert_eq!(fixture.running.endpoint(), format!("http://{address}"));
}

#[tokio::test]
async fn a_unary_call_has_one_message_within_the_limit() {
    let fixture = fixture().await;
    let list = framed(&ListTasksRequest::default());
    for (body, code) in [
        (Vec::new(), Code::Unimplemented),
        ([list.as_slice(), &list].concat(), Code::Unimplemented),
        ([&[0], &u32::MAX.to_be_bytes()[..]].concat(), Code::ResourceExhausted),
        (flagged(0, b"\xff"), Code::Internal),
        (list, Code::Ok),
    ] {
        let path = "/eset.dotnod.automation.v1.DeviceTasks/ListTasks";
        let reply = grpc(&fixture.running, path, &[], whole(body)).await;
        reply.message_of(code);
    }
}

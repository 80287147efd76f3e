//! How long a connection may be used.

use std::time::Duration;

use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::emulator::Fault;
use eset_protect::serve::Bridge;
use eset_protect::server::ConnectionLimits;
use tonic::Code;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_client::HealthClient;

use crate::fronts::grpc_web;
use crate::{client, emulator, send};

#[tokio::test]
async fn an_old_connection_is_left_without_losing_a_call() {
    let emulator = emulator().await;
    let mut limits = ConnectionLimits::default();
    limits.max_connection_age = Some(Duration::from_millis(500));
    let bridge = Bridge::to(client(&emulator.endpoint(), Wire::Rest)).connection_limits(limits);
    let bridge = bridge.start().await.unwrap();
    let (fault, mut hold) = Fault::hold();
    emulator.faults().push_for("ListTasks", fault);
    let caller = client(&bridge.endpoint(), Wire::Grpc);
    let call =
        tokio::spawn(
            async move { caller.device_tasks().list_tasks(ListTasksRequest::default()).await },
        );
    hold.arrived(1).await;
    // A younger connection: when its time is up, so is that of the call.
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    for _ in 0..2 {
        let watch = health.watch(HealthCheckRequest::default()).await.unwrap();
        let mut watch = watch.into_inner();
        watch.message().await.unwrap().unwrap();
        let error = watch.message().await.unwrap_err();
        assert_eq!(error.code(), Code::Unavailable);
        assert!(error.message().contains("the server closes the connection"), "{error}");
    }
    // A browser reads the end in the body, as it does that of a call.
    let mut watch = grpc_web(&bridge.endpoint(), &HealthCheckRequest::default());
    *watch.uri_mut() =
        format!("{}/grpc.health.v1.Health/Watch", bridge.endpoint()).parse().unwrap();
    let body = send(watch).await.into_body();
    let trailers = String::from_utf8_lossy(&body);
    assert!(trailers.contains("\u{fffd}") && trailers.contains("grpc-status:14"), "{trailers:?}");
    hold.release();
    call.await.unwrap().unwrap();
}

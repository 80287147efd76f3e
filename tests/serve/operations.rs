//! Liveness, readiness and metrics.

use bytes::Bytes;
use eset_protect::Wire;
use eset_protect::automation::v1::ListTasksRequest;
use eset_protect::serve::{Access, Bridge, Caller, Identity, Operations};
use http::Request;
use serde_json::Value;
use tokio::net::TcpListener;
use tonic::transport::Channel;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;

use crate::{client, emulator, send};

#[tokio::test]
async fn readiness_names_the_upstream_that_is_down() {
    let (up, down) = (emulator().await, emulator().await);
    let access = Access::new()
        .tenant("up", client(&up.endpoint(), Wire::Rest))
        .tenant("down", client(&down.endpoint(), Wire::Rest))
        .caller(Caller::new("all", Identity::Anyone).tenant("up").tenant("down"))
        .unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap();
    let operations = Operations::new(listener).metrics(|| "some_metric 1\n".to_owned());
    let bridge = Bridge::new(access).operations(operations).start().await.unwrap();
    let get = async |path: &str| {
        let request = Request::get(format!("http://{port}{path}")).body(Bytes::new()).unwrap();
        let response = send(request).await;
        (response.status().as_u16(), String::from_utf8(response.into_body().to_vec()).unwrap())
    };
    let client = client(&bridge.endpoint(), Wire::Grpc);
    let list = async |tenant: &str| {
        let call = client.device_tasks().list_tasks(ListTasksRequest::default());
        call.metadata("eset-protect-tenant", tenant).await
    };
    assert_eq!(get("/livez").await, (200, "live\n".to_owned()));
    assert_eq!(get("/metrics").await, (200, "some_metric 1\n".to_owned()));
    assert_eq!(get("/").await.0, 404);
    let host = down.endpoint().strip_prefix("http://").unwrap().to_owned();
    down.shutdown().await;
    list("up").await.unwrap();
    let error = list("down").await.unwrap_err();
    assert!(error.message().contains(&host), "{error}");
    assert_eq!(error.metadata().get("eset-protect-tenant").unwrap(), "down");

    let (status, body) = get("/readyz").await;
    let body: Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["ready"], &body["tenants"]), (200, &true.into(), &2.into()));
    let reported = body["upstreams_down"].as_object().unwrap();
    assert_eq!(reported.keys().collect::<Vec<_>>(), ["down"]);
    assert!(reported["down"]["error"].as_str().unwrap().contains(&host), "{body}");
    assert_eq!(get("/readyz?tenant=up").await.0, 200);
    assert_eq!(get("/readyz?tenant=down").await.0, 503);
    assert_eq!(get("/readyz?tenant=none").await.0, 404);
    let channel = Channel::from_shared(bridge.endpoint()).unwrap().connect().await.unwrap();
    let mut health = HealthClient::new(channel);
    for (name, expected) in [("up", ServingStatus::Serving), ("down", ServingStatus::NotServing)] {
        let service = format!("tenants/{name}");
        let answer = health.check(HealthCheckRequest { service }).await.unwrap().into_inner();
        assert_eq!(answer.status(), expected, "{name}");
    }
}
